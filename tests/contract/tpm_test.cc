// What only virtual cards in a TPM do: keys that are born in it, PINs that it counts, and its coming and going.
#include <sys/wait.h>

#include "contract/fixture.h"
#include "contract/tpm_kind.h"

namespace {

using namespace cardea::p11;

struct VirtualCard : Fixture {
  TpmKind& card() const { return dynamic_cast<TpmKind&>(*kind); }

  Pair generate(const Session& s, CK_MECHANISM_TYPE type, const Template& public_half) const {
    Pair out;
    CONTRACT_OK(s.generate_pair(Mechanism(type), Template(public_half).boolean(CKA_TOKEN, true),
                                Template().boolean(CKA_TOKEN, true).text(CKA_LABEL, "born here"), out.public_key,
                                out.private_key));
    return out;
  }
  Pair rsa(const Session& s) const {
    return generate(s, CKM_RSA_PKCS_KEY_PAIR_GEN, Template().ulong(CKA_MODULUS_BITS, 2048));
  }
  Pair ec(const Session& s, const Bytes& curve = p256()) const {
    return generate(s, CKM_EC_KEY_PAIR_GEN, Template().bytes(CKA_EC_PARAMS, curve));
  }
  static Bytes p384() { return from_hex("06052b81040022"); }
  static Bytes message() { return bytes_of("a message"); }

  void check_signs(const Session& s, const Mechanism& mechanism, const Pair& pair, const Bytes& data) const {
    const Output signature = s.sign(mechanism, pair.private_key, data);
    CONTRACT_RV(signature.rv, CKR_OK);
    CONTRACT_RV(s.verify(mechanism, pair.public_key, data, signature.bytes), CKR_OK);
  }
  CK_FLAGS flags() const {
    CK_TOKEN_INFO info{};
    CONTRACT_OK(module->C_GetTokenInfo(slot, &info));
    return info.flags;
  }
};

Mechanism pss(CK_MECHANISM_TYPE type, CK_MECHANISM_TYPE hash, CK_RSA_PKCS_MGF_TYPE mgf, CK_ULONG salt) {
  const CK_RSA_PKCS_PSS_PARAMS parameters{hash, mgf, salt};
  return Mechanism(type, parameters);
}

}  // namespace

BOOST_FIXTURE_TEST_SUITE(virtual_card, VirtualCard)

BOOST_AUTO_TEST_CASE(tokens_say_what_they_are) {
  CK_TOKEN_INFO info{};
  CONTRACT_OK(module->C_GetTokenInfo(slot, &info));
  BOOST_TEST(std::string_view(reinterpret_cast<char*>(info.model), 7) == "TPM 2.0");
  BOOST_TEST((info.flags & CKF_USER_PIN_INITIALIZED) != 0u);
  BOOST_TEST((info.flags & CKF_LOGIN_REQUIRED) != 0u);
  CK_SLOT_INFO place{};
  CONTRACT_OK(module->C_GetSlotInfo(slot, &place));
  BOOST_TEST((place.flags & CKF_HW_SLOT) != 0u);
}

BOOST_AUTO_TEST_CASE(rsa_keys_do_everything_that_applications_ask_for) {
  const auto session = user();
  const Session& s = *session;
  const Pair pair = rsa(s);
  check_signs(s, Mechanism(CKM_SHA256_RSA_PKCS), pair, message());
  check_signs(s, Mechanism(CKM_SHA512_RSA_PKCS), pair, message());
  check_signs(s, Mechanism(CKM_RSA_PKCS), pair, counted(36));
  check_signs(s, pss(CKM_SHA256_RSA_PKCS_PSS, CKM_SHA256, CKG_MGF1_SHA256, 32), pair, message());
  check_signs(s, pss(CKM_SHA256_RSA_PKCS_PSS, CKM_SHA256, CKG_MGF1_SHA256, 0), pair, message());
  check_signs(s, pss(CKM_RSA_PKCS_PSS, CKM_SHA384, CKG_MGF1_SHA384, 48), pair, counted(48));
  for (const CK_MECHANISM_TYPE type : {CKM_RSA_PKCS, CKM_RSA_PKCS_OAEP}) {
    const CK_RSA_PKCS_OAEP_PARAMS oaep{CKM_SHA256, CKG_MGF1_SHA256, CKZ_DATA_SPECIFIED, nullptr, 0};
    const Mechanism mechanism = type == CKM_RSA_PKCS ? Mechanism(type) : Mechanism(type, oaep);
    const Output ciphertext = s.encrypt(mechanism, pair.public_key, message());
    CONTRACT_RV(ciphertext.rv, CKR_OK);
    const Output back = s.decrypt(mechanism, pair.private_key, ciphertext.bytes);
    CONTRACT_RV(back.rv, CKR_OK);
    BOOST_TEST((back.bytes == message()));
  }
}

BOOST_AUTO_TEST_CASE(ec_keys_sign_and_agree) {
  const auto session = user();
  const Session& s = *session;
  for (const Bytes& curve : {p256(), p384()}) {
    const Pair pair = ec(s, curve);
    check_signs(s, Mechanism(CKM_ECDSA_SHA256), pair, message());
    check_signs(s, Mechanism(CKM_ECDSA_SHA512), pair, message());
    for (const std::size_t size : {20u, 32u, 48u, 64u}) check_signs(s, Mechanism(CKM_ECDSA), pair, counted(size));
  }
}

BOOST_AUTO_TEST_CASE(keys_are_sensitive_and_stay) {
  const auto session = user();
  const Session& s = *session;
  const Pair pair = ec(s);
  for (const CK_ATTRIBUTE_TYPE type : {CKA_SENSITIVE, CKA_ALWAYS_SENSITIVE, CKA_NEVER_EXTRACTABLE, CKA_LOCAL}) {
    BOOST_TEST((s.get(pair.private_key, type).bytes == Bytes{CK_TRUE}));
  }
  CONTRACT_RV(s.get(pair.private_key, CKA_VALUE).rv, CKR_ATTRIBUTE_SENSITIVE);
  Pair refused;
  CONTRACT_RV(
      s.generate_pair(Mechanism(CKM_EC_KEY_PAIR_GEN), Template().bytes(CKA_EC_PARAMS, p256()).boolean(CKA_TOKEN, true),
                      Template().boolean(CKA_TOKEN, true).boolean(CKA_EXTRACTABLE, true), refused.public_key,
                      refused.private_key),
      CKR_TEMPLATE_INCONSISTENT);
  CONTRACT_RV(s.generate_pair(Mechanism(CKM_EC_EDWARDS_KEY_PAIR_GEN),
                              Template().bytes(CKA_EC_PARAMS, ed25519()).boolean(CKA_TOKEN, true),
                              Template().boolean(CKA_TOKEN, true), refused.public_key, refused.private_key),
              CKR_CURVE_NOT_SUPPORTED);
}

BOOST_AUTO_TEST_CASE(what_the_tpm_lacks_is_not_listed) {
  const std::vector<CK_MECHANISM_TYPE> listed = module.mechanisms(slot);
  const auto lists = [&](CK_MECHANISM_TYPE type) { return std::ranges::find(listed, type) != listed.end(); };
  CK_MECHANISM_INFO info{};
  for (const CK_MECHANISM_TYPE type : {CKM_EDDSA, CKM_EC_EDWARDS_KEY_PAIR_GEN, CKM_EC_MONTGOMERY_KEY_PAIR_GEN,
                                       CKM_ML_DSA, CKM_ML_DSA_KEY_PAIR_GEN, CKM_SLH_DSA, CKM_ML_KEM}) {
    BOOST_TEST(!lists(type), type);
    CONTRACT_RV(module->C_GetMechanismInfo(slot, type, &info), CKR_MECHANISM_INVALID);
  }
  for (const CK_MECHANISM_TYPE type : {CKM_RSA_PKCS, CKM_RSA_PKCS_OAEP, CKM_RSA_PKCS_PSS, CKM_SHA256_RSA_PKCS_PSS,
                                       CKM_ECDSA, CKM_ECDH1_DERIVE, CKM_AES_GCM, CKM_SHA256}) {
    BOOST_TEST(lists(type), type);
  }
  // Where the listed sizes end, the TPM refuses.
  const auto session = user();
  CONTRACT_OK(module->C_GetMechanismInfo(slot, CKM_RSA_PKCS_KEY_PAIR_GEN, &info));
  BOOST_TEST(info.ulMinKeySize == 2048u);
  for (const CK_ULONG bits : {2048, 3072, 4096}) {
    Pair pair;
    const CK_RV made = session->generate_pair(Mechanism(CKM_RSA_PKCS_KEY_PAIR_GEN),
                                              Template().ulong(CKA_MODULUS_BITS, bits).boolean(CKA_TOKEN, true),
                                              Template().boolean(CKA_TOKEN, true), pair.public_key, pair.private_key);
    CONTRACT_RV(made, bits <= info.ulMaxKeySize ? CKR_OK : CKR_KEY_SIZE_RANGE);
  }
  CONTRACT_OK(module->C_GetMechanismInfo(slot, CKM_EC_KEY_PAIR_GEN, &info));
  BOOST_TEST(info.ulMinKeySize == 256u);
  BOOST_TEST(info.ulMaxKeySize <= 521u);
}

namespace {

std::string mechanism_name(CK_MECHANISM_TYPE type) {
  return cardea::constant_text(cardea::ConstantKind::CKM, type);
}

/// A card in a TPM that refuses raw RSA, and a key pair on it.
struct OddCard : VirtualCard {
  CK_SLOT_ID odd = card().make_card_without_raw_rsa(module, "odd");
  Session session{module, odd};
  Pair pair = pair_after_login();

  Pair pair_after_login() {
    CONTRACT_OK(session.login(kind->user_pin()));
    return rsa(session);
  }
  /// One salt length works, and the other is refused.
  void check_pss(CK_MECHANISM_TYPE type, CK_MECHANISM_TYPE hash, CK_RSA_PKCS_MGF_TYPE mgf, CK_ULONG size) const {
    const Bytes data = type == CKM_RSA_PKCS_PSS ? counted(size) : message();
    int signed_with = 0;
    for (const CK_ULONG salt : {size, 256 - size - 2}) {
      const Mechanism mechanism = pss(type, hash, mgf, salt);
      const Output signature = session.sign(mechanism, pair.private_key, data);
      if (signature.rv == CKR_MECHANISM_PARAM_INVALID) continue;
      CONTRACT_RV(signature.rv, CKR_OK);
      CONTRACT_RV(session.verify(mechanism, pair.public_key, data, signature.bytes), CKR_OK);
      ++signed_with;
    }
    BOOST_TEST(signed_with == 1, mechanism_name(type));
    CONTRACT_RV(session.sign(pss(type, hash, mgf, 7), pair.private_key, data).rv, CKR_MECHANISM_PARAM_INVALID);
  }
  void check_pkcs1() const {
    Bytes info = from_hex("3031300d060960864801650304020105000420");
    const Bytes digest = counted(32);
    info.insert(info.end(), digest.begin(), digest.end());
    check_signs(session, Mechanism(CKM_RSA_PKCS), pair, info);
    CONTRACT_RV(session.sign(Mechanism(CKM_RSA_PKCS), pair.private_key, counted(36)).rv, CKR_DATA_INVALID);
    const Output ciphertext = session.encrypt(Mechanism(CKM_RSA_PKCS), pair.public_key, message());
    BOOST_TEST((session.decrypt(Mechanism(CKM_RSA_PKCS), pair.private_key, ciphertext.bytes).bytes == message()));
    // A wrong padding is not told, and asking again tells nothing.
    Bytes wrong = ciphertext.bytes;
    wrong.back() ^= 1;
    const Output first = session.decrypt(Mechanism(CKM_RSA_PKCS), pair.private_key, wrong);
    CONTRACT_RV(first.rv, CKR_OK);
    BOOST_TEST((first.bytes != message()));
    BOOST_TEST((session.decrypt(Mechanism(CKM_RSA_PKCS), pair.private_key, wrong).bytes == first.bytes));
  }
  void check_oaep() const {
    CK_BYTE terminated[] = {'l', 0}, open[] = {'l'};
    const CK_RSA_PKCS_OAEP_PARAMS parameters[] = {
        {CKM_SHA256, CKG_MGF1_SHA256, CKZ_DATA_SPECIFIED, nullptr, 0},
        {CKM_SHA384, CKG_MGF1_SHA384, CKZ_DATA_SPECIFIED, terminated, sizeof(terminated)},
        {CKM_SHA256, CKG_MGF1_SHA256, CKZ_DATA_SPECIFIED, open, sizeof(open)},
        {CKM_SHA256, CKG_MGF1_SHA1, CKZ_DATA_SPECIFIED, nullptr, 0}};
    for (std::size_t i = 0; i < std::size(parameters); ++i) {
      const Mechanism mechanism(CKM_RSA_PKCS_OAEP, parameters[i]);
      const Output ciphertext = session.encrypt(mechanism, pair.public_key, message());
      CONTRACT_RV(ciphertext.rv, CKR_OK);
      const Output back = session.decrypt(mechanism, pair.private_key, ciphertext.bytes);
      CONTRACT_RV(back.rv, i < 2 ? CKR_OK : CKR_MECHANISM_PARAM_INVALID);
      if (i >= 2) continue;
      BOOST_TEST((back.bytes == message()));
      Bytes wrong = ciphertext.bytes;
      wrong.back() ^= 1;
      CONTRACT_RV(session.decrypt(mechanism, pair.private_key, wrong).rv, CKR_ENCRYPTED_DATA_INVALID);
    }
  }
  void check_aes_wrap() {
    CK_OBJECT_HANDLE aes = 0, back = 0;
    CONTRACT_OK(session.create(aes_template({CKA_ENCRYPT}).boolean(CKA_EXTRACTABLE, true), aes));
    CK_RSA_PKCS_OAEP_PARAMS oaep{CKM_SHA256, CKG_MGF1_SHA256, CKZ_DATA_SPECIFIED, nullptr, 0};
    const CK_RSA_AES_KEY_WRAP_PARAMS parameters{256, &oaep};
    const Mechanism mechanism(CKM_RSA_AES_KEY_WRAP, parameters);
    const Output wrapped = session.wrap(mechanism, pair.public_key, aes);
    CONTRACT_RV(wrapped.rv, CKR_OK);
    CONTRACT_RV(session.unwrap(mechanism, pair.private_key, wrapped.bytes,
                               object_template(CKO_SECRET_KEY)
                                   .ulong(CKA_KEY_TYPE, CKK_AES)
                                   .boolean(CKA_SENSITIVE, false)
                                   .boolean(CKA_EXTRACTABLE, true),
                               back),
                CKR_OK);
    BOOST_TEST((session.get(back, CKA_VALUE).bytes == counted(16)));
  }
};

struct RsaHash {
  CK_MECHANISM_TYPE pkcs1, pss, hash;
  CK_RSA_PKCS_MGF_TYPE mgf;
  CK_ULONG size;
};
constexpr RsaHash rsa_hashes[] = {
    {CKM_SHA1_RSA_PKCS, CKM_SHA1_RSA_PKCS_PSS, CKM_SHA_1, CKG_MGF1_SHA1, 20},
    {CKM_SHA224_RSA_PKCS, CKM_SHA224_RSA_PKCS_PSS, CKM_SHA224, CKG_MGF1_SHA224, 28},
    {CKM_SHA256_RSA_PKCS, CKM_SHA256_RSA_PKCS_PSS, CKM_SHA256, CKG_MGF1_SHA256, 32},
    {CKM_SHA384_RSA_PKCS, CKM_SHA384_RSA_PKCS_PSS, CKM_SHA384, CKG_MGF1_SHA384, 48},
    {CKM_SHA512_RSA_PKCS, CKM_SHA512_RSA_PKCS_PSS, CKM_SHA512, CKG_MGF1_SHA512, 64},
    {CKM_SHA3_224_RSA_PKCS, CKM_SHA3_224_RSA_PKCS_PSS, CKM_SHA3_224, CKG_MGF1_SHA3_224, 28},
    {CKM_SHA3_256_RSA_PKCS, CKM_SHA3_256_RSA_PKCS_PSS, CKM_SHA3_256, CKG_MGF1_SHA3_256, 32},
    {CKM_SHA3_384_RSA_PKCS, CKM_SHA3_384_RSA_PKCS_PSS, CKM_SHA3_384, CKG_MGF1_SHA3_384, 48},
    {CKM_SHA3_512_RSA_PKCS, CKM_SHA3_512_RSA_PKCS_PSS, CKM_SHA3_512, CKG_MGF1_SHA3_512, 64}};

}  // namespace

BOOST_FIXTURE_TEST_CASE(without_raw_rsa_what_is_listed_works, OddCard) {
  std::vector<CK_MECHANISM_TYPE> listed;
  for (const CK_MECHANISM_TYPE type : module.mechanisms(odd)) {
    if (mechanism_name(type).find("RSA") != std::string::npos) listed.push_back(type);
  }
  const auto take = [&](CK_MECHANISM_TYPE type) { return std::erase(listed, type) == 1; };
  BOOST_TEST(!take(CKM_RSA_X_509));
  BOOST_TEST(!take(CKM_SHA224_RSA_PKCS));
  BOOST_TEST(!take(CKM_SHA224_RSA_PKCS_PSS));
  BOOST_TEST(take(CKM_RSA_PKCS_KEY_PAIR_GEN));
  BOOST_REQUIRE(take(CKM_RSA_PKCS));
  check_pkcs1();
  BOOST_REQUIRE(take(CKM_RSA_PKCS_OAEP));
  check_oaep();
  BOOST_REQUIRE(take(CKM_RSA_AES_KEY_WRAP));
  check_aes_wrap();
  BOOST_REQUIRE(take(CKM_RSA_PKCS_PSS));
  check_pss(CKM_RSA_PKCS_PSS, CKM_SHA256, CKG_MGF1_SHA256, 32);
  for (const RsaHash& each : rsa_hashes) {
    if (take(each.pkcs1)) check_signs(session, Mechanism(each.pkcs1), pair, message());
    if (take(each.pss)) check_pss(each.pss, each.hash, each.mgf, each.size);
  }
  for (const CK_MECHANISM_TYPE type : listed) BOOST_ERROR("not tried: " + mechanism_name(type));
  // It was tried once, when the card was made.
  BOOST_TEST(card().filter().refused() == 1);
}

BOOST_AUTO_TEST_CASE(random_bytes_come_from_the_tpm) {
  const auto session = user();
  const std::size_t before = card().tpm().commands();
  Bytes first(32), second(32);
  CONTRACT_OK(module->C_GenerateRandom(*session, first.data(), first.size()));
  CONTRACT_OK(module->C_GenerateRandom(*session, second.data(), second.size()));
  BOOST_TEST((first != second));
  BOOST_TEST(card().tpm().commands() == before + 2);
  Bytes much(std::size_t{1} << 20);
  CONTRACT_OK(module->C_GenerateRandom(*session, much.data(), much.size()));
  BOOST_TEST(card().tpm().commands() <= before + 2 + 64);
}

BOOST_AUTO_TEST_CASE(certificates_and_data_are_kept) {
  {
    const auto session = user();
    CK_OBJECT_HANDLE object = 0;
    CONTRACT_OK(session->create(data_template("open", true), object));
    CONTRACT_OK(session->create(data_template("closed", true, true), object));
    CONTRACT_OK(session->set(object, Template().text(CKA_LABEL, "renamed")));
    Template aes = aes_template({CKA_ENCRYPT}, true);
    CONTRACT_RV(session->create(aes, object), CKR_TEMPLATE_INCONSISTENT);
  }
  CONTRACT_OK(module->C_Finalize(nullptr));
  CONTRACT_OK(module.initialize());
  slot = TpmKind::slot_of(module, "contract");
  const auto session = open();
  BOOST_TEST(session->find(Template().ulong(CKA_CLASS, CKO_DATA)).size() == 1u);
  CONTRACT_OK(session->login(kind->user_pin()));
  const auto found = session->find(Template().text(CKA_LABEL, "renamed"));
  BOOST_REQUIRE(found.size() == 1u);
  BOOST_TEST((session->get(found[0], CKA_VALUE).bytes == bytes_of("content of closed")));
  CONTRACT_RV(session->destroy(found[0]), CKR_OK);
}

BOOST_AUTO_TEST_CASE(the_tpm_counts_wrong_pins) {
  const auto session = open();
  CONTRACT_RV(session->login("000000"), CKR_PIN_INCORRECT);
  BOOST_TEST((flags() & CKF_USER_PIN_COUNT_LOW) != 0u);
  CONTRACT_RV(session->login("000000"), CKR_PIN_INCORRECT);
  BOOST_TEST((flags() & CKF_USER_PIN_FINAL_TRY) != 0u);
  CONTRACT_RV(session->login("000000"), CKR_PIN_INCORRECT);
  BOOST_TEST((flags() & CKF_USER_PIN_LOCKED) != 0u);
  CONTRACT_RV(session->login(kind->user_pin()), CKR_PIN_LOCKED);
  // A lock-out is for the TPM as a whole; only the administrator's key, which nobody guesses, still opens the card.
  CONTRACT_RV(session->login(TpmKind::puk(), CKU_SO), CKR_PIN_LOCKED);
  CONTRACT_RV(session->login(kind->so_pin(), CKU_SO), CKR_OK);
  CONTRACT_RV(session->logout(), CKR_OK);
  CONTRACT_RV(session->login(kind->user_pin()), CKR_OK);
}

BOOST_AUTO_TEST_CASE(a_right_pin_ends_the_count) {
  const auto session = open();
  for (int round = 0; round < 3 * kind->retry_limit(); ++round) {
    CONTRACT_RV(session->login("000000"), CKR_PIN_INCORRECT);
    CONTRACT_RV(session->login(kind->user_pin()), CKR_OK);
    CONTRACT_RV(session->logout(), CKR_OK);
  }
  BOOST_TEST((flags() & CKF_USER_PIN_COUNT_LOW) == 0u);
}

BOOST_AUTO_TEST_CASE(keys_from_elsewhere_decrypt) {
  const auto session = user();
  const Session& s = *session;
  // Made in software and taken in wrapped, as a recovered key is.
  CK_OBJECT_HANDLE transport = 0;
  CONTRACT_OK(s.generate(Mechanism(CKM_AES_KEY_GEN), aes_generation({CKA_WRAP, CKA_UNWRAP}), transport));
  Pair soft;
  CONTRACT_OK(s.generate_pair(Mechanism(CKM_RSA_PKCS_KEY_PAIR_GEN), Template().ulong(CKA_MODULUS_BITS, 2048),
                              Template().boolean(CKA_EXTRACTABLE, true).boolean(CKA_SENSITIVE, false), soft.public_key,
                              soft.private_key));
  const Output wrapped = s.wrap(Mechanism(CKM_AES_KEY_WRAP_KWP), transport, soft.private_key);
  CONTRACT_RV(wrapped.rv, CKR_OK);
  CK_OBJECT_HANDLE taken_in = 0;
  CONTRACT_OK(s.unwrap(Mechanism(CKM_AES_KEY_WRAP_KWP), transport, wrapped.bytes,
                       object_template(CKO_PRIVATE_KEY, true)
                           .ulong(CKA_KEY_TYPE, CKK_RSA)
                           .boolean(CKA_SENSITIVE, true)
                           .boolean(CKA_EXTRACTABLE, false)
                           .boolean(CKA_DECRYPT, true),
                       taken_in));
  const Output ciphertext = s.encrypt(Mechanism(CKM_RSA_PKCS), soft.public_key, message());
  CONTRACT_RV(ciphertext.rv, CKR_OK);
  BOOST_TEST((s.decrypt(Mechanism(CKM_RSA_PKCS), taken_in, ciphertext.bytes).bytes == message()));
  BOOST_TEST((s.get(taken_in, CKA_LOCAL).bytes == Bytes{CK_FALSE}));
}

BOOST_AUTO_TEST_CASE(the_officer_sets_a_pin_anew) {
  std::string former = kind->user_pin();
  for (const std::string& officer_pin : {TpmKind::puk(), kind->so_pin()}) {
    const std::string fresh = "new for " + officer_pin.substr(0, 4);
    const auto session = open();
    CONTRACT_OK(session->login(officer_pin, CKU_SO));
    Bytes pin = bytes_of(fresh);
    CONTRACT_OK(module->C_InitPIN(*session, pin.data(), pin.size()));
    CONTRACT_OK(session->logout());
    CONTRACT_RV(session->login(former), CKR_PIN_INCORRECT);
    CONTRACT_RV(session->login(fresh), CKR_OK);
    CONTRACT_OK(session->logout());
    former = fresh;
  }
}

BOOST_AUTO_TEST_CASE(pins_that_do_not_fit_are_refused) {
  const auto change = [&](const Session& s, const std::string& from, const std::string& to) {
    Bytes former = bytes_of(from), fresh = bytes_of(to);
    return module->C_SetPIN(s, former.data(), former.size(), fresh.data(), fresh.size());
  };
  CK_TOKEN_INFO info{};
  CONTRACT_OK(module->C_GetTokenInfo(slot, &info));
  {
    const auto session = user();
    CONTRACT_RV(change(*session, kind->user_pin(), std::string(info.ulMinPinLen - 1, '1')), CKR_PIN_LEN_RANGE);
    CONTRACT_RV(change(*session, kind->user_pin(), std::string(info.ulMaxPinLen + 1, '1')), CKR_PIN_LEN_RANGE);
    CONTRACT_RV(change(*session, kind->user_pin(), std::string(info.ulMinPinLen, '1')), CKR_OK);
  }
  // What has the form of the administrator's key is no PUK.
  const auto session = open();
  CONTRACT_OK(session->login(TpmKind::puk(), CKU_SO));
  CONTRACT_RV(change(*session, TpmKind::puk(), std::string(64, 'b')), CKR_PIN_INVALID);
}

BOOST_AUTO_TEST_CASE(a_mute_tpm_fails_in_time_and_comes_back_by_itself) {
  card().configure(module, card().tpm().tcti(), "timeout_seconds = 1\n");
  slot = TpmKind::slot_of(module, "contract");
  const auto session = user();
  const Session& s = *session;
  const Pair pair = ec(s);
  check_signs(s, Mechanism(CKM_ECDSA_SHA256), pair, message());
  card().tpm().mute();
  CONTRACT_RV(s.sign(Mechanism(CKM_ECDSA_SHA256), pair.private_key, message()).rv, CKR_DEVICE_ERROR);
  CONTRACT_RV(s.sign(Mechanism(CKM_ECDSA_SHA256), pair.private_key, message()).rv, CKR_DEVICE_ERROR);
  card().tpm().resume();
  check_signs(s, Mechanism(CKM_ECDSA_SHA256), pair, message());
}

BOOST_AUTO_TEST_CASE(a_tpm_that_fails_comes_back_by_itself) {
  const auto session = user();
  const Session& s = *session;
  const Pair pair = ec(s);
  check_signs(s, Mechanism(CKM_ECDSA_SHA256), pair, message());
  card().tpm().stop();
  CONTRACT_RV(s.sign(Mechanism(CKM_ECDSA_SHA256), pair.private_key, message()).rv, CKR_DEVICE_ERROR);
  card().tpm().start();
  check_signs(s, Mechanism(CKM_ECDSA_SHA256), pair, message());
}

BOOST_AUTO_TEST_CASE(a_cleared_tpm_spares_other_tokens) {
  {
    const auto session = user();
    ec(*session);
  }
  card().tpm().stop();
  card().tpm().start(/*cleared=*/true);
  const auto session = open();
  CONTRACT_RV(session->login(kind->user_pin()), CKR_DEVICE_ERROR);
  // What is public can still be read.
  BOOST_TEST(session->find(Template().ulong(CKA_CLASS, CKO_PUBLIC_KEY)).size() == 1u);
}

BOOST_AUTO_TEST_CASE(a_forked_child_starts_with_a_connection_of_its_own) {
  {
    const auto session = user();
    ec(*session);
  }
  CONTRACT_OK(module->C_Finalize(nullptr));  // the software TPM serves one connection at a time
  const pid_t child = fork();
  if (child == 0) {
    alarm(60);
    int status = 1;
    if (module.initialize() == CKR_OK) {
      const Session own(module, TpmKind::slot_of(module, "contract"));
      const bool in = own.login(kind->user_pin()) == CKR_OK;
      const auto keys = own.find(Template().ulong(CKA_CLASS, CKO_PRIVATE_KEY));
      if (in && keys.size() == 1 && own.sign(Mechanism(CKM_ECDSA_SHA256), keys[0], message()).rv == CKR_OK) status = 0;
      module->C_Finalize(nullptr);
    }
    _exit(status);
  }
  int status = -1;
  BOOST_REQUIRE(waitpid(child, &status, 0) == child);
  BOOST_TEST((WIFEXITED(status) && WEXITSTATUS(status) == 0));
  CONTRACT_OK(module.initialize());
}

BOOST_AUTO_TEST_SUITE_END()
