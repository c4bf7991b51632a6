// Signatures over whole messages (EdDSA, ML-DSA, SLH-DSA) and key encapsulation of AsymmetricKey.
#include <openssl/core_names.h>
#include <openssl/params.h>

#include <array>

#include "crypto/asymmetric_key.h"
#include "crypto/eddsa_variants.h"
#include "crypto/library.h"

namespace cardea::crypto {
namespace {

// Parameters that came after OpenSSL 3.0 have no names in its headers.
constexpr const char* parameter_instance = "instance";
constexpr const char* parameter_context = "context-string";
constexpr const char* parameter_deterministic = "deterministic";
constexpr const char* parameter_message_encoding = "message-encoding";

constexpr std::size_t longest_context = 255;

// M' of HashML-DSA (FIPS 204, algorithm 4) and HashSLH-DSA (FIPS 205, algorithm 23):
// 1, length of the context, context, the hash's identifier, digest.
Result<Bytes> prehash_message(const MessageScheme& scheme, ByteView digest) {
  const Byte arc = hash_nist_arc(scheme.hash);
  if (arc == 0) return Code::mechanism_param_invalid;
  if (digest.size() != hash_size(scheme.hash)) return Code::data_length;
  const std::array<Byte, 11> oid{0x06, 0x09, 0x60, 0x86, 0x48, 0x01, 0x65, 0x03, 0x04, 0x02, arc};
  Bytes message{1, static_cast<Byte>(scheme.context.size())};
  message.insert(message.end(), scheme.context.begin(), scheme.context.end());
  message.insert(message.end(), oid.begin(), oid.end());
  message.insert(message.end(), digest.begin(), digest.end());
  return message;
}

// The message itself, or M' of the digest that it is, kept in `encoded`.
Result<ByteView> what_is_signed(const MessageScheme& scheme, ByteView message, Bytes& encoded) {
  if (scheme.hash == Hash::none) return message;
  CARDEA_ASSIGN(encoded, prehash_message(scheme, message));
  return ByteView(encoded);
}

const char* eddsa_instance(KeyAlgorithm algorithm, const MessageScheme& scheme) noexcept {
  if (algorithm == KeyAlgorithm::ed448) return scheme.prehash ? "Ed448ph" : "Ed448";
  if (scheme.prehash) return "Ed25519ph";
  return scheme.with_context ? "Ed25519ctx" : "Ed25519";
}

// The parameters that select a variant; `numbers` keeps what they point to.
struct Variant {
  int deterministic = 1;
  int raw_encoding = 0;
  std::array<OSSL_PARAM, 4> parameters{};
  std::size_t count = 0;

  void add(const OSSL_PARAM& parameter) { parameters[count++] = parameter; }
};

/// Whether this is EdDSA in another form than Ed25519 or Ed448 with an empty context.
bool is_eddsa_variant(KeyAlgorithm algorithm, const MessageScheme& scheme) noexcept {
  const bool plain = !scheme.prehash && !scheme.with_context && scheme.context.empty();
  return facts_of(algorithm).family == KeyFamily::edwards && !plain;
}

bool openssl_has_eddsa_variants() {
  static const bool known = [] {
    EVP_SIGNATURE* const ed25519 = EVP_SIGNATURE_fetch(context(), "ED25519", nullptr);
    const OSSL_PARAM* const settable = ed25519 != nullptr ? EVP_SIGNATURE_settable_ctx_params(ed25519) : nullptr;
    const bool found = settable != nullptr && OSSL_PARAM_locate_const(settable, parameter_instance) != nullptr;
    EVP_SIGNATURE_free(ed25519);
    return found;
  }();
  return known;
}

Status check(KeyAlgorithm algorithm, const MessageScheme& scheme) {
  if (scheme.context.size() > longest_context) return Code::mechanism_param_invalid;
  if (!is_eddsa_variant(algorithm, scheme)) return {};
  if (!has_eddsa_variants()) return Code::mechanism_param_invalid;
  // RFC 8032, 8.3 wants a context that is not empty there; OpenSSL insists.
  if (algorithm == KeyAlgorithm::ed25519 && !scheme.prehash && scheme.context.empty())
    return Code::mechanism_param_invalid;
  return {};
}

void choose(KeyAlgorithm algorithm, const MessageScheme& scheme, Variant& variant) {
  const bool edwards = facts_of(algorithm).family == KeyFamily::edwards;
  if (is_eddsa_variant(algorithm, scheme))
    variant.add(
        OSSL_PARAM_construct_utf8_string(parameter_instance, const_cast<char*>(eddsa_instance(algorithm, scheme)), 0));
  if (!edwards && scheme.deterministic)
    variant.add(OSSL_PARAM_construct_int(parameter_deterministic, &variant.deterministic));
  if (!edwards && scheme.hash != Hash::none)
    variant.add(OSSL_PARAM_construct_int(parameter_message_encoding, &variant.raw_encoding));
  else if (!scheme.context.empty())
    variant.add(OSSL_PARAM_construct_octet_string(parameter_context, const_cast<Byte*>(scheme.context.data()),
                                                  scheme.context.size()));
  variant.parameters[variant.count] = OSSL_PARAM_construct_end();
}

}  // namespace

bool has_eddsa_variants() {
  return openssl_has_eddsa_variants() || eddsa_variants::available();
}

Result<std::size_t> AsymmetricKey::sign_message(const MessageScheme& scheme, ByteView message, MutableBytes out) const {
  CARDEA_TRY(check(algorithm_, scheme));
  if (is_eddsa_variant(algorithm_, scheme) && !openssl_has_eddsa_variants()) {
    CARDEA_ASSIGN(const SecretBytes secret, private_value());
    CARDEA_ASSIGN(const Bytes point, public_value());
    return eddsa_variants::sign({algorithm_, scheme.prehash, scheme.context}, secret, point, message, out);
  }
  Variant variant;
  choose(algorithm_, scheme, variant);
  Bytes encoded;
  CARDEA_ASSIGN(message, what_is_signed(scheme, message, encoded));
  const DigestContextPtr context(EVP_MD_CTX_new());
  if (!context || EVP_DigestSignInit_ex(context.get(), nullptr, nullptr, crypto::context(), nullptr, key_.get(),
                                        variant.parameters.data()) != 1)
    return openssl_error(Code::mechanism_param_invalid);
  std::size_t size = out.size();
  if (EVP_DigestSign(context.get(), out.data(), &size, message.data(), message.size()) != 1)
    return openssl_error(Code::internal);
  return size;
}

Status AsymmetricKey::verify_message(const MessageScheme& scheme, ByteView message, ByteView signature) const {
  CARDEA_TRY(check(algorithm_, scheme));
  if (signature.size() != output_size_) return Code::signature_length;
  if (is_eddsa_variant(algorithm_, scheme) && !openssl_has_eddsa_variants()) {
    CARDEA_ASSIGN(const Bytes point, public_value());
    return eddsa_variants::verify({algorithm_, scheme.prehash, scheme.context}, point, message, signature);
  }
  Variant variant;
  choose(algorithm_, scheme, variant);
  Bytes encoded;
  CARDEA_ASSIGN(message, what_is_signed(scheme, message, encoded));
  const DigestContextPtr context(EVP_MD_CTX_new());
  if (!context || EVP_DigestVerifyInit_ex(context.get(), nullptr, nullptr, crypto::context(), nullptr, key_.get(),
                                          variant.parameters.data()) != 1)
    return openssl_error(Code::mechanism_param_invalid);
  if (EVP_DigestVerify(context.get(), signature.data(), signature.size(), message.data(), message.size()) == 1)
    return {};
  return openssl_error(Code::signature_invalid);
}

Result<Encapsulation> AsymmetricKey::encapsulate() const {
  const PkeyContextPtr context(EVP_PKEY_CTX_new_from_pkey(crypto::context(), key_.get(), nullptr));
  std::size_t ciphertext_size = 0;
  std::size_t secret_size = 0;
  if (!context || EVP_PKEY_encapsulate_init(context.get(), nullptr) != 1 ||
      EVP_PKEY_encapsulate(context.get(), nullptr, &ciphertext_size, nullptr, &secret_size) != 1)
    return openssl_error(Code::internal);
  Encapsulation made{Bytes(ciphertext_size), SecretBytes(secret_size)};
  if (EVP_PKEY_encapsulate(context.get(), made.ciphertext.data(), &ciphertext_size, made.shared_secret.data(),
                           &secret_size) != 1)
    return openssl_error(Code::internal);
  return made;
}

Result<std::size_t> AsymmetricKey::decapsulate(ByteView ciphertext, MutableBytes out) const {
  if (ciphertext.size() != output_size_) return Code::encrypted_data_length;
  const PkeyContextPtr context(EVP_PKEY_CTX_new_from_pkey(crypto::context(), key_.get(), nullptr));
  std::size_t size = out.size();
  if (!context || EVP_PKEY_decapsulate_init(context.get(), nullptr) != 1 ||
      EVP_PKEY_decapsulate(context.get(), out.data(), &size, ciphertext.data(), ciphertext.size()) != 1)
    return openssl_error(Code::internal);
  return size;
}

}  // namespace cardea::crypto
