// Keys for the tests of the asymmetric mechanisms.
#pragma once

#include <array>
#include <boost/test/unit_test.hpp>
#include <string>

#include "base/testing.h"
#include "mechanism/mechanism.h"
#include "token/key_material.h"

namespace cardea::testing {

/// Both halves of a generated pair, as a session would hand them to mechanisms.
struct Pair {
  KeyRef public_key;
  KeyRef private_key;
  NewObject private_object;
};

inline KeyRef reference(AttributeSet attributes, const SecretAttributes& secrets) {
  KeyPtr key = must(make_key(attributes, secrets));
  return {std::make_shared<const Object>(Object{1, std::move(attributes)}), std::move(key)};
}

inline Pair generate(CK_MECHANISM_TYPE type, const AttributeSet& public_template) {
  const Mechanism* const mechanism = mechanisms().find(type);
  BOOST_REQUIRE(mechanism != nullptr);
  GeneratedPair made = must(mechanism->generate_key_pair({}, public_template, {}));
  for (AttributeSet* const half : {&made.public_attributes, &made.private_attributes})
    half->set_ulong(CKA_KEY_TYPE, mechanism->generated_key_type());
  made.public_attributes.set_ulong(CKA_CLASS, CKO_PUBLIC_KEY);
  made.private_attributes.set_ulong(CKA_CLASS, CKO_PRIVATE_KEY);
  Pair pair{reference(made.public_attributes, {}), reference(made.private_attributes, made.private_secrets), {}};
  pair.private_object = {std::move(made.private_attributes), std::move(made.private_secrets)};
  return pair;
}

/// An RSA-2048 pair, generated once for all tests of the program.
inline const Pair& rsa_pair() {
  static const Pair* const pair = [] {
    AttributeSet attributes;
    attributes.set_ulong(CKA_MODULUS_BITS, 2048);
    return new Pair(generate(CKM_RSA_PKCS_KEY_PAIR_GEN, attributes));
  }();
  return *pair;
}

/// A key that shows only some of another key's primitives, as a card would.
class LimitedKey final : public PrivateKey {
 public:
  LimitedKey(std::shared_ptr<const PrivateKey> key, Primitives primitives)
      : key_(std::move(key)), primitives_(primitives) {}
  std::size_t size() const noexcept override { return key_->size(); }
  Primitives primitives() const noexcept override { return primitives_; }
  std::size_t output_size(const PrimitiveRequest& request) const noexcept override {
    return key_->output_size(request);
  }
  Result<std::size_t> perform(const PrimitiveRequest& request, ByteView input, MutableBytes out) const override {
    if (!can(request.primitive)) return Code::mechanism_invalid;
    return key_->perform(request, input, out);
  }

 private:
  std::shared_ptr<const PrivateKey> key_;
  Primitives primitives_;
};

inline KeyRef limited(const KeyRef& reference, Primitives primitives) {
  auto key = std::dynamic_pointer_cast<const PrivateKey>(reference.key);
  BOOST_REQUIRE(key != nullptr);
  return {reference.object, std::make_shared<LimitedKey>(std::move(key), primitives)};
}

template <class T>
Parameter parameter(T& structure) {
  return {&structure, sizeof(structure)};
}

inline Bytes sign(CK_MECHANISM_TYPE type, const KeyRef& key, Parameter parameter, ByteView data) {
  const SignPtr operation = must(mechanisms().find(type)->sign(key, parameter));
  Bytes signature(operation->size());
  signature.resize(must(operation->single(data, signature)));
  return signature;
}

inline Status verify(CK_MECHANISM_TYPE type, const KeyRef& key, Parameter parameter, ByteView data,
                     ByteView signature) {
  const VerifyPtr operation = must(mechanisms().find(type)->verify(key, parameter));
  return operation->single(data, signature);
}

inline Bytes encrypt(CK_MECHANISM_TYPE type, const KeyRef& key, Parameter parameter, ByteView data) {
  const CipherPtr operation = must(mechanisms().find(type)->encrypt(key, parameter));
  Bytes out(operation->single_bound(data.size()));
  out.resize(must(operation->single(data, out)));
  return out;
}

inline Result<Bytes> decrypt(CK_MECHANISM_TYPE type, const KeyRef& key, Parameter parameter, ByteView data) {
  CARDEA_ASSIGN(const CipherPtr operation, mechanisms().find(type)->decrypt(key, parameter));
  Bytes out(operation->single_bound(data.size()));
  CARDEA_ASSIGN(const std::size_t size, operation->single(data, out));
  out.resize(size);
  return out;
}

}  // namespace cardea::testing
