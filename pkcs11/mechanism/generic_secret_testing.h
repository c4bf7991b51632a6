// Short hands for tests of mechanisms on secret keys.
#pragma once

#include <boost/test/unit_test.hpp>

#include <algorithm>
#include <string>
#include <string_view>
#include <vector>

#include "base/testing.h"
#include "mechanism/mechanism.h"

namespace cardea::testing {

/// A secret key object that is not sensitive, with its key.
inline KeyRef secret(CK_KEY_TYPE type, ByteView value, bool sensitive = false) {
  auto object = std::make_shared<Object>();
  object->id = 1;
  object->attributes.set_ulong(CKA_CLASS, CKO_SECRET_KEY);
  object->attributes.set_ulong(CKA_KEY_TYPE, type);
  object->attributes.set_bool(CKA_SENSITIVE, sensitive);
  object->attributes.set_bool(CKA_EXTRACTABLE, true);
  return {object, std::make_shared<SecretKey>(type, SecretBytes(value))};
}

inline const Mechanism& mechanism(CK_MECHANISM_TYPE type) {
  const Mechanism* const found = mechanisms().find(type);
  BOOST_REQUIRE_MESSAGE(found != nullptr, "mechanism " << type);
  return *found;
}

template <class T>
Parameter parameter_of(T& structure) {
  return {&structure, sizeof(structure)};
}
inline Parameter parameter_of(Bytes& bytes) {
  return {bytes.data(), bytes.size()};
}

/// Runs a whole operation in one call. With `in_place` the output lies over the input.
inline Result<Bytes> in_one_part(CipherOperation& cipher, ByteView input, bool in_place = false) {
  Bytes out(std::max(cipher.single_bound(input.size()), input.size()));
  std::copy(input.begin(), input.end(), out.begin());
  const ByteView from = in_place ? ByteView(out).first(input.size()) : input;
  CARDEA_ASSIGN(const std::size_t written, cipher.single(from, out));
  out.resize(written);
  return out;
}

/// Runs a whole operation in parts of `step` bytes, each of them in place.
inline Result<Bytes> in_parts(CipherOperation& cipher, ByteView input, std::size_t step) {
  Bytes all;
  for (std::size_t offset = 0; offset < input.size(); offset += step) {
    const ByteView part = input.subspan(offset, std::min(step, input.size() - offset));
    Bytes buffer(std::max(cipher.update_bound(part.size()), part.size()));
    std::copy(part.begin(), part.end(), buffer.begin());
    CARDEA_ASSIGN(const std::size_t written, cipher.update(ByteView(buffer).first(part.size()), buffer));
    all.insert(all.end(), buffer.begin(), buffer.begin() + static_cast<std::ptrdiff_t>(written));
  }
  Bytes last(cipher.finish_bound());
  CARDEA_ASSIGN(const std::size_t written, cipher.finish(last));
  all.insert(all.end(), last.begin(), last.begin() + static_cast<std::ptrdiff_t>(written));
  return all;
}

/// The text of a result for BOOST_TEST: hexadecimal, or the name of the error.
inline std::string shown(const Result<Bytes>& result) {
  return result ? to_hex(*result) : std::string(name(result.code()));
}

/// What `type` makes of `plain` and back, in one part, in place, and in parts of several sizes.
inline void check_cipher(CK_MECHANISM_TYPE type, const KeyRef& key, Parameter parameter, ByteView plain,
                         ByteView encrypted) {
  const Mechanism& tested = mechanism(type);
  const auto once = [&](auto start, ByteView input, ByteView expected) {
    for (const bool in_place : {false, true}) {
      auto started = start();
      BOOST_REQUIRE(started);
      BOOST_TEST(shown(in_one_part(**started, input, in_place)) == to_hex(expected));
    }
    for (const std::size_t step : {1, 5, 16, 21, 64}) {
      auto started = start();
      BOOST_REQUIRE(started);
      BOOST_TEST(shown(in_parts(**started, input, step)) == to_hex(expected));
    }
  };
  once([&] { return tested.encrypt(key, parameter); }, plain, encrypted);
  once([&] { return tested.decrypt(key, parameter); }, encrypted, plain);
}

/// A session's side of a derivation that keeps what it is given.
class RecordingHost final : public DeriveHost {
 public:
  Result<KeyRef> source_key(CK_OBJECT_HANDLE handle) override {
    if (handle >= sources.size()) return Code::key_handle_invalid;
    return sources[handle];
  }
  Status create_key(SecretBytes value, const CK_ATTRIBUTE*, CK_ULONG, CK_OBJECT_HANDLE* handle) override {
    if (refuse) return Code::template_inconsistent;
    created.push_back(to_hex(value.view()));
    *handle = created.size();
    return {};
  }
  Status create_tls_key(SecretBytes value, bool, CK_OBJECT_HANDLE* handle) override {
    return create_key(std::move(value), nullptr, 0, handle);
  }

  std::vector<KeyRef> sources;
  std::vector<std::string> created;
  bool refuse = false;
};

/// The derived value in hexadecimal, "none", or the name of the error.
inline std::string derived(CK_MECHANISM_TYPE type, const KeyRef& base, Parameter parameter, DeriveHost& host,
                           std::optional<std::size_t> length = {}, CK_KEY_TYPE key_type = CKK_GENERIC_SECRET,
                           CK_OBJECT_CLASS object_class = CKO_SECRET_KEY) {
  const auto result = mechanism(type).derive(base, parameter, {object_class, key_type, length}, host);
  if (!result) return std::string(name(result.code()));
  return *result ? to_hex((*result)->view()) : "none";
}

}  // namespace cardea::testing
