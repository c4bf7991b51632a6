#include "conformance/recipe.h"

namespace cardea::conformance {
namespace {

struct HashNames {
  CK_MECHANISM_TYPE mechanism;
  CK_MECHANISM_TYPE hash;
  CK_RSA_PKCS_MGF_TYPE mgf;
  CK_ULONG size;
};
constexpr HashNames pss_hashes[] = {{CKM_SHA1_RSA_PKCS_PSS, CKM_SHA_1, CKG_MGF1_SHA1, 20},
                                    {CKM_SHA224_RSA_PKCS_PSS, CKM_SHA224, CKG_MGF1_SHA224, 28},
                                    {CKM_SHA256_RSA_PKCS_PSS, CKM_SHA256, CKG_MGF1_SHA256, 32},
                                    {CKM_SHA384_RSA_PKCS_PSS, CKM_SHA384, CKG_MGF1_SHA384, 48},
                                    {CKM_SHA512_RSA_PKCS_PSS, CKM_SHA512, CKG_MGF1_SHA512, 64},
                                    {CKM_SHA3_224_RSA_PKCS_PSS, CKM_SHA3_224, CKG_MGF1_SHA3_224, 28},
                                    {CKM_SHA3_256_RSA_PKCS_PSS, CKM_SHA3_256, CKG_MGF1_SHA3_256, 32},
                                    {CKM_SHA3_384_RSA_PKCS_PSS, CKM_SHA3_384, CKG_MGF1_SHA3_384, 48},
                                    {CKM_SHA3_512_RSA_PKCS_PSS, CKM_SHA3_512, CKG_MGF1_SHA3_512, 64}};

HashNames pss_hash(CK_MECHANISM_TYPE type) {
  for (const HashNames& row : pss_hashes) {
    if (row.mechanism == type) return row;
  }
  return {type, CKM_SHA256, CKG_MGF1_SHA256, 32};
}

}  // namespace

Parameters::Parameters(const Recipe& recipe, KeyRing& ring, std::size_t length)
    : mechanism_(recipe.type), buffer_{sample_data(16), sample_data(13), sample_data(32), sample_data(32)} {
  if (recipe.parameter == ParameterKind::none) return;
  if (recipe.parameter <= ParameterKind::tls_mac) {
    set_symmetric(recipe, length);
  } else if (recipe.parameter <= ParameterKind::hash_pqc) {
    set_rsa(recipe);
  } else if (recipe.parameter >= ParameterKind::tls_master) {
    set_tls(recipe);
  } else {
    set_derivation(recipe, ring);
  }
}

void Parameters::set_symmetric(const Recipe& recipe, std::size_t length) {
  p11::Bytes& iv = buffer_[0];
  p11::Bytes& aad = buffer_[1];
  switch (recipe.parameter) {
    case ParameterKind::iv16:
      mechanism_ = p11::Mechanism(recipe.type, iv);
      break;
    case ParameterKind::counter: {
      CK_AES_CTR_PARAMS counter{128, {}};
      std::memcpy(counter.cb, iv.data(), sizeof(counter.cb));
      set(counter);
      break;
    }
    case ParameterKind::gcm:
      set(CK_GCM_PARAMS{iv.data(), 12, 96, aad.data(), aad.size(), 128});
      break;
    case ParameterKind::gmac:
      set(CK_GCM_PARAMS{iv.data(), 12, 96, nullptr, 0, 128});
      break;
    case ParameterKind::ccm:
      set(CK_CCM_PARAMS{length, iv.data(), 12, aad.data(), aad.size(), 16});
      break;
    case ParameterKind::mac_length:
      set(CK_MAC_GENERAL_PARAMS{8});
      break;
    case ParameterKind::chacha20:
      set(CK_CHACHA20_PARAMS{buffer_[2].data(), 32, iv.data(), 96});
      break;
    case ParameterKind::chacha20_poly1305:
      set(CK_SALSA20_CHACHA20_POLY1305_PARAMS{iv.data(), 96, aad.data(), aad.size()});
      break;
    default:
      set(CK_TLS_MAC_PARAMS{CKM_SHA256, 12, 1});
      break;
  }
}

void Parameters::set_rsa(const Recipe& recipe) {
  oaep_ = {CKM_SHA_1, CKG_MGF1_SHA1, CKZ_DATA_SPECIFIED, nullptr, 0};
  if (recipe.parameter == ParameterKind::oaep) return set(oaep_);
  if (recipe.parameter == ParameterKind::rsa_aes_wrap) return set(CK_RSA_AES_KEY_WRAP_PARAMS{256, &oaep_});
  if (recipe.parameter == ParameterKind::hash_pqc) {
    return set(CK_HASH_SIGN_ADDITIONAL_CONTEXT{CKH_HEDGE_PREFERRED, nullptr, 0, CKM_SHA256});
  }
  const HashNames names = pss_hash(recipe.type);
  set(CK_RSA_PKCS_PSS_PARAMS{names.hash, names.mgf, names.size});
}

void Parameters::set_derivation(const Recipe& recipe, KeyRing& ring) {
  p11::Bytes& data = buffer_[2];
  counter_ = {CK_FALSE, 32};
  dkm_ = {CK_SP800_108_DKM_LENGTH_SUM_OF_KEYS, CK_FALSE, 32};
  prf_data_[0] = {CK_SP800_108_ITERATION_VARIABLE, &counter_, sizeof(counter_)};
  prf_data_[1] = {CK_SP800_108_BYTE_ARRAY, data.data(), data.size()};
  prf_data_[2] = {CK_SP800_108_DKM_LENGTH, &dkm_, sizeof(dkm_)};
  switch (recipe.parameter) {
    case ParameterKind::pbkdf2: {
      p11::Bytes& password = buffer_[3];
      set(CK_PKCS5_PBKD2_PARAMS2{CKZ_SALT_SPECIFIED, data.data(), data.size(), 1000, CKP_PKCS5_PBKD2_HMAC_SHA256,
                                 nullptr, 0, password.data(), password.size()});
      break;
    }
    case ParameterKind::ecdh: {
      const KeyPair peer = ring.key(recipe.key, CKF_DERIVE, 1);  // another pair than the one that derives
      data = ring.session().get(peer.encryptor, CKA_EC_POINT).bytes;
      set(CK_ECDH1_DERIVE_PARAMS{CKD_NULL, 0, nullptr, data.size(), data.data()});
      break;
    }
    case ParameterKind::ecdh_aes_wrap:
      set(CK_ECDH_AES_KEY_WRAP_PARAMS{256, CKD_SHA256_KDF, data.size(), data.data()});
      break;
    case ParameterKind::derivation_string:
      set(CK_KEY_DERIVATION_STRING_DATA{data.data(), recipe.key == KeyKind::aes ? CK_ULONG{16} : data.size()});
      break;
    case ParameterKind::cbc_encrypt_data: {
      CK_AES_CBC_ENCRYPT_DATA_PARAMS parameter{{}, data.data(), data.size()};
      set(parameter);
      break;
    }
    case ParameterKind::other_key:
      set(CK_OBJECT_HANDLE{ring.key(KeyKind::generic, CKF_DERIVE, 32).decryptor});
      break;
    case ParameterKind::extract_bit:
      set(CK_EXTRACT_PARAMS{8});
      break;
    case ParameterKind::hkdf: {
      CK_HKDF_PARAMS hkdf{CK_TRUE,     CK_TRUE, CKM_SHA256,        CKF_HKDF_SALT_DATA, data.data(),
                          data.size(), 0,       buffer_[1].data(), buffer_[1].size()};
      set(hkdf);
      break;
    }
    case ParameterKind::sp800_counter:
      set(CK_SP800_108_KDF_PARAMS{CKM_SHA256_HMAC, 3, prf_data_, 0, nullptr});
      break;
    case ParameterKind::sp800_feedback:
      prf_data_[0] = {CK_SP800_108_ITERATION_VARIABLE, nullptr, 0};
      set(CK_SP800_108_FEEDBACK_KDF_PARAMS{CKM_SHA256_HMAC, 3, prf_data_, 0, nullptr, 0, nullptr});
      break;
    default:
      prf_data_[0] = {CK_SP800_108_ITERATION_VARIABLE, nullptr, 0};
      set(CK_SP800_108_KDF_PARAMS{CKM_SHA256_HMAC, 3, prf_data_, 0, nullptr});
      break;
  }
}

void Parameters::set_tls(const Recipe& recipe) {
  p11::Bytes& client = buffer_[2];
  p11::Bytes& server = buffer_[3];
  const CK_SSL3_RANDOM_DATA randoms{client.data(), client.size(), server.data(), server.size()};
  switch (recipe.parameter) {
    case ParameterKind::tls_master:
      set(CK_TLS12_MASTER_KEY_DERIVE_PARAMS{randoms, &version_, CKM_SHA256});
      break;
    case ParameterKind::tls_master_dh:
      set(CK_TLS12_MASTER_KEY_DERIVE_PARAMS{randoms, nullptr, CKM_SHA256});
      break;
    case ParameterKind::tls_extended:
      set(CK_TLS12_EXTENDED_MASTER_KEY_DERIVE_PARAMS{CKM_SHA256, client.data(), client.size(), &version_});
      break;
    case ParameterKind::tls_extended_dh:
      set(CK_TLS12_EXTENDED_MASTER_KEY_DERIVE_PARAMS{CKM_SHA256, client.data(), client.size(), nullptr});
      break;
    case ParameterKind::tls_key_block:
      key_block_ = {0, 0, 0, 0, buffer_[0].data(), buffer_[1].data()};
      set(CK_TLS12_KEY_MAT_PARAMS{256, 128, 32, CK_FALSE, randoms, &key_block_, CKM_SHA256});
      break;
    default: {
      static constexpr char label[] = "EXPORTER-conformance";
      buffer_[0] = p11::bytes_of(label);
      set(CK_TLS_KDF_PARAMS{CKM_SHA256, buffer_[0].data(), buffer_[0].size(), randoms, nullptr, 0});
      break;
    }
  }
}

}  // namespace cardea::conformance
