// What real clients send, so that a change of the attribute rules cannot break one unnoticed. Most templates are those
// that CARDEA_TRACE shows of the client named; pkcs11-provider's, Java's session keys and TLS derivation, and NSS's
// import of EC keys are written from those clients' sources and documentation.
#include "contract/counterpart/openssl.h"
#include "contract/fixture.h"
#include "cryptoki/nss.h"

namespace {

using namespace cardea::p11;

struct Clients : UserFixture {
  /// A key of known bytes that may leave, as clients have one in a file before they import it.
  Pair from_file(CK_MECHANISM_TYPE type, const Template& public_half) const {
    return pair(type, public_half, Template().boolean(CKA_SENSITIVE, false).boolean(CKA_EXTRACTABLE, true));
  }
  Pair rsa_from_file() const {
    return from_file(CKM_RSA_PKCS_KEY_PAIR_GEN,
                     Template().ulong(CKA_MODULUS_BITS, 2048).bytes(CKA_PUBLIC_EXPONENT, {1, 0, 1}));
  }
  Pair ec_from_file() const { return from_file(CKM_EC_KEY_PAIR_GEN, Template().bytes(CKA_EC_PARAMS, p256())); }

  /// Of a key that is on the token under the first CKA_ID: cards keep a certificate beside its key.
  Bytes certificate_of_token_key() const {
    const Template name = Template().boolean(CKA_TOKEN, true).bytes(CKA_ID, kind->key_id(1));
    const Pair made = pair(CKM_EC_KEY_PAIR_GEN, Template(name).bytes(CKA_EC_PARAMS, p256()), name);
    const auto key = cardea::counterpart::read_public(s.get(made.public_key, CKA_PUBLIC_KEY_INFO).bytes);
    return cardea::counterpart::certificate(key);
  }

  void signs(CK_MECHANISM_TYPE type, CK_OBJECT_HANDLE private_key, CK_OBJECT_HANDLE public_key) const {
    const Bytes data = counted(32);
    const Output signature = s.sign(Mechanism(type), private_key, data);
    CONTRACT_RV(signature.rv, CKR_OK);
    CONTRACT_RV(s.verify(Mechanism(type), public_key, data, signature.bytes), CKR_OK);
  }
  void decrypts(CK_OBJECT_HANDLE public_key, CK_OBJECT_HANDLE private_key) const {
    const Mechanism rsa(CKM_RSA_PKCS);
    const Bytes secret = s.encrypt(rsa, public_key, counted(32)).bytes;
    BOOST_TEST(s.decrypt(rsa, private_key, secret).bytes == counted(32));
  }
  /// The other side's point, as ECDH takes it.
  Bytes peer_point() const {
    return s.get(ec(CKM_EC_KEY_PAIR_GEN, p256(), {}, {CKA_DERIVE}).public_key, CKA_EC_POINT).bytes;
  }
  CK_RV ecdh(CK_OBJECT_HANDLE key, const Template& attributes, CK_OBJECT_HANDLE& derived) const {
    Bytes point = peer_point();
    const CK_ECDH1_DERIVE_PARAMS parameter{CKD_NULL, 0, nullptr, point.size(), point.data()};
    return s.derive(Mechanism(CKM_ECDH1_DERIVE, parameter), key, attributes, derived);
  }
};

Template named(Template attributes, std::string_view label, const Bytes& id) {
  return attributes.text(CKA_LABEL, label).bytes(CKA_ID, id);
}

Template uses(Template attributes, std::initializer_list<CK_ATTRIBUTE_TYPE> granted,
              std::initializer_list<CK_ATTRIBUTE_TYPE> denied = {}) {
  for (const CK_ATTRIBUTE_TYPE use : granted) attributes.boolean(use, true);
  for (const CK_ATTRIBUTE_TYPE use : denied) attributes.boolean(use, false);
  return attributes;
}

/// The private half as pkcs11-tool, NSS and p11tool write it.
Template closed_private_half() {
  return Template().boolean(CKA_TOKEN, true).boolean(CKA_PRIVATE, true).boolean(CKA_SENSITIVE, true);
}

}  // namespace

BOOST_FIXTURE_TEST_SUITE(clients, Clients)

BOOST_AUTO_TEST_CASE(pkcs11_tool_generates_pairs) {
  const auto common = [](CK_OBJECT_CLASS object_class, CK_KEY_TYPE type, bool is_private) {
    return object_template(object_class, true).ulong(CKA_KEY_TYPE, type).boolean(CKA_PRIVATE, is_private);
  };
  const Template rsa_public =
      uses(common(CKO_PUBLIC_KEY, CKK_RSA, false).ulong(CKA_MODULUS_BITS, 2048).bytes(CKA_PUBLIC_EXPONENT, {1, 0, 1}),
           {CKA_VERIFY, CKA_ENCRYPT});
  const Template rsa_private =
      uses(common(CKO_PRIVATE_KEY, CKK_RSA, true).boolean(CKA_SENSITIVE, true), {CKA_SIGN, CKA_DECRYPT});
  const Pair rsa_pair = pair(CKM_RSA_PKCS_KEY_PAIR_GEN, named(rsa_public, "rsa", kind->key_id(1)),
                             named(rsa_private, "rsa", kind->key_id(1)));
  signs(CKM_SHA256_RSA_PKCS, rsa_pair.private_key, rsa_pair.public_key);
  decrypts(rsa_pair.public_key, rsa_pair.private_key);
  const Template ec_public =
      uses(common(CKO_PUBLIC_KEY, CKK_EC, false).bytes(CKA_EC_PARAMS, p256()), {CKA_VERIFY, CKA_DERIVE});
  const Template ec_private =
      uses(common(CKO_PRIVATE_KEY, CKK_EC, true).boolean(CKA_SENSITIVE, true), {CKA_SIGN, CKA_DERIVE});
  const Pair ec_pair =
      pair(CKM_EC_KEY_PAIR_GEN, named(ec_public, "ec", kind->key_id(2)), named(ec_private, "ec", kind->key_id(2)));
  signs(CKM_ECDSA, ec_pair.private_key, ec_pair.public_key);
}

BOOST_AUTO_TEST_CASE(pkcs11_tool_writes_a_certificate) {
  const Bytes der = certificate_of_token_key();
  const CK_OBJECT_HANDLE certificate = created(named(object_template(CKO_CERTIFICATE, true)
                                                         .bytes(CKA_VALUE, der)
                                                         .ulong(CKA_CERTIFICATE_TYPE, CKC_X_509)
                                                         .boolean(CKA_PRIVATE, false)
                                                         .bytes(CKA_SUBJECT, counted(38))
                                                         .bytes(CKA_ISSUER, counted(44))
                                                         .bytes(CKA_SERIAL_NUMBER, counted(10)),
                                                     "rsa", kind->key_id(1)));
  BOOST_TEST(s.get(certificate, CKA_VALUE).bytes == der);
}

BOOST_AUTO_TEST_CASE(p11tool_generates_pairs_without_saying_all_uses) {
  const Pair rsa_pair =
      pair(CKM_RSA_PKCS_KEY_PAIR_GEN,
           named(uses(Template()
                          .boolean(CKA_TOKEN, true)
                          .boolean(CKA_PRIVATE, false)
                          .ulong(CKA_MODULUS_BITS, 2048)
                          .bytes(CKA_PUBLIC_EXPONENT, {1, 0, 1}),
                      {CKA_ENCRYPT, CKA_VERIFY}),
                 "rsa-gnutls", kind->key_id(1)),
           named(uses(closed_private_half(), {CKA_DECRYPT, CKA_SIGN}), "rsa-gnutls", kind->key_id(1)));
  signs(CKM_SHA256_RSA_PKCS, rsa_pair.private_key, rsa_pair.public_key);
  decrypts(rsa_pair.public_key, rsa_pair.private_key);
  const Pair ec_pair =
      pair(CKM_EC_KEY_PAIR_GEN,
           named(uses(Template().boolean(CKA_TOKEN, true).boolean(CKA_PRIVATE, false).bytes(CKA_EC_PARAMS, p256()),
                      {CKA_VERIFY}),
                 "from-gnutls", kind->key_id(2)),
           named(uses(closed_private_half(), {CKA_SIGN}), "from-gnutls", kind->key_id(2)));
  signs(CKM_ECDSA, ec_pair.private_key, ec_pair.public_key);
}

BOOST_AUTO_TEST_CASE(nss_certutil_generates_pairs_and_renames_them) {
  const Pair rsa_pair =
      pair(CKM_RSA_PKCS_KEY_PAIR_GEN,
           uses(Template().ulong(CKA_MODULUS_BITS, 2048).bytes(CKA_PUBLIC_EXPONENT, {1, 0, 1}).boolean(CKA_TOKEN, true),
                {CKA_WRAP, CKA_VERIFY, CKA_VERIFY_RECOVER, CKA_ENCRYPT}, {CKA_DERIVE}),
           uses(closed_private_half(), {CKA_UNWRAP, CKA_SIGN, CKA_DECRYPT}, {CKA_DERIVE}));
  signs(CKM_SHA256_RSA_PKCS, rsa_pair.private_key, rsa_pair.public_key);
  decrypts(rsa_pair.public_key, rsa_pair.private_key);
  const Pair ec_pair = pair(CKM_EC_KEY_PAIR_GEN,
                            uses(Template().bytes(CKA_EC_PARAMS, p256()).boolean(CKA_TOKEN, true),
                                 {CKA_DERIVE, CKA_VERIFY}, {CKA_WRAP, CKA_VERIFY_RECOVER, CKA_ENCRYPT}),
                            uses(closed_private_half(), {CKA_DERIVE, CKA_SIGN}, {CKA_UNWRAP, CKA_DECRYPT}));
  signs(CKM_ECDSA, ec_pair.private_key, ec_pair.public_key);
  for (const CK_OBJECT_HANDLE half : {ec_pair.public_key, ec_pair.private_key}) {
    CONTRACT_RV(s.set(half, Template().bytes(CKA_ID, counted(20))), kind->renames() ? CKR_OK : CKR_ACTION_PROHIBITED);
  }
}

BOOST_AUTO_TEST_CASE(nss_pk12util_imports_a_key_and_its_public_half, *precondition(keeps_any_object)) {
  const Pair file = rsa_from_file();
  Bytes password = bytes_of("secret"), salt = counted(16);
  const CK_PKCS5_PBKD2_PARAMS2 pbkdf2{
      CKZ_SALT_SPECIFIED, salt.data(),    salt.size(), 2048, CKP_PKCS5_PBKD2_HMAC_SHA256, nullptr, 0,
      password.data(),    password.size()};
  CK_OBJECT_HANDLE pbe = 0, imported = 0;
  CONTRACT_OK(s.generate(Mechanism(CKM_PKCS5_PBKD2, pbkdf2),
                         uses(Template().ulong(CKA_VALUE_LEN, 32).ulong(CKA_KEY_TYPE, CKK_AES),
                              {CKA_ENCRYPT, CKA_DECRYPT, CKA_SIGN, CKA_WRAP, CKA_UNWRAP}),
                         pbe));
  const Mechanism cbc_pad(CKM_AES_CBC_PAD, counted(16));
  const Output pkcs8 = s.wrap(cbc_pad, pbe, file.private_key);
  CONTRACT_RV(pkcs8.rv, CKR_OK);
  CONTRACT_RV(s.unwrap(cbc_pad, pbe, pkcs8.bytes,
                       named(uses(object_template(CKO_PRIVATE_KEY, true)
                                      .ulong(CKA_KEY_TYPE, CKK_RSA)
                                      .boolean(CKA_PRIVATE, true)
                                      .boolean(CKA_SENSITIVE, true),
                                  {CKA_UNWRAP, CKA_DECRYPT, CKA_SIGN, CKA_SIGN_RECOVER}),
                             "imported", counted(20)),
                       imported),
              CKR_OK);
  signs(CKM_SHA256_RSA_PKCS, imported, file.public_key);
  const CK_OBJECT_HANDLE public_half = created(uses(object_template(CKO_PUBLIC_KEY, true)
                                                        .ulong(CKA_KEY_TYPE, CKK_RSA)
                                                        .bytes(CKA_ID, counted(20))
                                                        .bytes(CKA_MODULUS, s.get(file.public_key, CKA_MODULUS).bytes)
                                                        .bytes(CKA_PUBLIC_EXPONENT, {1, 0, 1}),
                                                    {CKA_WRAP, CKA_ENCRYPT, CKA_VERIFY}));
  decrypts(public_half, imported);
  CONTRACT_RV(s.set(imported, named(Template(), "imported", counted(20)).bytes(CKA_SUBJECT, counted(24))), CKR_OK);
}

BOOST_AUTO_TEST_CASE(nss_imports_an_ec_key_with_its_point) {
  const Pair file = ec_from_file();
  const CK_OBJECT_HANDLE imported = created(uses(object_template(CKO_PRIVATE_KEY, true)
                                                     .ulong(CKA_KEY_TYPE, CKK_EC)
                                                     .boolean(CKA_PRIVATE, true)
                                                     .boolean(CKA_SENSITIVE, true)
                                                     .bytes(CKA_ID, kind->key_id(1))
                                                     .bytes(CKA_EC_PARAMS, p256())
                                                     .bytes(CKA_EC_POINT, s.get(file.public_key, CKA_EC_POINT).bytes)
                                                     .bytes(CKA_VALUE, s.get(file.private_key, CKA_VALUE).bytes),
                                                 {CKA_SIGN, CKA_DERIVE}));
  signs(CKM_ECDSA, imported, file.public_key);
}

BOOST_AUTO_TEST_CASE(nss_server_copies_its_key_with_no_template) {
  const Pair both =
      pair(CKM_RSA_PKCS_KEY_PAIR_GEN, Template().ulong(CKA_MODULUS_BITS, 2048).bytes(CKA_PUBLIC_EXPONENT, {1, 0, 1}),
           closed_private_half());
  CK_OBJECT_HANDLE copy = 0;
  const CK_RV copied = module->C_CopyObject(s, both.private_key, nullptr, 0, &copy);
  if (!kind->copies_keys()) {  // no private key comes twice; NSS goes on with the one it has
    CONTRACT_RV(copied, CKR_ACTION_PROHIBITED);
    return;
  }
  CONTRACT_RV(copied, CKR_OK);
  signs(CKM_SHA256_RSA_PKCS, copy, both.public_key);
}

BOOST_AUTO_TEST_CASE(nss_opens_mail) {
  const Pair both = rsa({CKA_ENCRYPT, CKA_WRAP}, {CKA_DECRYPT, CKA_UNWRAP});
  const Mechanism rsa_pkcs(CKM_RSA_PKCS);
  const Bytes wrapped = s.encrypt(rsa_pkcs, both.public_key, counted(16)).bytes;
  CK_OBJECT_HANDLE key = 0;
  CONTRACT_RV(
      s.unwrap(rsa_pkcs, both.private_key, wrapped,
               uses(Template().ulong(CKA_CLASS, CKO_SECRET_KEY).ulong(CKA_KEY_TYPE, CKK_AES), {CKA_DECRYPT}), key),
      CKR_OK);
  const CK_OBJECT_HANDLE known = created(aes_template({CKA_ENCRYPT}));
  const Mechanism cbc(CKM_AES_CBC_PAD, counted(16));
  BOOST_TEST(s.decrypt(cbc, key, s.encrypt(cbc, known, counted(50)).bytes).bytes == counted(50));
}

BOOST_AUTO_TEST_CASE(nss_decrypts_with_a_key_that_it_unwrapped_to_unwrap) {
  const CK_OBJECT_HANDLE kek = created(aes_template({CKA_ENCRYPT, CKA_UNWRAP}));
  const Bytes wrapped = s.encrypt(Mechanism(CKM_AES_KEY_WRAP), kek, counted(16)).bytes;
  const auto unwrapped = [&](CK_MECHANISM_TYPE type) {
    CK_OBJECT_HANDLE key = 0;
    const Template wanted = Template().ulong(CKA_CLASS, CKO_SECRET_KEY).ulong(CKA_KEY_TYPE, CKK_AES);
    CONTRACT_RV(s.unwrap(Mechanism(type), kek, wrapped, uses(wanted, {CKA_UNWRAP}), key), CKR_OK);
    return key;
  };
  const CK_OBJECT_HANDLE key = unwrapped(cardea::CKM_NSS_AES_KEY_WRAP);
  BOOST_TEST(s.flag(key, CKA_DECRYPT));
  BOOST_TEST(!s.flag(key, CKA_WRAP));
  BOOST_TEST(!s.flag(unwrapped(CKM_AES_KEY_WRAP), CKA_DECRYPT));
}

BOOST_AUTO_TEST_CASE(nss_looks_for_its_own_classes_and_finds_nothing) {
  constexpr CK_OBJECT_CLASS nss_class = CKO_VENDOR_DEFINED | 0x4e534353;
  created(data_template("there", on_token()));
  BOOST_TEST(s.find(Template().ulong(CKA_CLASS, nss_class)).empty());
  BOOST_TEST(
      s.find(object_template(nss_class, true).bytes(CKA_ISSUER, counted(44)).bytes(CKA_SERIAL_NUMBER, {2, 1})).empty());
  BOOST_TEST(
      s.find(Template().ulong(CKA_CLASS, nss_class).bytes(CKA_VENDOR_DEFINED | 0x4e5363b4, counted(20))).empty());
}

BOOST_AUTO_TEST_CASE(java_generates_derives_and_reads_back) {
  const auto compatible = [](CK_OBJECT_CLASS object_class) {
    return Template()
        .boolean(CKA_TOKEN, false)
        .boolean(CKA_SENSITIVE, false)
        .boolean(CKA_EXTRACTABLE, true)
        .ulong(CKA_CLASS, object_class);
  };
  const CK_OBJECT_HANDLE aes = generated(CKM_AES_KEY_GEN, uses(compatible(CKO_SECRET_KEY).ulong(CKA_VALUE_LEN, 32),
                                                               {CKA_ENCRYPT, CKA_DECRYPT, CKA_WRAP, CKA_UNWRAP}));
  BOOST_TEST(s.get(aes, CKA_VALUE).bytes.size() == 32u);
  const Pair both = ec(CKM_EC_KEY_PAIR_GEN, p256(), {}, {CKA_DERIVE});
  CK_OBJECT_HANDLE shared = 0;
  CONTRACT_RV(
      ecdh(both.private_key,
           uses(compatible(CKO_SECRET_KEY).ulong(CKA_KEY_TYPE, CKK_GENERIC_SECRET), {CKA_SIGN, CKA_VERIFY, CKA_DERIVE}),
           shared),
      CKR_OK);
  BOOST_TEST(s.get(shared, CKA_VALUE).bytes.size() == 32u);
}

BOOST_AUTO_TEST_CASE(java_brings_public_keys_as_session_objects) {
  const Pair rsa_pair = rsa({}, {CKA_SIGN}), ec_pair = ec(CKM_EC_KEY_PAIR_GEN, p256(), {}, {CKA_SIGN});
  const CK_OBJECT_HANDLE rsa_key =
      created(Template()
                  .ulong(CKA_CLASS, CKO_PUBLIC_KEY)
                  .ulong(CKA_KEY_TYPE, CKK_RSA)
                  .bytes(CKA_MODULUS, s.get(rsa_pair.public_key, CKA_MODULUS).bytes)
                  .bytes(CKA_PUBLIC_EXPONENT, s.get(rsa_pair.public_key, CKA_PUBLIC_EXPONENT).bytes));
  signs(CKM_SHA256_RSA_PKCS, rsa_pair.private_key, rsa_key);
  const Bytes point = s.get(ec_pair.public_key, CKA_EC_POINT).bytes;
  const Template ec_key =
      Template().ulong(CKA_CLASS, CKO_PUBLIC_KEY).ulong(CKA_KEY_TYPE, CKK_EC).bytes(CKA_EC_PARAMS, p256());
  signs(CKM_ECDSA, ec_pair.private_key, created(Template(ec_key).bytes(CKA_EC_POINT, point)));
  // With useEcX963Encoding the point comes without its OCTET STRING.
  signs(CKM_ECDSA, ec_pair.private_key,
        created(Template(ec_key).bytes(CKA_EC_POINT, Bytes(point.begin() + 2, point.end()))));
}

BOOST_AUTO_TEST_CASE(java_makes_a_tls_12_session) {
  if (!has(CKM_TLS12_MASTER_KEY_DERIVE_DH, CKF_DERIVE) || !has(CKM_TLS12_KEY_AND_MAC_DERIVE, CKF_DERIVE)) {
    BOOST_TEST_MESSAGE("SKIPPED: the token has no TLS 1.2 derivations");
    return;
  }
  const CK_OBJECT_HANDLE premaster = created(generic_template(counted(48), {CKA_DERIVE}));
  Bytes client = counted(32), server = counted(32, 9), iv_client(4), iv_server(4);
  const CK_SSL3_RANDOM_DATA randoms{client.data(), 32, server.data(), 32};
  CK_OBJECT_HANDLE master = 0;
  const Template attributes = Template().ulong(CKA_CLASS, CKO_SECRET_KEY).ulong(CKA_KEY_TYPE, CKK_GENERIC_SECRET);
  const CK_TLS12_MASTER_KEY_DERIVE_PARAMS master_parameter{randoms, nullptr, CKM_SHA256};
  CONTRACT_OK(s.derive(Mechanism(CKM_TLS12_MASTER_KEY_DERIVE_DH, master_parameter), premaster, attributes, master));
  BOOST_TEST(s.number(master, CKA_VALUE_LEN) == 48u);
  CK_SSL3_KEY_MAT_OUT made{};
  made.pIVClient = iv_client.data();
  made.pIVServer = iv_server.data();
  const CK_TLS12_KEY_MAT_PARAMS block{256, 128, 32, CK_FALSE, randoms, &made, CKM_SHA256};
  Mechanism mechanism(CKM_TLS12_KEY_AND_MAC_DERIVE, block);
  Template keys = Template().ulong(CKA_CLASS, CKO_SECRET_KEY).ulong(CKA_KEY_TYPE, CKK_AES).ulong(CKA_VALUE_LEN, 16);
  CONTRACT_RV(module->C_DeriveKey(s, mechanism, master, keys.data(), keys.size(), nullptr), CKR_OK);
  for (const CK_OBJECT_HANDLE key : {made.hClientKey, made.hServerKey}) {
    BOOST_TEST(s.number(key, CKA_VALUE_LEN) == 16u);
    CONTRACT_RV(s.encrypt(Mechanism(CKM_AES_ECB), key, counted(16)).rv, CKR_OK);
  }
  for (const CK_OBJECT_HANDLE key : {made.hClientMacSecret, made.hServerMacSecret}) {
    CONTRACT_RV(s.sign(Mechanism(CKM_SHA256_HMAC), key, counted(16)).rv, CKR_OK);
  }
  BOOST_TEST((iv_client != Bytes(4) && iv_client != iv_server));
}

BOOST_AUTO_TEST_CASE(java_stores_a_certificate_and_names_its_key) {
  const Bytes der = certificate_of_token_key();
  const Bytes id = kind->is_card() ? kind->key_id(1) : bytes_of("spare");
  const CK_OBJECT_HANDLE certificate = created(object_template(CKO_CERTIFICATE, true)
                                                   .ulong(CKA_CERTIFICATE_TYPE, CKC_X_509)
                                                   .bytes(CKA_SUBJECT, counted(40))
                                                   .bytes(CKA_ISSUER, counted(44))
                                                   .bytes(CKA_SERIAL_NUMBER, counted(8))
                                                   .bytes(CKA_VALUE, der)
                                                   .text(CKA_LABEL, "spare")
                                                   .bytes(CKA_ID, id));
  BOOST_TEST(s.get(certificate, CKA_ID).bytes == id);
  const Pair both = ec(CKM_EC_KEY_PAIR_GEN, p256(), {CKA_VERIFY}, {CKA_SIGN});
  CONTRACT_RV(s.set(both.private_key, Template().text(CKA_ID, "spare")), CKR_OK);
}

BOOST_AUTO_TEST_CASE(openssl_engine_agrees_on_a_key_that_it_reads) {
  const Pair both = ec(CKM_EC_KEY_PAIR_GEN, p256(), {}, {CKA_DERIVE});
  CK_OBJECT_HANDLE shared = 0;
  CONTRACT_RV(ecdh(both.private_key,
                   uses(object_template(CKO_SECRET_KEY)
                            .ulong(CKA_KEY_TYPE, CKK_GENERIC_SECRET)
                            .ulong(CKA_VALUE_LEN, 32)
                            .boolean(CKA_SENSITIVE, false)
                            .boolean(CKA_EXTRACTABLE, true),
                        {CKA_ENCRYPT, CKA_DECRYPT}),
                   shared),
              CKR_OK);
  BOOST_TEST(s.get(shared, CKA_VALUE).bytes.size() == 32u);
}

BOOST_AUTO_TEST_CASE(pkcs11_provider_derives_tls_13_secrets_by_hkdf) {
  // As its source writes the templates: it runs with OpenSSL 3 only where it is installed.
  const CK_OBJECT_HANDLE secret = created(object_template(CKO_SECRET_KEY)
                                              .ulong(CKA_KEY_TYPE, CKK_GENERIC_SECRET)
                                              .boolean(CKA_DERIVE, true)
                                              .bytes(CKA_VALUE, counted(32)));
  Bytes salt = counted(32, 3), info = counted(10, 5);
  const CK_HKDF_PARAMS hkdf{CK_TRUE, CK_TRUE,           CKM_SHA256,  CKF_HKDF_SALT_DATA, salt.data(),
                            32,      CK_INVALID_HANDLE, info.data(), info.size()};
  CK_OBJECT_HANDLE data = 0, key = 0;
  CONTRACT_OK(
      s.derive(Mechanism(CKM_HKDF_DATA, hkdf), secret, object_template(CKO_DATA).ulong(CKA_VALUE_LEN, 42), data));
  CONTRACT_OK(s.derive(Mechanism(CKM_HKDF_DERIVE, hkdf), secret,
                       object_template(CKO_SECRET_KEY)
                           .ulong(CKA_KEY_TYPE, CKK_GENERIC_SECRET)
                           .ulong(CKA_VALUE_LEN, 42)
                           .boolean(CKA_SENSITIVE, false)
                           .boolean(CKA_EXTRACTABLE, true),
                       key));
  BOOST_TEST(s.get(data, CKA_VALUE).bytes.size() == 42u);
  BOOST_TEST(s.get(data, CKA_VALUE).bytes == s.get(key, CKA_VALUE).bytes);
}

BOOST_AUTO_TEST_SUITE_END()
