// Templates and actors for the tests of the attribute rules.
#pragma once

#include <cstring>
#include <deque>
#include <initializer_list>

#include "token/object_rules.h"

namespace cardea {

/// A caller's template, with memory for its values.
class TemplateOf {
 public:
  TemplateOf() = default;
  TemplateOf(TemplateOf&&) = default;  // moving a deque leaves its elements where they are

  TemplateOf& flag(CK_ATTRIBUTE_TYPE type, bool value) {
    const Byte byte = value ? 1 : 0;
    return bytes(type, {&byte, 1});
  }
  TemplateOf& number(CK_ATTRIBUTE_TYPE type, CK_ULONG value) {
    return bytes(type, {reinterpret_cast<const Byte*>(&value), sizeof value});
  }
  TemplateOf& text(CK_ATTRIBUTE_TYPE type, std::string_view value) { return bytes(type, view_of(value)); }
  TemplateOf& bytes(CK_ATTRIBUTE_TYPE type, ByteView value) {
    values_.push_back(to_bytes(value));
    entries_.push_back({type, values_.back().data(), value.size()});
    return *this;
  }
  TemplateOf& nested(CK_ATTRIBUTE_TYPE type, const TemplateOf& inner) {
    return bytes(type,
                 {reinterpret_cast<const Byte*>(inner.entries_.data()), inner.entries_.size() * sizeof(CK_ATTRIBUTE)});
  }
  Template get() const { return entries_; }

 private:
  std::deque<Bytes> values_;
  std::vector<CK_ATTRIBUTE> entries_;
};

inline constexpr Actor the_user{.read_write = true, .user = true};
inline constexpr Actor the_so{.read_write = true, .security_officer = true};
inline constexpr Actor nobody{.read_write = true};

inline TemplateOf key_template(CK_OBJECT_CLASS object_class, CK_KEY_TYPE type) {
  TemplateOf result;
  result.number(CKA_CLASS, object_class).number(CKA_KEY_TYPE, type);
  return result;
}

inline TemplateOf aes_template() {
  return key_template(CKO_SECRET_KEY, CKK_AES);
}

inline SecretBytes key_value(std::size_t size = 32) {
  SecretBytes value(size);
  for (std::size_t i = 0; i < size; ++i) value.data()[i] = static_cast<Byte>(i);
  return value;
}

/// A secret key as C_GenerateKey makes it.
inline Result<NewObject> generated(const TemplateOf& attributes, const Actor& actor = the_user, std::size_t size = 32) {
  CARDEA_ASSIGN(NewObject object, new_object(Origin::generate, attributes.get(), AttributeSet{}, actor));
  object.secrets.insert_or_assign(CKA_VALUE, key_value(size));
  CARDEA_TRY(finish_key(object, Origin::generate, KeyFacts{.local = true, .mechanism = CKM_AES_KEY_GEN}));
  return object;
}

}  // namespace cardea
