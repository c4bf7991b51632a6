// RSA encryption, and the mechanisms that also sign without a hash: PKCS#1 v1.5, OAEP, raw (PKCS#11 3.2, 6.1.5
// to 6.1.10).
#include <algorithm>

#include "mechanism/rsa.h"
#include "mechanism/signature_operation.h"

namespace cardea {
namespace {

// ---- operations; a functor runs them, so that paddings differ in one line each

template <class Run>
class RsaCipher final : public CipherOperation {
 public:
  RsaCipher(std::size_t bound, Run run) : bound_(bound), run_(std::move(run)) {}
  std::size_t single_bound(std::size_t) const noexcept override { return bound_; }
  std::size_t update_bound(std::size_t) const noexcept override { return 0; }
  std::size_t finish_bound() const noexcept override { return 0; }
  Result<std::size_t> single(ByteView input, MutableBytes out) override { return run_(input, out); }
  Result<std::size_t> update(ByteView, MutableBytes) override { return Code::function_not_supported; }
  Result<std::size_t> finish(MutableBytes) override { return Code::function_not_supported; }
  bool multi_part() const noexcept override { return false; }

 private:
  std::size_t bound_;
  Run run_;
};

template <class Run>
CipherPtr cipher(std::size_t bound, Run run) {
  return std::make_unique<RsaCipher<Run>>(bound, std::move(run));
}

template <class Run>
class RsaSign final : public PrivateKeySign {
 public:
  RsaSign(std::shared_ptr<const PrivateKey> key, Run run)
      : PrivateKeySign(key, MessageForm::single_part, Hash::none, modulus_size(*key)), run_(run) {}

 protected:
  Result<std::size_t> sign(ByteView data, MutableBytes signature) const override {
    return run_(key(), data, signature);
  }

 private:
  Run run_;
};

template <class Run>
class RsaVerify final : public PublicKeyVerify {
 public:
  RsaVerify(std::shared_ptr<const PublicKey> key, Run run)
      : PublicKeyVerify(std::move(key), MessageForm::single_part, Hash::none), run_(run) {}

 protected:
  Status verify(ByteView data, ByteView signature) const override { return run_(key(), data, signature); }

 private:
  Run run_;
};

template <class Run>
class RsaRecover final : public RecoverOperation {
 public:
  RsaRecover(std::shared_ptr<const PublicKey> key, Run run) : key_(std::move(key)), run_(run) {}
  std::size_t bound() const noexcept override { return modulus_size(*key_); }
  Result<std::size_t> recover(ByteView signature, MutableBytes data) override {
    if (signature.size() != modulus_size(*key_)) return Code::signature_length;
    return run_(key_->key(), signature, data);
  }

 private:
  std::shared_ptr<const PublicKey> key_;
  Run run_;
};

// A message is decrypted beside the caller's buffer, which may be the ciphertext's own and need not have room for the
// whole block.
template <class Decrypt>
Result<std::size_t> through_block(std::size_t block_size, MutableBytes out, Decrypt decrypt) {
  SecretBytes block(block_size);
  CARDEA_ASSIGN(const std::size_t size, decrypt(block.mutable_view()));
  if (size > out.size()) return Code::buffer_too_small;
  std::copy_n(block.data(), size, out.begin());
  return size;
}

// ---- CKM_RSA_PKCS

class RsaPkcs final : public Mechanism {
 public:
  RsaPkcs()
      : Mechanism(CKM_RSA_PKCS, {rsa_usable_min, rsa_usable_max,
                                 CKF_ENCRYPT | CKF_DECRYPT | CKF_SIGN | CKF_SIGN_RECOVER | CKF_VERIFY |
                                     CKF_VERIFY_RECOVER | CKF_WRAP | CKF_UNWRAP}) {}
  bool served_by(Primitives primitives) const noexcept override {
    return can_sign_pkcs1(primitives) || can_decrypt_pkcs1(primitives);
  }

  Result<SignPtr> sign(const KeyRef& reference, Parameter parameter) const override {
    CARDEA_TRY(parameter.expect_none());
    CARDEA_ASSIGN(auto key, private_key_for(*this, reference, CKK_RSA));
    if (!can_sign_pkcs1(key->primitives())) return Code::key_type_inconsistent;
    return SignPtr(std::make_unique<RsaSign<decltype(&rsa_sign_pkcs1)>>(std::move(key), rsa_sign_pkcs1));
  }
  Result<SignPtr> sign_recover(const KeyRef& reference, Parameter parameter) const override {
    return sign(reference, parameter);
  }
  Result<VerifyPtr> verify(const KeyRef& reference, Parameter parameter) const override {
    CARDEA_TRY(parameter.expect_none());
    CARDEA_ASSIGN(auto key, public_key_for(*this, reference, CKK_RSA));
    const auto run = [](const crypto::AsymmetricKey& rsa, ByteView data, ByteView signature) {
      if (data.size() + crypto::pkcs1_overhead > rsa.output_size()) return Status(Code::data_length);
      return rsa.verify_pkcs1(data, signature);
    };
    return VerifyPtr(std::make_unique<RsaVerify<decltype(run)>>(std::move(key), run));
  }
  Result<RecoverPtr> verify_recover(const KeyRef& reference, Parameter parameter) const override {
    CARDEA_TRY(parameter.expect_none());
    CARDEA_ASSIGN(auto key, public_key_for(*this, reference, CKK_RSA));
    const auto run = [](const crypto::AsymmetricKey& rsa, ByteView signature, MutableBytes data) {
      return rsa.recover_pkcs1(signature, data);
    };
    return RecoverPtr(std::make_unique<RsaRecover<decltype(run)>>(std::move(key), run));
  }

  Result<CipherPtr> encrypt(const KeyRef& reference, Parameter parameter) const override {
    CARDEA_TRY(parameter.expect_none());
    CARDEA_ASSIGN(auto key, public_key_for(*this, reference, CKK_RSA));
    const std::size_t size = modulus_size(*key);
    return cipher(size, [key](ByteView message, MutableBytes out) { return key->key().encrypt_pkcs1(message, out); });
  }
  Result<CipherPtr> decrypt(const KeyRef& reference, Parameter parameter) const override {
    CARDEA_TRY(parameter.expect_none());
    CARDEA_ASSIGN(auto key, private_key_for(*this, reference, CKK_RSA));
    if (!can_decrypt_pkcs1(key->primitives())) return Code::key_type_inconsistent;
    const std::size_t size = modulus_size(*key);
    return cipher(size - crypto::pkcs1_overhead,
                  [key, object = reference.object, size](ByteView ciphertext, MutableBytes out) {
                    return through_block(size, out, [&](MutableBytes block) {
                      const ByteView modulus = object->attributes.get(CKA_MODULUS).value_or(ByteView());
                      return rsa_decrypt_pkcs1(*key, modulus, ciphertext, block);
                    });
                  });
  }
};

// ---- CKM_RSA_X_509

Result<Bytes> padded_left(ByteView data, std::size_t size) {
  if (data.size() > size) return Code::data_length;
  Bytes block(size);
  std::copy(data.begin(), data.end(), block.end() - static_cast<std::ptrdiff_t>(data.size()));
  return block;
}

Status verify_raw(const crypto::AsymmetricKey& rsa, ByteView data, ByteView signature) {
  if (signature.size() != rsa.output_size()) return Code::signature_length;
  CARDEA_ASSIGN(const Bytes expected, padded_left(data, rsa.output_size()));
  Bytes found(rsa.output_size());
  const auto opened = rsa.rsa_public_raw(signature, found);
  if (!opened || found != expected) return Code::signature_invalid;
  return {};
}

Result<std::size_t> recover_raw(const crypto::AsymmetricKey& rsa, ByteView signature, MutableBytes data) {
  auto opened = rsa.rsa_public_raw(signature, data);
  if (!opened) return Code::signature_invalid;
  return opened;
}

class RsaX509 final : public Mechanism {
 public:
  RsaX509()
      : Mechanism(CKM_RSA_X_509,
                  {rsa_usable_min, rsa_usable_max,
                   CKF_ENCRYPT | CKF_DECRYPT | CKF_SIGN | CKF_SIGN_RECOVER | CKF_VERIFY | CKF_VERIFY_RECOVER}) {}
  bool served_by(Primitives primitives) const noexcept override {
    return (primitives & static_cast<Primitives>(Primitive::rsa_raw)) != 0;
  }

  Result<SignPtr> sign(const KeyRef& reference, Parameter parameter) const override {
    CARDEA_TRY(parameter.expect_none());
    CARDEA_ASSIGN(auto key, private_key_for(*this, reference, CKK_RSA));
    return SignPtr(std::make_unique<RsaSign<decltype(&rsa_raw)>>(std::move(key), rsa_raw));
  }
  Result<SignPtr> sign_recover(const KeyRef& reference, Parameter parameter) const override {
    return sign(reference, parameter);
  }
  Result<VerifyPtr> verify(const KeyRef& reference, Parameter parameter) const override {
    CARDEA_TRY(parameter.expect_none());
    CARDEA_ASSIGN(auto key, public_key_for(*this, reference, CKK_RSA));
    return VerifyPtr(std::make_unique<RsaVerify<decltype(&verify_raw)>>(std::move(key), verify_raw));
  }
  Result<RecoverPtr> verify_recover(const KeyRef& reference, Parameter parameter) const override {
    CARDEA_TRY(parameter.expect_none());
    CARDEA_ASSIGN(auto key, public_key_for(*this, reference, CKK_RSA));
    return RecoverPtr(std::make_unique<RsaRecover<decltype(&recover_raw)>>(std::move(key), recover_raw));
  }
  Result<CipherPtr> encrypt(const KeyRef& reference, Parameter parameter) const override {
    CARDEA_TRY(parameter.expect_none());
    CARDEA_ASSIGN(auto key, public_key_for(*this, reference, CKK_RSA));
    const std::size_t size = modulus_size(*key);
    return cipher(size, [key, size](ByteView message, MutableBytes out) -> Result<std::size_t> {
      CARDEA_ASSIGN(const Bytes block, padded_left(message, size));
      return key->key().rsa_public_raw(block, out);
    });
  }
  Result<CipherPtr> decrypt(const KeyRef& reference, Parameter parameter) const override {
    CARDEA_TRY(parameter.expect_none());
    CARDEA_ASSIGN(auto key, private_key_for(*this, reference, CKK_RSA));
    const std::size_t size = modulus_size(*key);
    return cipher(size, [key, size](ByteView ciphertext, MutableBytes out) -> Result<std::size_t> {
      if (ciphertext.size() != size) return Code::encrypted_data_length;
      auto opened = rsa_raw(*key, ciphertext, out);
      if (!opened && opened.code() == Code::data_invalid) return Code::encrypted_data_invalid;
      return opened;
    });
  }
};

// ---- CKM_RSA_PKCS_OAEP

class RsaOaep final : public Mechanism {
 public:
  RsaOaep()
      : Mechanism(CKM_RSA_PKCS_OAEP,
                  {rsa_usable_min, rsa_usable_max, CKF_ENCRYPT | CKF_DECRYPT | CKF_WRAP | CKF_UNWRAP}) {}
  bool served_by(Primitives primitives) const noexcept override { return can_decrypt_oaep(primitives); }
  // Plaintext-aware and randomised by us: an attacker learns nothing and can forge nothing useful without the public
  // key's owner.
  bool wraps_sensitive_keys(Parameter, bool) const noexcept override { return true; }

  Result<CipherPtr> encrypt(const KeyRef& reference, Parameter parameter) const override {
    CARDEA_ASSIGN(OaepParameters parsed, oaep_parameters(parameter));
    CARDEA_ASSIGN(auto key, public_key_for(*this, reference, CKK_RSA));
    const std::size_t size = modulus_size(*key);
    if (2 * crypto::hash_size(parsed.hash) + 2 > size) return Code::key_size_range;
    return cipher(size, [key, oaep = std::move(parsed)](ByteView message, MutableBytes out) {
      return key->key().encrypt_oaep(oaep.hash, oaep.mgf_hash, oaep.label, message, out);
    });
  }
  Result<CipherPtr> decrypt(const KeyRef& reference, Parameter parameter) const override {
    CARDEA_ASSIGN(OaepParameters parsed, oaep_parameters(parameter));
    CARDEA_ASSIGN(auto key, private_key_for(*this, reference, CKK_RSA));
    const std::size_t size = modulus_size(*key);
    const std::size_t overhead = 2 * crypto::hash_size(parsed.hash) + 2;
    if (overhead > size) return Code::key_size_range;
    return cipher(size - overhead, [key, size, oaep = std::move(parsed)](ByteView ciphertext, MutableBytes out) {
      return through_block(size, out,
                           [&](MutableBytes block) { return rsa_decrypt_oaep(*key, oaep, ciphertext, block); });
    });
  }
};

}  // namespace

Result<OaepParameters> oaep_parameters(Parameter parameter) {
  CARDEA_ASSIGN(const auto* given, parameter.as<CK_RSA_PKCS_OAEP_PARAMS>());
  OaepParameters parsed{hash_of_mechanism(given->hashAlg), hash_of_mgf(given->mgf), {}};
  if (parsed.hash == Hash::none || parsed.mgf_hash == Hash::none) return Code::mechanism_param_invalid;
  // Callers that want the empty label also leave the source at zero (6.1.7 asks for CKZ_DATA_SPECIFIED).
  const bool no_source = given->source == 0 && given->ulSourceDataLen == 0;
  if (given->source != CKZ_DATA_SPECIFIED && !no_source) return Code::mechanism_param_invalid;
  CARDEA_ASSIGN(const ByteView label, parameter_bytes(given->pSourceData, given->ulSourceDataLen));
  parsed.label = to_bytes(label);
  return parsed;
}

void register_rsa_ciphers(MechanismRegistry& registry) {
  registry.emplace<RsaPkcs>();
  registry.emplace<RsaX509>();
  registry.emplace<RsaOaep>();
}

}  // namespace cardea
