// Known-good keys, parameters and inputs for every mechanism the checks know (recipes.def).
#pragma once

#include <map>
#include <tuple>

#include "conformance/check.h"

namespace cardea::conformance {

enum class KeyKind {
  none,
  aes,
  aes_xts,
  chacha20,
  generic,
  generic48,
  rsa,
  ec,
  edwards,
  montgomery,
  ml_dsa,
  slh_dsa,
  ml_kem
};
enum class ParameterKind {
  none,
  iv16,
  counter,
  gcm,
  ccm,
  gmac,
  mac_length,
  chacha20,
  chacha20_poly1305,
  tls_mac,
  oaep,
  rsa_aes_wrap,
  pss,
  hash_pqc,
  pbkdf2,
  ecdh,
  ecdh_aes_wrap,
  derivation_string,
  cbc_encrypt_data,
  other_key,
  extract_bit,
  hkdf,
  sp800_counter,
  sp800_feedback,
  sp800_pipeline,
  tls_master,
  tls_master_dh,
  tls_extended,
  tls_extended_dh,
  tls_key_block,
  tls_kdf
};

struct Recipe {
  CK_MECHANISM_TYPE type;
  KeyKind key;
  ParameterKind parameter;
  std::size_t input;  ///< bytes of data; for derivations the length of the derived key
  bool multi_part;
};

/// Null when the checks do not know the mechanism.
const Recipe* find_recipe(CK_MECHANISM_TYPE type);

/// Both halves of a pair; a secret key stands in both.
struct KeyPair {
  CK_OBJECT_HANDLE encryptor = CK_INVALID_HANDLE;  ///< public half: encrypts, verifies, wraps, encapsulates
  CK_OBJECT_HANDLE decryptor = CK_INVALID_HANDLE;  ///< private half: decrypts, signs, unwraps, derives, decapsulates
};

/// Session keys made on demand, each with the usage one check needs and no other.
class KeyRing {
 public:
  KeyRing(Context& context, const p11::Session& session) : context_(context), session_(session) {}

  /// `usage` are CKF_ flags (CKF_SIGN | CKF_VERIFY …); `size` bytes of a secret key, 0 for the kind's usual size.
  KeyPair key(KeyKind kind, CK_FLAGS usage, std::size_t size = 0);
  const p11::Session& session() const { return session_; }
  Context& context() { return context_; }

 private:
  KeyPair make_pair(KeyKind kind, CK_FLAGS usage);
  KeyPair make_secret(KeyKind kind, CK_FLAGS usage, std::size_t size);

  Context& context_;
  const p11::Session& session_;
  std::map<std::tuple<KeyKind, CK_FLAGS, std::size_t>, KeyPair> made_;
};

/// Usage attributes of CKF_ flags.
void add_usage(p11::Template& attributes, CK_FLAGS usage);
/// The template of the public half that makes a pair of this kind, and the mechanism that does.
p11::Template pair_template(KeyKind kind);
CK_MECHANISM_TYPE pair_mechanism(KeyKind kind);
/// Key type of secret keys of this kind.
CK_KEY_TYPE secret_key_type(KeyKind kind);
bool is_pair(KeyKind kind);

/// `size` bytes that differ from place to place; the first is 0, so that they are below any RSA modulus of that size.
p11::Bytes sample_data(std::size_t size);

/// Parameters that live as long as this object. `length` is that of the data where a parameter carries it (CCM).
class Parameters {
 public:
  Parameters(const Recipe& recipe, KeyRing& ring, std::size_t length);
  p11::Mechanism mechanism() const { return mechanism_; }
  Parameters(const Parameters&) = delete;
  Parameters& operator=(const Parameters&) = delete;

 private:
  void set_symmetric(const Recipe& recipe, std::size_t length);
  void set_rsa(const Recipe& recipe);
  void set_derivation(const Recipe& recipe, KeyRing& ring);
  void set_tls(const Recipe& recipe);
  template <typename Parameter>
  void set(const Parameter& parameter) {
    mechanism_ = p11::Mechanism(mechanism_.type(), parameter);
  }

  p11::Mechanism mechanism_;
  p11::Bytes buffer_[4];
  CK_VERSION version_{3, 3};
  CK_RSA_PKCS_OAEP_PARAMS oaep_{};
  CK_SP800_108_COUNTER_FORMAT counter_{};
  CK_SP800_108_DKM_LENGTH_FORMAT dkm_{};
  CK_PRF_DATA_PARAM prf_data_[4]{};
  CK_SSL3_KEY_MAT_OUT key_block_{};
};

}  // namespace cardea::conformance
