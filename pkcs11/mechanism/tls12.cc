// Key derivation and Finished MACs of TLS 1.2, and with CKM_TLS_PRF those of TLS 1.0 and 1.1.
#include <algorithm>
#include <array>

#include "crypto/kdf.h"
#include "mechanism/digest.h"
#include "mechanism/generic_secret.h"
#include "mechanism/hmac.h"

namespace cardea {
namespace {

constexpr std::size_t master_size = 48;
constexpr std::size_t longest_seed = 768;  // the library takes label and seed of about a kilobyte together

/// The hash of the PRF; Hash::none stands for MD5 and SHA-1 together (CKM_TLS_PRF).
Result<Hash> prf_hash(CK_MECHANISM_TYPE mechanism, bool older_allowed) {
  if (mechanism == CKM_TLS_PRF && older_allowed) return Hash::none;
  const Hash hash = hash_of_digest(mechanism);
  if (hash == Hash::none) return Code::mechanism_param_invalid;
  return hash;
}

Result<Bytes> seed_of(std::initializer_list<ByteView> parts) {
  Bytes seed;
  for (const ByteView part : parts) {
    if (part.size() > longest_seed - seed.size()) return Code::mechanism_param_invalid;
    seed.insert(seed.end(), part.begin(), part.end());
  }
  return seed;
}

struct Randoms {
  ByteView client;
  ByteView server;
};

Result<Randoms> randoms_of(const CK_SSL3_RANDOM_DATA& given) {
  CARDEA_ASSIGN(const ByteView client, parameter_bytes(given.pClientRandom, given.ulClientRandomLen));
  CARDEA_ASSIGN(const ByteView server, parameter_bytes(given.pServerRandom, given.ulServerRandomLen));
  return Randoms{client, server};
}

/// CKM_TLS12_MASTER_KEY_DERIVE and CKM_TLS12_EXTENDED_MASTER_KEY_DERIVE (RFC 5246, 8.1; RFC 7627, 4). With `dh` the
/// premaster secret is a shared secret of any length; without, it starts with the client's version, which is given out.
class MasterKeyDerivation final : public Mechanism {
 public:
  MasterKeyDerivation(CK_MECHANISM_TYPE type, bool extended, bool dh)
      : Mechanism(type, {master_size, master_size, CKF_DERIVE}), extended_(extended), dh_(dh) {}

  Result<DerivedValue> derive(const KeyRef& base, Parameter parameter, const DeriveRequest& request,
                              DeriveHost&) const override {
    CARDEA_ASSIGN(const Inputs inputs, extended_ ? extended_inputs(parameter) : inputs_of(parameter));
    if (dh_ != (inputs.version == nullptr)) return Code::mechanism_param_invalid;
    CARDEA_ASSIGN(const SecretKey* const key, secret_key(base, {CKK_GENERIC_SECRET}));
    if (!dh_ && key->size() != master_size) return Code::key_size_range;
    CARDEA_ASSIGN(const std::size_t size, derived_size(request, master_size));
    if (size != master_size) return Code::template_inconsistent;
    CARDEA_ASSIGN(SecretBytes master,
                  crypto::tls_prf(inputs.hash, key->value(), view_of(inputs.label), inputs.seed, size));
    if (!dh_) *inputs.version = {key->value()[0], key->value()[1]};
    return DerivedValue(std::move(master));
  }

 private:
  struct Inputs {
    Hash hash;
    std::string_view label;
    Bytes seed;
    CK_VERSION_PTR version;
  };

  static Result<Inputs> inputs_of(Parameter parameter) {
    CARDEA_ASSIGN(const CK_TLS12_MASTER_KEY_DERIVE_PARAMS* const given,
                  parameter.as<CK_TLS12_MASTER_KEY_DERIVE_PARAMS>());
    CARDEA_ASSIGN(const Hash hash, prf_hash(given->prfHashMechanism, false));
    CARDEA_ASSIGN(const Randoms randoms, randoms_of(given->RandomInfo));
    CARDEA_ASSIGN(Bytes seed, seed_of({randoms.client, randoms.server}));
    return Inputs{hash, "master secret", std::move(seed), given->pVersion};
  }

  static Result<Inputs> extended_inputs(Parameter parameter) {
    CARDEA_ASSIGN(const CK_TLS12_EXTENDED_MASTER_KEY_DERIVE_PARAMS* const given,
                  parameter.as<CK_TLS12_EXTENDED_MASTER_KEY_DERIVE_PARAMS>());
    CARDEA_ASSIGN(const Hash hash, prf_hash(given->prfHashMechanism, false));
    CARDEA_ASSIGN(const ByteView session_hash, parameter_bytes(given->pSessionHash, given->ulSessionHashLen));
    CARDEA_ASSIGN(Bytes seed, seed_of({session_hash}));
    return Inputs{hash, "extended master secret", std::move(seed), given->pVersion};
  }

  bool extended_;
  bool dh_;
};

/// CKM_TLS12_KEY_AND_MAC_DERIVE and, without initialisation vectors, CKM_TLS12_KEY_SAFE_DERIVE (RFC 5246, 6.3).
///
/// The vectors are public and lie behind the keys in one stream, so a caller who asks for shorter keys sees the bytes
/// of longer ones (the standard warns of it). With a protected master key no vectors are given out for that reason.
class KeyAndMacDerivation final : public Mechanism {
 public:
  explicit KeyAndMacDerivation(bool safe)
      : Mechanism(safe ? CKM_TLS12_KEY_SAFE_DERIVE : CKM_TLS12_KEY_AND_MAC_DERIVE,
                  {master_size, master_size, CKF_DERIVE}),
        safe_(safe) {}

  Result<DerivedValue> derive(const KeyRef& base, Parameter parameter, const DeriveRequest& request,
                              DeriveHost& host) const override {
    CARDEA_ASSIGN(const CK_TLS12_KEY_MAT_PARAMS* const given, parameter.as<CK_TLS12_KEY_MAT_PARAMS>());
    CARDEA_ASSIGN(const Sizes sizes, sizes_of(*given, base));
    CARDEA_ASSIGN(const Hash hash, prf_hash(given->prfHashMechanism, false));
    CARDEA_ASSIGN(const Randoms randoms, randoms_of(given->RandomInfo));
    CARDEA_ASSIGN(const Bytes seed, seed_of({randoms.server, randoms.client}));
    CARDEA_ASSIGN(const SecretKey* const key, secret_key(base, {CKK_GENERIC_SECRET}));
    if (key->size() != master_size) return Code::key_size_range;
    const std::size_t total = 2 * (sizes.mac + sizes.key + sizes.iv);
    if (total == 0) return Code::mechanism_param_invalid;
    CARDEA_ASSIGN(const SecretBytes block, crypto::tls_prf(hash, key->value(), view_of("key expansion"), seed, total));
    CARDEA_TRY(hand_out(block.view(), sizes, request, *given->pReturnedKeyMaterial, host));
    return DerivedValue();
  }

 private:
  struct Sizes {  // bytes
    std::size_t mac;
    std::size_t key;
    std::size_t iv;
  };

  Result<Sizes> sizes_of(const CK_TLS12_KEY_MAT_PARAMS& given, const KeyRef& base) const {
    constexpr CK_ULONG most_bits = 512;
    const CK_ULONG iv_bits = safe_ ? 0 : given.ulIVSizeInBits;
    for (const CK_ULONG bits : {given.ulMacSizeInBits, given.ulKeySizeInBits, iv_bits}) {
      if (bits > most_bits || bits % 8 != 0) return Code::mechanism_param_invalid;
    }
    const CK_SSL3_KEY_MAT_OUT* const out = given.pReturnedKeyMaterial;
    if (given.bIsExport != CK_FALSE || out == nullptr) return Code::mechanism_param_invalid;
    if (iv_bits != 0) {
      if (out->pIVClient == nullptr || out->pIVServer == nullptr) return Code::mechanism_param_invalid;
      if (is_protected(base)) return error(Code::mechanism_param_invalid, "no IV from a protected master key");
    }
    return Sizes{given.ulMacSizeInBits / 8, given.ulKeySizeInBits / 8, iv_bits / 8};
  }

  static Status hand_out(ByteView block, const Sizes& sizes, const DeriveRequest& request, CK_SSL3_KEY_MAT_OUT& out,
                         DeriveHost& host) {
    const auto take = [&](std::size_t size) {
      const ByteView part = block.first(size);
      block = block.subspan(size);
      return part;
    };
    CK_SSL3_KEY_MAT_OUT made = out;
    made.hClientMacSecret = made.hServerMacSecret = made.hClientKey = made.hServerKey = CK_INVALID_HANDLE;
    if (sizes.mac != 0) {
      CARDEA_TRY(host.create_tls_key(SecretBytes(take(sizes.mac)), true, &made.hClientMacSecret));
      CARDEA_TRY(host.create_tls_key(SecretBytes(take(sizes.mac)), true, &made.hServerMacSecret));
    }
    if (sizes.key != 0) {
      CARDEA_TRY(create_write_key(SecretBytes(take(sizes.key)), request, &made.hClientKey, host));
      CARDEA_TRY(create_write_key(SecretBytes(take(sizes.key)), request, &made.hServerKey, host));
    }
    const ByteView client_iv = take(sizes.iv);
    const ByteView server_iv = take(sizes.iv);
    std::copy(client_iv.begin(), client_iv.end(), out.pIVClient);
    std::copy(server_iv.begin(), server_iv.end(), out.pIVServer);
    out = made;
    return {};
  }

  /// "client_write_key" and "server_write_key" are of the template's type, AES when it names none.
  static Status create_write_key(SecretBytes value, const DeriveRequest& request, CK_OBJECT_HANDLE* handle,
                                 DeriveHost& host) {
    if (request.key_type == CKK_GENERIC_SECRET || request.key_type == CKK_AES) {
      return host.create_tls_key(std::move(value), false, handle);
    }
    CK_OBJECT_CLASS object_class = CKO_SECRET_KEY;
    CK_KEY_TYPE type = request.key_type;
    CK_BBOOL yes = CK_TRUE;
    const CK_ATTRIBUTE attributes[] = {{CKA_CLASS, &object_class, sizeof(object_class)},
                                       {CKA_KEY_TYPE, &type, sizeof(type)},
                                       {CKA_ENCRYPT, &yes, sizeof(yes)},
                                       {CKA_DECRYPT, &yes, sizeof(yes)}};
    return host.create_key(std::move(value), attributes, std::size(attributes), handle);
  }

  bool safe_;
};

/// CKM_TLS_KDF and its older name CKM_TLS12_KDF: keying material exporters (RFC 5705, 4). The labels of the Finished
/// messages are refused: CKM_TLS_MAC answers in clear what they give, so such a derived key would be no secret.
class TlsKdf final : public Mechanism {
 public:
  explicit TlsKdf(CK_MECHANISM_TYPE type) : Mechanism(type, {1, longest_secret, CKF_DERIVE}) {}

  Result<DerivedValue> derive(const KeyRef& base, Parameter parameter, const DeriveRequest& request,
                              DeriveHost&) const override {
    CARDEA_ASSIGN(const CK_TLS_KDF_PARAMS* const given, parameter.as<CK_TLS_KDF_PARAMS>());
    CARDEA_ASSIGN(const Hash hash, prf_hash(given->prfMechanism, true));
    CARDEA_ASSIGN(const ByteView label, parameter_bytes(given->pLabel, given->ulLabelLength));
    if (label.size() > 128 || is_reserved(label)) return Code::mechanism_param_invalid;
    CARDEA_ASSIGN(const Randoms randoms, randoms_of(given->RandomInfo));
    CARDEA_ASSIGN(const ByteView context, parameter_bytes(given->pContextData, given->ulContextDataLength));
    if (context.size() > longest_seed) return Code::mechanism_param_invalid;
    const std::array<Byte, 2> context_size{static_cast<Byte>(context.size() >> 8), static_cast<Byte>(context.size())};
    // No context at all differs from an empty one (RFC 5705, 4).
    const bool with_context = given->pContextData != nullptr;
    CARDEA_ASSIGN(const Bytes seed, seed_of({randoms.client, randoms.server,
                                             with_context ? ByteView(context_size) : ByteView{}, context}));
    CARDEA_ASSIGN(const SecretKey* const key, secret_key(base, {CKK_GENERIC_SECRET}));
    CARDEA_ASSIGN(const std::size_t size, derived_size(request, 0));
    CARDEA_ASSIGN(SecretBytes value, crypto::tls_prf(hash, key->value(), label, seed, size));
    return DerivedValue(std::move(value));
  }

 private:
  /// PRF input is label and seed without a border, so what only begins like such a label is as good as the label.
  static bool is_reserved(ByteView label) noexcept {
    const std::string_view text = text_of(label);
    for (const std::string_view reserved : {"client finished", "server finished"}) {
      if (text.substr(0, reserved.size()) == reserved || reserved.substr(0, text.size()) == text) return true;
    }
    return false;
  }
};

/// What CKM_TLS_MAC signs and verifies: the hash of the handshake (RFC 5246, 7.4.9).
class TlsMac final : public Mechanism {
 public:
  explicit TlsMac(CK_MECHANISM_TYPE type) : Mechanism(type, {1, longest_secret, CKF_SIGN | CKF_VERIFY}) {}

  Result<SignPtr> sign(const KeyRef& ref, Parameter parameter) const override;
  Result<VerifyPtr> verify(const KeyRef& ref, Parameter parameter) const override;
};

class FinishedSigning final : public SignOperation {
 public:
  FinishedSigning(KeyPtr key, Hash hash, std::string_view label, std::size_t size)
      : key_(std::move(key)), hash_(hash), label_(label), size_(size) {}

  std::size_t size() const noexcept override { return size_; }
  Result<std::size_t> single(ByteView data, MutableBytes signature) override {
    CARDEA_TRY(update(data));
    return finish(signature);
  }
  Status update(ByteView data) override {
    if (data.size() > longest_seed - collected_.size()) return Code::data_length;
    collected_.insert(collected_.end(), data.begin(), data.end());
    return {};
  }
  Result<std::size_t> finish(MutableBytes signature) override {
    const auto& key = static_cast<const SecretKey&>(*key_);
    CARDEA_ASSIGN(const SecretBytes mac, crypto::tls_prf(hash_, key.value(), view_of(label_), collected_, size_));
    std::copy(mac.view().begin(), mac.view().end(), signature.begin());
    return size_;
  }

 private:
  KeyPtr key_;
  Hash hash_;
  std::string_view label_;
  std::size_t size_;
  Bytes collected_;
};

Result<SignPtr> TlsMac::sign(const KeyRef& ref, Parameter parameter) const {
  constexpr CK_ULONG least_size = 12;  // RFC 5246, 7.4.9
  constexpr CK_ULONG most_size = 64;
  CARDEA_ASSIGN(const CK_TLS_MAC_PARAMS* const given, parameter.as<CK_TLS_MAC_PARAMS>());
  CARDEA_ASSIGN(const Hash hash, prf_hash(given->prfHashMechanism, true));
  const bool server = given->ulServerOrClient == 1;
  if ((!server && given->ulServerOrClient != 2) || given->ulMacLength < least_size || given->ulMacLength > most_size ||
      (hash == Hash::none && given->ulMacLength != least_size)) {
    return Code::mechanism_param_invalid;
  }
  CARDEA_TRY(secret_key(ref, {CKK_GENERIC_SECRET}));
  return SignPtr(std::make_unique<FinishedSigning>(ref.key, hash, server ? "server finished" : "client finished",
                                                   given->ulMacLength));
}

Result<VerifyPtr> TlsMac::verify(const KeyRef& ref, Parameter parameter) const {
  CARDEA_ASSIGN(SignPtr signing, sign(ref, parameter));
  return verify_by_signing(std::move(signing));
}

}  // namespace

void register_tls12(MechanismRegistry& registry) {
  registry.emplace<MasterKeyDerivation>(CKM_TLS12_MASTER_KEY_DERIVE, false, false);
  registry.emplace<MasterKeyDerivation>(CKM_TLS12_MASTER_KEY_DERIVE_DH, false, true);
  registry.emplace<MasterKeyDerivation>(CKM_TLS12_EXTENDED_MASTER_KEY_DERIVE, true, false);
  registry.emplace<MasterKeyDerivation>(CKM_TLS12_EXTENDED_MASTER_KEY_DERIVE_DH, true, true);
  registry.emplace<KeyAndMacDerivation>(false);
  registry.emplace<KeyAndMacDerivation>(true);
  registry.emplace<TlsKdf>(CKM_TLS_KDF);
  registry.emplace<TlsKdf>(CKM_TLS12_KDF);
  registry.emplace<TlsMac>(CKM_TLS_MAC);
  registry.emplace<TlsMac>(CKM_TLS12_MAC);
}

}  // namespace cardea
