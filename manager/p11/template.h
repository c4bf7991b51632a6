// Attribute templates that own their values.
#pragma once

#include <deque>
#include <string_view>
#include <vector>

#include "base/bytes.h"
#include "base/secret.h"
#include "cryptoki/cryptoki.h"

namespace cardea::p11client {

class Template {
 public:
  Template& bytes(CK_ATTRIBUTE_TYPE type, ByteView value) {
    Bytes& kept = values_.emplace_back(value.begin(), value.end());
    attributes_.push_back({type, kept.data(), kept.size()});
    return *this;
  }
  Template& text(CK_ATTRIBUTE_TYPE type, std::string_view value) { return bytes(type, view_of(value)); }
  /// The same for a value that must not be left behind in memory.
  Template& secret(CK_ATTRIBUTE_TYPE type, ByteView value) {
    SecretBytes& kept = secrets_.emplace_back(value);
    attributes_.push_back({type, kept.data(), kept.size()});
    return *this;
  }
  Template& number(CK_ATTRIBUTE_TYPE type, CK_ULONG value) {
    return bytes(type, {reinterpret_cast<const Byte*>(&value), sizeof value});
  }
  Template& flag(CK_ATTRIBUTE_TYPE type, bool value) {
    const Byte byte = value ? CK_TRUE : CK_FALSE;
    return bytes(type, {&byte, 1});
  }

  CK_ATTRIBUTE* data() { return attributes_.data(); }
  CK_ULONG size() const { return attributes_.size(); }

  Template() = default;
  Template(Template&&) = default;
  Template& operator=(Template&&) = default;
  Template(const Template&) = delete;
  Template& operator=(const Template&) = delete;

 private:
  std::deque<Bytes> values_;  // a deque: the attributes point into its elements
  std::deque<SecretBytes> secrets_;
  std::vector<CK_ATTRIBUTE> attributes_;
};

}  // namespace cardea::p11client
