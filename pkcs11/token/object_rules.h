// The attribute rules of the standard, applied: from a caller's template to an object's attributes, and from an
// object's attributes to what a caller may see and change. The rules themselves are lines of attributes.def.
#pragma once

#include <span>

#include "token/object.h"

namespace cardea {

/// A caller's template, checked for memory only (abi/template.cc): at most template_limit entries, no null values with
/// a length. Values point to the caller's memory.
using Template = std::span<const CK_ATTRIBUTE>;
inline constexpr std::size_t template_limit = 1024;
/// Most bytes of one value that a caller may give: enough for every certificate and file, too little to exhaust memory.
inline constexpr std::size_t value_limit = std::size_t{1} << 26;

/// How an object comes into being; the standard's footnotes differ by it (PKCS#11 3.2, table 13).
enum class Origin : std::uint8_t { create, generate, unwrap, derive, copy };

/// Who asks, as far as the rules care.
struct Actor {
  bool read_write = false;        ///< the session is R/W
  bool user = false;              ///< the user is logged in
  bool security_officer = false;  ///< the SO is logged in
  bool token_login_required = true;
};

/// Facts about how a key was made, for the attributes that nobody may set (CKA_LOCAL, CKA_ALWAYS_SENSITIVE …).
/// For a derivation start from derived_facts() and add_source() every further key; for an unwrapped key only
/// must_be_sensitive counts; for encapsulation and decapsulation the facts of Origin::unwrap without any.
struct KeyFacts {
  bool local = false;
  CK_MECHANISM_TYPE mechanism = CK_UNAVAILABLE_INFORMATION;   ///< CKA_KEY_GEN_MECHANISM
  CK_MECHANISM_TYPE derivation = CK_UNAVAILABLE_INFORMATION;  ///< derive: the mechanism
  bool sources_always_sensitive = true;                       ///< derive: all source keys had CKA_ALWAYS_SENSITIVE
  bool sources_never_extractable = true;                      ///< derive: all source keys had CKA_NEVER_EXTRACTABLE
  bool sources_sensitive = false;                             ///< derive: a secret key among the sources is sensitive
  bool sources_extractable = true;   ///< derive: all secret keys among the sources are extractable
  std::size_t sensitive_length = 0;  ///< derive: bytes of all source secret keys whose value cannot be read; 0: none
  bool must_be_sensitive = false;    ///< unwrap: see unwraps_only_sensitive in wrap_policy.h
};

/// The facts of a derivation by `mechanism` from `base`.
KeyFacts derived_facts(CK_MECHANISM_TYPE mechanism, const Object& base);

/// Counts a further key as source of the derivation. A private key (key agreement) does not make the shared secret
/// sensitive: the standard leaves that to the template (PKCS#11 3.2, 6.3.17), and clients read the shared secret.
void add_source(KeyFacts& facts, const Object& source);

/// Splits a template into an object's public attributes and its secrets, after all checks for that origin: known types,
/// right sizes, no duplicates that differ, allowed for class and key type, not settable at this origin, session and
/// login rights (CKA_TOKEN needs R/W, CKA_PRIVATE needs the user, CKA_TRUSTED true needs the SO), consistent with each
/// other. Defaults are filled in; key material is added by the caller afterwards (finish_key). `preset` gives what the
/// call itself fixes (CKA_CLASS and CKA_KEY_TYPE of a generated key, the CKA_UNWRAP_TEMPLATE of an unwrapping key); a
/// template that contradicts it is template_inconsistent. Every object gets its CKA_UNIQUE_ID here. CKA_SENSITIVE and
/// CKA_EXTRACTABLE of unwrapped and derived keys stay absent when the template is silent: finish_key decides them by
/// the facts. Errors: attribute_type_invalid, attribute_value_invalid, attribute_read_only, template_incomplete,
/// template_inconsistent, session_read_only, user_not_logged_in.
Result<NewObject> new_object(Origin origin, Template attributes, const AttributeSet& preset, const Actor& actor);

/// Adds the key facts: CKA_LOCAL, CKA_KEY_GEN_MECHANISM, CKA_ALWAYS_SENSITIVE, CKA_NEVER_EXTRACTABLE, and completes
/// CKA_CHECK_VALUE and CKA_VALUE_LEN where they apply. To be called for objects of every class, after complete_key.
/// Checks that a secret key's value is there and of a right size for its type and that a given CKA_CHECK_VALUE matches.
/// attribute_value_invalid, template_inconsistent (sensitivity against the facts; a derivation that would let a
/// sensitive source be guessed piece by piece), template_incomplete.
Status finish_key(NewObject& object, Origin origin, const KeyFacts& facts);

/// Fills in what an object that no template of ours made (a key or certificate found on a card) leaves unsaid.
void complete_attributes(AttributeSet& attributes);

/// C_CopyObject: the attributes of `source` changed by a template. action_prohibited when CKA_COPYABLE is false;
/// sensitive cannot be lowered nor extractable raised; CKA_TOKEN, CKA_PRIVATE (only to true), CKA_MODIFIABLE … may
/// change.
Result<AttributeSet> copied_attributes(const Object& source, Template changes, const Actor& actor);

/// Moves values that must be secret from the object's attributes to its secrets: the value of a public data object
/// whose copy is private. For C_CopyObject, after copied_attributes.
void settle_secrets(NewObject& object);

/// C_SetAttributeValue. action_prohibited when CKA_MODIFIABLE is false; attribute_read_only for what is fixed or may
/// only go one way. Answers the new attributes.
Result<AttributeSet> changed_attributes(const Object& object, Template changes, const Actor& actor);

/// C_DestroyObject: action_prohibited when CKA_DESTROYABLE is false; session rights.
Status may_destroy(const Object& object, const Actor& actor);

/// Where an attribute's value is to be had when a caller reads it.
enum class Visibility : std::uint8_t {
  shown,      ///< in Object::attributes (or empty by default)
  secret,     ///< among the secrets, and this caller may have it (not sensitive, extractable); also the value of a
              ///< data object that its token reads only when asked for
  sensitive,  ///< CKR_ATTRIBUTE_SENSITIVE
  absent      ///< CKR_ATTRIBUTE_TYPE_INVALID
};
Visibility visibility(const Object& object, CK_ATTRIBUTE_TYPE type) noexcept;

/// Whether the values of this type are kept among the secrets for that class (and whether the object is private).
bool is_secret_attribute(CK_OBJECT_CLASS object_class, CK_ATTRIBUTE_TYPE type, bool object_is_private) noexcept;

/// How a value is laid out, for search templates, traces and the command line.
enum class AttributeForm : std::uint8_t {
  boolean,
  number,
  bytes,
  text,
  big_integer,
  date,
  attributes,
  mechanisms,
  unknown
};
AttributeForm attribute_form(CK_ATTRIBUTE_TYPE type) noexcept;

/// A search template as a query; attribute_value_invalid for malformed values. Types nobody knows match nothing.
Result<AttributeSet> search_template(Template attributes);

/// An attribute array (CKA_WRAP_TEMPLATE …) from and to the caller's CK_ATTRIBUTEs.
Result<AttributeSet> nested_template(ByteView caller_attributes);

/// Whether a key object satisfies a CKA_WRAP_TEMPLATE / CKA_UNWRAP_TEMPLATE / CKA_DERIVE_TEMPLATE.
bool satisfies(const AttributeSet& attributes, const AttributeSet& required) noexcept;

}  // namespace cardea
