#include "fuzz/arguments.h"

namespace cardea::fuzz {

namespace {

constexpr CK_MECHANISM_TYPE hashes[]{CKM_SHA_1,       CKM_SHA224,   CKM_SHA256,   CKM_SHA384,      CKM_SHA512,
                                     CKM_SHA3_224,    CKM_SHA3_256, CKM_SHA3_512, CKM_BLAKE2B_256, CKM_BLAKE2B_512,
                                     CKM_SHA256_HMAC, CKM_AES_CMAC, CKM_RSA_PKCS, CKM_SHA512_256};

// One structure of each kind with any content. Memory behind pointers is exactly as long as the structure says.
class Parameters {
 public:
  Parameters(Input& input, Memory& memory, const Handles& handles)
      : input_(input), memory_(memory), handles_(handles) {}

  using Builder = Span (Parameters::*)();

  Span plain() { return span(input_, memory_, 40); }
  Span none() { return {nullptr, 0}; }
  Span number() { return finished(input_.number()); }

  Span oaep() {
    const Span source = any();
    return finished(CK_RSA_PKCS_OAEP_PARAMS{hash(), input_.up_to(10), input_.up_to(2), source.data, source.size});
  }
  Span pss() { return finished(CK_RSA_PKCS_PSS_PARAMS{hash(), input_.up_to(10), input_.number()}); }
  Span ecdh() {
    const Span shared = any(), point = span(input_, memory_, 140);
    return finished(CK_ECDH1_DERIVE_PARAMS{input_.up_to(16), shared.size, shared.data, point.size, point.data});
  }
  Span ecdh_wrap() {
    const Span shared = any();
    return finished(CK_ECDH_AES_KEY_WRAP_PARAMS{input_.number(), input_.up_to(16), shared.size, shared.data});
  }
  Span rsa_aes_wrap() {
    const Span source = any();
    auto* const inner =
        memory_.copy(CK_RSA_PKCS_OAEP_PARAMS{hash(), input_.up_to(10), input_.up_to(2), source.data, source.size});
    return finished(CK_RSA_AES_KEY_WRAP_PARAMS{input_.number(), input_.rarely() ? nullptr : inner});
  }
  Span cbc_data() {
    CK_AES_CBC_ENCRYPT_DATA_PARAMS parameters{};
    const Span data = any();
    parameters.pData = data.data;
    parameters.length = data.size;
    return finished(parameters);
  }
  Span string_data() {
    const Span data = any();
    return finished(CK_KEY_DERIVATION_STRING_DATA{data.data, data.size});
  }
  Span pbkdf2() {
    const Span salt = any(), prf = span(input_, memory_, 8), password = any();
    return finished(CK_PKCS5_PBKD2_PARAMS2{input_.up_to(2), salt.data, salt.size, iterations(), input_.up_to(10),
                                           prf.data, prf.size, password.data, password.size});
  }
  Span pbkdf2_old() {
    const Span salt = any(), prf = span(input_, memory_, 8), password = any();
    CK_ULONG* const size = memory_.copy(password.size);
    return finished(CK_PKCS5_PBKD2_PARAMS{input_.up_to(2), salt.data, salt.size, iterations(), input_.up_to(10),
                                          prf.data, prf.size, password.data, input_.rarely() ? nullptr : size});
  }
  Span ctr() { return finished(CK_AES_CTR_PARAMS{input_.number(), {}}); }
  Span gcm() {
    const Span nonce = any(), data = any();
    return finished(CK_GCM_PARAMS{nonce.data, nonce.size, input_.number(), data.data, data.size, 8 * input_.up_to(17)});
  }
  Span gcm_message() {
    const Span nonce = any(), tag = span(input_, memory_, 16);
    return finished(
        CK_GCM_MESSAGE_PARAMS{nonce.data, nonce.size, input_.number(), input_.up_to(5), tag.data, tag.size * 8});
  }
  Span gcm_wrap() {
    const Span nonce = any(), data = any();
    return finished(CK_GCM_WRAP_PARAMS{nonce.data, nonce.size, input_.number(), input_.up_to(5), data.data, data.size,
                                       8 * input_.up_to(17)});
  }
  Span ccm() {
    const Span nonce = any(), data = any();
    return finished(CK_CCM_PARAMS{input_.number(), nonce.data, nonce.size, data.data, data.size, input_.up_to(18)});
  }
  Span ccm_message() {
    const Span nonce = any(), tag = span(input_, memory_, 16);
    return finished(CK_CCM_MESSAGE_PARAMS{input_.number(), nonce.data, nonce.size, input_.number(), input_.up_to(5),
                                          tag.data, tag.size});
  }
  Span ccm_wrap() {
    const Span nonce = any(), data = any();
    return finished(CK_CCM_WRAP_PARAMS{input_.number(), nonce.data, nonce.size, input_.number(), input_.up_to(5),
                                       data.data, data.size, input_.up_to(18)});
  }
  Span tls_master() { return finished(CK_TLS12_MASTER_KEY_DERIVE_PARAMS{randoms(), version(), hash()}); }
  Span tls_extended() {
    const Span session = any();
    return finished(CK_TLS12_EXTENDED_MASTER_KEY_DERIVE_PARAMS{hash(), session.data, session.size, version()});
  }
  Span tls_keys() {
    CK_TLS12_KEY_MAT_PARAMS parameters{};
    parameters.ulMacSizeInBits = bits();
    parameters.ulKeySizeInBits = bits();
    parameters.ulIVSizeInBits = 8 * input_.up_to(16);
    parameters.bIsExport = static_cast<CK_BBOOL>(input_.up_to(2));
    parameters.RandomInfo = randoms();
    // The caller owes room for the IVs it asks for (PKCS#11 3.2, 6.40.3).
    CK_SSL3_KEY_MAT_OUT out{};
    out.pIVClient = input_.rarely() ? nullptr : memory_.zeros(parameters.ulIVSizeInBits / 8);
    out.pIVServer = input_.rarely() ? nullptr : memory_.zeros(parameters.ulIVSizeInBits / 8);
    parameters.pReturnedKeyMaterial = input_.rarely() ? nullptr : memory_.copy(out);
    parameters.prfHashMechanism = hash();
    return finished(parameters);
  }
  Span tls_kdf() {
    const Span label = any(), context = any();
    return finished(CK_TLS_KDF_PARAMS{hash(), label.data, label.size, randoms(), context.data, context.size});
  }
  Span tls_mac() { return finished(CK_TLS_MAC_PARAMS{hash(), input_.number(), input_.up_to(3)}); }
  Span counter_kdf() {
    CK_SP800_108_KDF_PARAMS parameters{};
    parameters.prfType = prf();
    parameters.pDataParams = data_parameters(parameters.ulNumberOfDataParams);
    parameters.pAdditionalDerivedKeys = derived_keys(parameters.ulAdditionalDerivedKeys);
    return finished(parameters);
  }
  Span feedback_kdf() {
    CK_SP800_108_FEEDBACK_KDF_PARAMS parameters{};
    parameters.prfType = prf();
    parameters.pDataParams = data_parameters(parameters.ulNumberOfDataParams);
    const Span start = any();
    parameters.ulIVLen = start.size;
    parameters.pIV = start.data;
    parameters.pAdditionalDerivedKeys = derived_keys(parameters.ulAdditionalDerivedKeys);
    return finished(parameters);
  }
  Span eddsa() {
    const Span context = any();
    return finished(CK_EDDSA_PARAMS{static_cast<CK_BBOOL>(input_.up_to(2)), context.size, context.data});
  }
  // The caller owes as many bytes behind these pointers as the bits say (PKCS#11 3.2, 6.27.5).
  Span chacha() {
    const CK_ULONG counter_bits = 32 * input_.up_to(3), nonce_bits = 32 * input_.up_to(7);
    return finished(CK_CHACHA20_PARAMS{input_.rarely() ? nullptr : memory_.zeros(counter_bits / 8), counter_bits,
                                       input_.rarely() ? nullptr : memory_.zeros(nonce_bits / 8), nonce_bits});
  }
  Span poly() {
    const Span nonce = any(), data = any();
    return finished(CK_SALSA20_CHACHA20_POLY1305_PARAMS{nonce.data, nonce.size, data.data, data.size});
  }
  Span poly_message() {
    const Span nonce = any();
    return finished(
        CK_SALSA20_CHACHA20_POLY1305_MSG_PARAMS{nonce.data, nonce.size, input_.rarely() ? nullptr : memory_.zeros(16)});
  }
  Span hkdf() {
    const Span salt = any(), info = any();
    return finished(CK_HKDF_PARAMS{static_cast<CK_BBOOL>(input_.up_to(2)), static_cast<CK_BBOOL>(input_.up_to(2)),
                                   hash(), input_.up_to(5), salt.data, salt.size, handle(), info.data, info.size});
  }
  Span context() {
    const Span text = any();
    return finished(CK_SIGN_ADDITIONAL_CONTEXT{input_.up_to(4), text.data, text.size});
  }
  Span hash_context() {
    const Span text = any();
    return finished(CK_HASH_SIGN_ADDITIONAL_CONTEXT{input_.up_to(4), text.data, text.size, hash()});
  }
  Span other_handle() { return finished(handle()); }

 private:
  template <class T>
  Span finished(const T& value) {
    return {reinterpret_cast<CK_BYTE*>(memory_.copy(value)), sizeof(T)};
  }
  Span any() { return span(input_, memory_, 64); }
  CK_MECHANISM_TYPE hash() { return input_.rarely() ? input_.number() : input_.one_of(hashes); }
  CK_MECHANISM_TYPE prf() { return hash(); }
  CK_ULONG bits() { return input_.rarely() ? input_.number() : 8 * input_.up_to(64); }
  CK_ULONG iterations() { return input_.rarely() ? 0 : input_.up_to(50); }
  CK_OBJECT_HANDLE handle() { return handles_.empty() || input_.rarely() ? input_.number() : input_.one_of(handles_); }
  CK_VERSION* version() { return input_.rarely() ? nullptr : memory_.copy(CK_VERSION{3, 3}); }
  CK_SSL3_RANDOM_DATA randoms() {
    const Span client = any(), server = any();
    return {client.data, client.size, server.data, server.size};
  }
  CK_PRF_DATA_PARAM* data_parameters(CK_ULONG& count) {
    std::vector<CK_PRF_DATA_PARAM> list;
    for (count = input_.up_to(5); list.size() < count;) {
      const CK_ULONG type = input_.up_to(6);
      Span value{};
      if (type == CK_SP800_108_DKM_LENGTH) {
        value = finished(
            CK_SP800_108_DKM_LENGTH_FORMAT{input_.up_to(3), static_cast<CK_BBOOL>(input_.up_to(2)), input_.number()});
      } else if (type == CK_SP800_108_ITERATION_VARIABLE || type == CK_SP800_108_COUNTER) {
        value = finished(CK_SP800_108_COUNTER_FORMAT{static_cast<CK_BBOOL>(input_.up_to(2)), input_.number()});
      } else {
        value = any();
      }
      if (input_.rarely()) value = {nullptr, 0};
      list.push_back({type, value.data, value.size});
    }
    return memory_.array(list);
  }
  CK_DERIVED_KEY* derived_keys(CK_ULONG& count) {
    std::vector<CK_DERIVED_KEY> list;
    for (count = input_.chance() ? 0 : input_.up_to(3); list.size() < count;) {
      const Template wanted = make_template(input_, memory_, CKO_SECRET_KEY, CKK_GENERIC_SECRET);
      list.push_back({wanted.list, wanted.count, input_.rarely() ? nullptr : memory_.copy(CK_OBJECT_HANDLE{0})});
    }
    return memory_.array(list);
  }

  Input& input_;
  Memory& memory_;
  const Handles& handles_;
};

using P = Parameters;
constexpr P::Builder all_builders[]{
    &P::plain,        &P::none,         &P::number,       &P::oaep,        &P::pss,        &P::ecdh,
    &P::ecdh_wrap,    &P::cbc_data,     &P::pbkdf2,       &P::ctr,         &P::gcm,        &P::gcm_message,
    &P::gcm_wrap,     &P::ccm,          &P::ccm_wrap,     &P::tls_keys,    &P::tls_kdf,    &P::tls_mac,
    &P::counter_kdf,  &P::feedback_kdf, &P::eddsa,        &P::chacha,      &P::poly,       &P::hkdf,
    &P::context,      &P::hash_context, &P::other_handle, &P::string_data, &P::tls_master, &P::tls_extended,
    &P::rsa_aes_wrap, &P::pbkdf2_old,   &P::ccm_message,  &P::poly_message};

// The structure that each mechanism takes; the rest takes an initialisation vector or nothing.
P::Builder builder_for(CK_MECHANISM_TYPE type) {
  switch (type) {
    case CKM_RSA_PKCS_OAEP:
      return &P::oaep;
    case CKM_ECDH1_DERIVE:
    case CKM_ECDH1_COFACTOR_DERIVE:
      return &P::ecdh;
    case CKM_ECDH_AES_KEY_WRAP:
      return &P::ecdh_wrap;
    case CKM_RSA_AES_KEY_WRAP:
      return &P::rsa_aes_wrap;
    case CKM_AES_CBC_ENCRYPT_DATA:
      return &P::cbc_data;
    case CKM_AES_ECB_ENCRYPT_DATA:
    case CKM_CONCATENATE_BASE_AND_DATA:
    case CKM_CONCATENATE_DATA_AND_BASE:
    case CKM_XOR_BASE_AND_DATA:
      return &P::string_data;
    case CKM_CONCATENATE_BASE_AND_KEY:
      return &P::other_handle;
    case CKM_PKCS5_PBKD2:
      return &P::pbkdf2;
    case CKM_AES_CTR:
      return &P::ctr;
    case CKM_AES_GCM:
      return &P::gcm;
    case CKM_AES_CCM:
      return &P::ccm;
    case CKM_TLS12_MASTER_KEY_DERIVE:
    case CKM_TLS12_MASTER_KEY_DERIVE_DH:
      return &P::tls_master;
    case CKM_TLS12_EXTENDED_MASTER_KEY_DERIVE:
    case CKM_TLS12_EXTENDED_MASTER_KEY_DERIVE_DH:
      return &P::tls_extended;
    case CKM_TLS12_KEY_AND_MAC_DERIVE:
    case CKM_TLS12_KEY_SAFE_DERIVE:
      return &P::tls_keys;
    case CKM_TLS12_KDF:
    case CKM_TLS_KDF:
      return &P::tls_kdf;
    case CKM_TLS_MAC:
    case CKM_TLS12_MAC:
      return &P::tls_mac;
    case CKM_SP800_108_COUNTER_KDF:
    case CKM_SP800_108_DOUBLE_PIPELINE_KDF:
      return &P::counter_kdf;
    case CKM_SP800_108_FEEDBACK_KDF:
      return &P::feedback_kdf;
    case CKM_EDDSA:
      return &P::eddsa;
    case CKM_CHACHA20:
      return &P::chacha;
    case CKM_CHACHA20_POLY1305:
      return &P::poly;
    case CKM_HKDF_DERIVE:
    case CKM_HKDF_DATA:
      return &P::hkdf;
    case CKM_ML_DSA:
    case CKM_SLH_DSA:
      return &P::context;
    case CKM_HASH_ML_DSA:
    case CKM_HASH_SLH_DSA:
      return &P::hash_context;
    case CKM_RSA_PKCS_PSS:
    case CKM_SHA1_RSA_PKCS_PSS:
    case CKM_SHA224_RSA_PKCS_PSS:
    case CKM_SHA256_RSA_PKCS_PSS:
    case CKM_SHA384_RSA_PKCS_PSS:
    case CKM_SHA512_RSA_PKCS_PSS:
      return &P::pss;
    default:
      return &P::plain;
  }
}

// A structure under a foreign mechanism is read as another one where the sizes agree, and then its pointers are not
// pointers. Only sizes that no structure of ours shares with this mechanism's own are safe to mix.
Span foreign(Input& input, Parameters& parameters, CK_ULONG own_size) {
  const Span other = (parameters.*input.one_of(all_builders))();
  constexpr CK_ULONG plain_most = 40;
  if (other.size == own_size || other.size <= plain_most) return {nullptr, 0};
  return other;
}

}  // namespace

CK_MECHANISM make_mechanism(Input& input, Memory& memory, CK_MECHANISM_TYPE type, const Handles& handles) {
  Parameters parameters(input, memory, handles);
  const P::Builder own = builder_for(type);
  Span parameter = (parameters.*own)();
  if (own == &P::plain) {
    if (input.chance()) parameter = {memory.zeros(16), 16};
    if (input.rarely(4)) parameter = parameters.none();
    if (input.rarely(4)) parameter = parameters.number();
  } else if (type == CKM_AES_GCM && input.chance()) {
    parameter = parameters.gcm_wrap();
  } else if (type == CKM_AES_CCM && input.chance()) {
    parameter = parameters.ccm_wrap();
  } else if (type == CKM_PKCS5_PBKD2 && input.rarely(4)) {
    parameter = parameters.pbkdf2_old();
  } else if (type != CKM_AES_GCM && type != CKM_AES_CCM && type != CKM_PKCS5_PBKD2 && input.rarely()) {
    parameter = foreign(input, parameters, parameter.size);
  }
  return {type, parameter.data, parameter.size};
}

Span make_message_parameter(Input& input, Memory& memory, CK_MECHANISM_TYPE type) {
  Parameters parameters(input, memory, {});
  if (type == CKM_AES_GCM) return parameters.gcm_message();
  if (type == CKM_AES_CCM) return parameters.ccm_message();
  if (type == CKM_CHACHA20_POLY1305) return parameters.poly_message();
  return parameters.none();
}

}  // namespace cardea::fuzz
