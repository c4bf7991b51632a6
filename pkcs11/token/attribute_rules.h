// The tables attributes.def and key_types.def as C++ data, and the questions the rules ask them. Internal to the
// folder.
#pragma once

#include <span>

#include "token/object_rules.h"

namespace cardea::rules {

/// Sets of object classes.
enum ClassBits : std::uint16_t {
  data = 1,
  certificate = 2,
  public_key = 4,
  private_key = 8,
  secret_key = 16,
  built_in = 32,
  keys = public_key | private_key | secret_key,
  everything = data | certificate | keys | built_in
};

/// Sets of key kinds: groups of key types with the same attributes.
enum KindBits : std::uint16_t {
  rsa = 1,
  ec = 2,
  edwards = 4,
  montgomery = 8,
  ml_dsa = 16,
  slh_dsa = 32,
  ml_kem = 64,
  aes = 128,
  aes_xts = 256,
  chacha20 = 512,
  generic = 1024,
  hmac = 2048,
  hkdf = 4096,
  curves = ec | edwards | montgomery,
  post_quantum = ml_dsa | slh_dsa | ml_kem,
  signing = rsa | ec | edwards | ml_dsa | slh_dsa,
  any = 0xffff
};

/// The words of the column "rules".
enum RuleBits : std::uint32_t {
  none_of_them = 0,
  create_must = 1u << 0,
  create_not = 1u << 1,
  generate_must = 1u << 2,
  generate_not = 1u << 3,
  unwrap_not = 1u << 4,
  secret = 1u << 5,
  secret_if_private = 1u << 6,
  settable = 1u << 7,
  on_copy = 1u << 8,
  clearable = 1u << 9,
  so_only = 1u << 10,
  only_up = 1u << 11,
  only_down = 1u << 12,
  for_encryption = 1u << 13,
  for_signatures = 1u << 14,
  for_wrapping = 1u << 15,
  for_derivation = 1u << 16,
  for_encapsulation = 1u << 17,
  any_use = for_encryption | for_signatures | for_wrapping | for_derivation | for_encapsulation,
  read_only = create_not | generate_not | unwrap_not
};

/// What an attribute is when nobody gives it.
struct Default {
  enum class Value : std::uint8_t { none, empty, no, yes, zero, sha_1, usage, computed };
  Value value = Value::none;
  std::uint16_t kinds = 0;  ///< usage: the key kinds for which it is true
};

/// One line of attributes.def.
struct AttributeRule {
  CK_ATTRIBUTE_TYPE type;
  AttributeForm form;
  std::uint16_t classes;
  std::uint16_t kinds;
  std::uint32_t rules;
  Default by_default;

  bool is(std::uint32_t rule) const noexcept { return (rules & rule) != 0; }
  bool kept_secret(bool object_is_private) const noexcept {
    return is(secret) || (is(secret_if_private) && object_is_private);
  }
};

enum class Halves : std::uint8_t { pair, single };
enum class CheckValue : std::uint8_t { unchecked, encrypted_zeros, hashed };

/// One line of key_types.def.
struct KeyTypeRule {
  CK_KEY_TYPE type;
  KindBits kind;
  Halves halves;
  std::size_t shortest;  ///< bytes of a secret key's value
  std::size_t longest;
  std::size_t step;
  CheckValue check_value;

  bool fits(std::size_t size) const noexcept {
    return size >= shortest && size <= longest && (size - shortest) % step == 0;
  }
};

/// All lines of attributes.def, in its order.
std::span<const AttributeRule> attribute_rules() noexcept;

/// The class as a set of one; 0 for classes that we do not have.
std::uint16_t class_bit(CK_OBJECT_CLASS object_class) noexcept;

/// Null for key types that no mechanism of ours uses.
const KeyTypeRule* find_key_type(CK_KEY_TYPE type) noexcept;

/// The key kind of a key's type; `any` for what is no key or of a type unknown to us, so that only lines for every kind
/// or, for objects of foreign origin, all lines apply.
std::uint16_t kind_of(const AttributeSet& attributes) noexcept;

/// The line that holds for that class and kind; null when such objects have no such attribute.
const AttributeRule* find_rule(CK_ATTRIBUTE_TYPE type, std::uint16_t object_class, std::uint16_t kind) noexcept;
const AttributeRule* find_rule(CK_ATTRIBUTE_TYPE type, const AttributeSet& object) noexcept;

/// Whether any class has it.
bool is_known(CK_ATTRIBUTE_TYPE type) noexcept;

/// A caller's value as an AttributeSet keeps it. attribute_value_invalid when it is malformed for the form;
/// template_inconsistent and attribute_type_invalid from nested templates.
Result<Bytes> canonical_value(AttributeForm form, ByteView callers);

/// The value the attribute has by default in a new object; absent for none, usage and computed.
std::optional<Bytes> fixed_default(const Default& by_default);

/// Fills in what a template left out: fixed defaults, uses, and sensitivity as far as it does not depend on facts.
void fill_defaults(AttributeSet& attributes, Origin origin);

/// What must hold between attributes of one object, whatever made it: dates in order, certificates with value or URL …
/// template_inconsistent, template_incomplete, attribute_value_invalid.
Status check_consistency(const AttributeSet& attributes);

/// May this actor create or change such an object? session_read_only, user_not_logged_in.
Status check_access(const AttributeSet& attributes, const Actor& actor);

/// A fresh CKA_UNIQUE_ID: a random UUID in text (RFC 4122, 4.4).
Status set_unique_id(AttributeSet& attributes);

}  // namespace cardea::rules
