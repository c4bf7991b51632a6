// What only cards do: keys that are born on them, being pulled, resets by others, and a login that processes share.
#include <poll.h>
#include <unistd.h>

#include <functional>

#include "contract/counterpart/openssl.h"
#include "contract/fixture.h"

namespace {

using namespace cardea::p11;
namespace counterpart = cardea::counterpart;

struct Cards : Fixture {
  CardKind& card() const { return dynamic_cast<CardKind&>(*kind); }

  Pair generate(const Session& s) const {
    Pair out;
    const Template public_half =
        Template().ulong(CKA_MODULUS_BITS, 2048).bytes(CKA_PUBLIC_EXPONENT, {1, 0, 1}).boolean(CKA_TOKEN, true);
    CONTRACT_OK(s.generate_pair(Mechanism(CKM_RSA_PKCS_KEY_PAIR_GEN), public_half,
                                Template().boolean(CKA_TOKEN, true).text(CKA_LABEL, "born here"), out.public_key,
                                out.private_key));
    return out;
  }
  static CK_RV generate_curve(const Session& s, CK_MECHANISM_TYPE type, const Bytes& curve, Pair& out) {
    return s.generate_pair(Mechanism(type), Template().bytes(CKA_EC_PARAMS, curve).boolean(CKA_TOKEN, true),
                           Template().boolean(CKA_TOKEN, true), out.public_key, out.private_key);
  }
  static counterpart::Pkey public_key(const Session& s, const Pair& pair) {
    return counterpart::read_public(s.get(pair.public_key, CKA_PUBLIC_KEY_INFO).bytes);
  }
  /// With a secret as long as the curve's, to a readable session object.
  static CK_RV derive(const Session& s, CK_OBJECT_HANDLE key, Bytes peer, CK_OBJECT_HANDLE& secret) {
    const CK_ECDH1_DERIVE_PARAMS parameter{CKD_NULL, 0, nullptr, peer.size(), peer.data()};
    return s.derive(Mechanism(CKM_ECDH1_DERIVE, parameter), key,
                    object_template(CKO_SECRET_KEY)
                        .ulong(CKA_KEY_TYPE, CKK_GENERIC_SECRET)
                        .boolean(CKA_SENSITIVE, false)
                        .boolean(CKA_EXTRACTABLE, true),
                    secret);
  }
  static std::vector<CK_OBJECT_HANDLE> private_keys(const Session& s) {
    return s.find(Template().ulong(CKA_CLASS, CKO_PRIVATE_KEY));
  }
  static Bytes message() { return bytes_of("a message"); }
  static CK_RV sign_rv(const Session& s, CK_OBJECT_HANDLE key) {
    return s.sign(Mechanism(CKM_SHA256_RSA_PKCS), key, message()).rv;
  }
  void check_signs(const Session& s, const Pair& pair) const {
    const Output signature = s.sign(Mechanism(CKM_SHA256_RSA_PKCS), pair.private_key, message());
    CONTRACT_RV(signature.rv, CKR_OK);
    CONTRACT_RV(s.verify(Mechanism(CKM_SHA256_RSA_PKCS), pair.public_key, message(), signature.bytes), CKR_OK);
  }

  /// Runs in a child process with a module of its own; answers 0 when `body` does and nothing else went wrong.
  static int in_child(const std::function<int()>& body) {
    const pid_t child = fork();
    if (child == 0) {
      alarm(60);
      _exit(body());
    }
    int status = -1;
    while (waitpid(child, &status, 0) < 0 && errno == EINTR) {
    }
    return WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
  }
};

}  // namespace

BOOST_FIXTURE_TEST_SUITE(cards, Cards)

BOOST_AUTO_TEST_CASE(tokens_say_what_they_are) {
  CK_SLOT_INFO info{};
  CONTRACT_OK(module->C_GetSlotInfo(slot, &info));
  BOOST_TEST((info.flags & CKF_TOKEN_PRESENT) != 0u);
  BOOST_TEST((info.flags & CKF_REMOVABLE_DEVICE) != 0u);
  BOOST_TEST((info.flags & CKF_HW_SLOT) != 0u);
  CK_TOKEN_INFO token{};
  CONTRACT_OK(module->C_GetTokenInfo(slot, &token));
  BOOST_TEST((token.flags & CKF_LOGIN_REQUIRED) != 0u);
  BOOST_TEST((token.flags & CKF_TOKEN_INITIALIZED) != 0u);
  BOOST_TEST((token.flags & CKF_USER_PIN_INITIALIZED) != 0u);
  BOOST_TEST((token.flags & (CKF_USER_PIN_LOCKED | CKF_WRITE_PROTECTED)) == 0u);
  BOOST_TEST(token.serialNumber[0] != ' ');
  BOOST_TEST(token.label[0] != ' ');
}

BOOST_AUTO_TEST_CASE(keys_are_born_on_the_card_and_stay) {
  Bytes unique_id;
  {
    const auto s = user();
    const Pair pair = generate(*s);
    BOOST_TEST(s->flag(pair.private_key, CKA_SENSITIVE));
    BOOST_TEST(!s->flag(pair.private_key, CKA_EXTRACTABLE, true));
    BOOST_TEST(s->flag(pair.private_key, CKA_PRIVATE));
    BOOST_TEST((s->get(pair.private_key, CKA_ID).bytes == s->get(pair.public_key, CKA_ID).bytes));
    BOOST_TEST(!s->get(pair.private_key, CKA_ID).bytes.empty());
    CONTRACT_RV(s->get(pair.private_key, CKA_PRIVATE_EXPONENT).rv, CKR_ATTRIBUTE_SENSITIVE);
    CONTRACT_RV(s->set(pair.private_key, Template().text(CKA_LABEL, "renamed")), CKR_ACTION_PROHIBITED);
    check_signs(*s, pair);
    unique_id = s->get(pair.private_key, CKA_UNIQUE_ID).bytes;
    CONTRACT_OK(s->logout());
    CONTRACT_RV(s->get(pair.private_key, CKA_LABEL).rv, CKR_OBJECT_HANDLE_INVALID);
    BOOST_TEST(private_keys(*s).empty());
  }
  CONTRACT_OK(module->C_Finalize(nullptr));
  CONTRACT_OK(module.initialize());
  slot = CardKind::slot_with_card(module);
  const auto s = user();
  const auto found = private_keys(*s);
  BOOST_REQUIRE_EQUAL(found.size(), 1u);
  BOOST_TEST((s->get(found[0], CKA_UNIQUE_ID).bytes == unique_id));
  CONTRACT_RV(sign_rv(*s, found[0]), CKR_OK);
  CONTRACT_RV(s->destroy(found[0]), CKR_OK);
  BOOST_TEST(private_keys(*s).empty());
  CONTRACT_RV(s->destroy(found[0]), CKR_OBJECT_HANDLE_INVALID);
}

BOOST_AUTO_TEST_CASE(a_key_decrypts) {
  const auto s = user();
  const Pair pair = generate(*s);
  const Output sealed = s->encrypt(Mechanism(CKM_RSA_PKCS), pair.public_key, message());
  CONTRACT_OK(sealed.rv);
  if (!s->flag(pair.private_key, CKA_DECRYPT)) {
    CONTRACT_RV(s->decrypt(Mechanism(CKM_RSA_PKCS), pair.private_key, sealed.bytes).rv, CKR_KEY_FUNCTION_NOT_PERMITTED);
    return;
  }
  const Output opened = s->decrypt(Mechanism(CKM_RSA_PKCS), pair.private_key, sealed.bytes);
  CONTRACT_RV(opened.rv, CKR_OK);
  BOOST_TEST((opened.bytes == message()));
}

BOOST_AUTO_TEST_CASE(ed25519_of_a_card_verifies_in_openssl) {
  const auto s = user();
  Pair pair;
  const CK_RV made = generate_curve(*s, CKM_EC_EDWARDS_KEY_PAIR_GEN, ed25519(), pair);
  if (!card().has_25519()) {
    CONTRACT_RV(made, CKR_CURVE_NOT_SUPPORTED);
    return;
  }
  CONTRACT_OK(made);
  BOOST_TEST(s->flag(pair.private_key, CKA_LOCAL));
  for (const std::size_t size : {std::size_t{1}, std::size_t{300}, std::size_t{3000}}) {
    const Output signature = s->sign(Mechanism(CKM_EDDSA), pair.private_key, counted(size));
    CONTRACT_OK(signature.rv);
    BOOST_TEST(counterpart::verify(public_key(*s, pair), counted(size), signature.bytes));
  }
  CK_OBJECT_HANDLE secret = 0;
  CONTRACT_RV(derive(*s, pair.private_key, Bytes(32, 9), secret), CKR_KEY_FUNCTION_NOT_PERMITTED);
}

BOOST_AUTO_TEST_CASE(x25519_of_a_card_agrees_with_openssl) {
  const auto s = user();
  Pair pair;
  const CK_RV made = generate_curve(*s, CKM_EC_MONTGOMERY_KEY_PAIR_GEN, x25519(), pair);
  if (!card().has_25519()) {
    CONTRACT_RV(made, CKR_CURVE_NOT_SUPPORTED);
    return;
  }
  CONTRACT_OK(made);
  const auto peer = counterpart::generate("X25519");
  CK_OBJECT_HANDLE secret = 0;
  CONTRACT_OK(derive(*s, pair.private_key, counterpart::octets(peer, "pub"), secret));
  BOOST_TEST((s->get(secret, CKA_VALUE).bytes == counterpart::agree(peer, public_key(*s, pair))));
}

BOOST_AUTO_TEST_CASE(a_card_keeps_no_objects_of_other_kinds) {
  const auto s = user();
  CK_OBJECT_HANDLE object = 0;
  CONTRACT_RV(s->create(aes_template({CKA_ENCRYPT}, true), object), CKR_TEMPLATE_INCONSISTENT);
  CONTRACT_RV(s->create(data_template("no file of this name", true), object), CKR_ATTRIBUTE_VALUE_INVALID);
  Bytes label(32, ' ');
  CONTRACT_OK(module->C_CloseAllSessions(slot));
  CONTRACT_RV(module->C_InitToken(slot, in(bytes_of(kind->so_pin())), kind->so_pin().size(), label.data()),
              CKR_TOKEN_WRITE_PROTECTED);
}

BOOST_AUTO_TEST_CASE(the_administrator_makes_keys) {
  {
    const auto s = open();
    CONTRACT_RV(s->login("no hexadecimal digits", CKU_SO), CKR_PIN_INCORRECT);
  }
  const auto s = officer();
  if (!card().officer_makes_keys()) {
    CK_OBJECT_HANDLE public_key = 0, private_key = 0;
    CONTRACT_RV(s->generate_pair(Mechanism(CKM_EC_KEY_PAIR_GEN),
                                 Template().bytes(CKA_EC_PARAMS, p256()).boolean(CKA_TOKEN, true),
                                 Template().boolean(CKA_TOKEN, true), public_key, private_key),
                CKR_USER_NOT_LOGGED_IN);
    return;
  }
  const Pair pair = generate(*s);
  // The administrator has no PIN, so the key does not work for him.
  CONTRACT_RV(sign_rv(*s, pair.private_key), CKR_USER_NOT_LOGGED_IN);
  CONTRACT_OK(s->logout());
  CONTRACT_OK(s->login(kind->user_pin()));
  const auto found = private_keys(*s);
  BOOST_REQUIRE_EQUAL(found.size(), 1u);
  CONTRACT_RV(sign_rv(*s, found[0]), CKR_OK);
}

BOOST_AUTO_TEST_CASE(pins_change_and_lock) {
  const auto s = open();
  Bytes old_pin = bytes_of(kind->user_pin()), new_pin = bytes_of("654321"), wrong = bytes_of("000000");
  CONTRACT_RV(module->C_SetPIN(*s, wrong.data(), wrong.size(), new_pin.data(), new_pin.size()), CKR_PIN_INCORRECT);
  CONTRACT_OK(module->C_SetPIN(*s, old_pin.data(), old_pin.size(), new_pin.data(), new_pin.size()));
  CONTRACT_OK(s->login("654321"));
  CONTRACT_OK(s->logout());
  for (int tries = kind->retry_limit(); tries > 1; --tries) CONTRACT_RV(s->login("000000"), CKR_PIN_INCORRECT);
  CK_TOKEN_INFO token{};
  CONTRACT_OK(module->C_GetTokenInfo(slot, &token));
  BOOST_TEST((token.flags & CKF_USER_PIN_FINAL_TRY) != 0u);
  const CK_RV last = s->login("000000");
  BOOST_TEST((last == CKR_PIN_LOCKED || last == CKR_PIN_INCORRECT));
  CONTRACT_RV(s->login("654321"), CKR_PIN_LOCKED);
  CONTRACT_OK(module->C_GetTokenInfo(slot, &token));
  BOOST_TEST((token.flags & CKF_USER_PIN_LOCKED) != 0u);
}

BOOST_AUTO_TEST_CASE(the_officer_unlocks_the_pin) {
  const auto s = open();
  for (int tries = kind->retry_limit(); tries > 0; --tries) s->login("000000");
  CONTRACT_RV(s->login(kind->user_pin()), CKR_PIN_LOCKED);
  Bytes fresh = bytes_of("654321");
  if (!kind->officer_sets_user_pin()) {
    CONTRACT_OK(s->login(kind->so_pin(), CKU_SO));
    CONTRACT_RV(module->C_InitPIN(*s, fresh.data(), fresh.size()), CKR_FUNCTION_NOT_SUPPORTED);
    CONTRACT_OK(s->logout());
    CONTRACT_RV(s->login("00000000", CKU_SO), CKR_PIN_INCORRECT);
  }
  CONTRACT_OK(s->login(card().unblocking_pin(), CKU_SO));
  CONTRACT_OK(module->C_InitPIN(*s, fresh.data(), fresh.size()));
  CONTRACT_OK(s->logout());
  CONTRACT_OK(s->login("654321"));
}

BOOST_AUTO_TEST_CASE(a_pulled_card_takes_its_sessions_along) {
  const auto s = user();
  const Pair pair = generate(*s);
  const CK_SESSION_HANDLE old_session = *s;
  card().pull();
  // In the middle of a call or before it: the first call that meets the absence says so.
  const CK_RV met = sign_rv(*s, pair.private_key);
  BOOST_TEST((met == CKR_DEVICE_REMOVED || met == CKR_SESSION_HANDLE_INVALID), rv_text(met));
  CK_SESSION_INFO info{};
  CONTRACT_RV(module->C_GetSessionInfo(old_session, &info), CKR_SESSION_HANDLE_INVALID);
  CK_TOKEN_INFO token{};
  CONTRACT_RV(module->C_GetTokenInfo(slot, &token), CKR_TOKEN_NOT_PRESENT);
  card().insert();
  BOOST_TEST(CardKind::slot_with_card(module) == slot);
  CONTRACT_RV(module->C_GetSessionInfo(old_session, &info), CKR_SESSION_HANDLE_INVALID);
  const auto again = open();
  CONTRACT_OK(module->C_GetSessionInfo(*again, &info));
  BOOST_TEST(info.state == static_cast<CK_STATE>(CKS_RW_PUBLIC_SESSION));
  CONTRACT_OK(again->login(kind->user_pin()));
  const auto found = private_keys(*again);
  BOOST_REQUIRE_EQUAL(found.size(), 1u);
  CONTRACT_RV(sign_rv(*again, found[0]), CKR_OK);
}

BOOST_AUTO_TEST_CASE(slot_events_tell_of_cards) {
  CK_SLOT_ID told = 99;
  while (module->C_WaitForSlotEvent(CKF_DONT_BLOCK, &told, nullptr) == CKR_OK) {
  }
  CONTRACT_RV(module->C_WaitForSlotEvent(CKF_DONT_BLOCK, &told, nullptr), CKR_NO_EVENT);
  card().pull();
  CONTRACT_OK(module->C_WaitForSlotEvent(0, &told, nullptr));
  BOOST_TEST(told == slot);
  CK_SLOT_INFO info{};
  CONTRACT_OK(module->C_GetSlotInfo(slot, &info));
  BOOST_TEST((info.flags & CKF_TOKEN_PRESENT) == 0u);
  card().insert();
  CONTRACT_OK(module->C_WaitForSlotEvent(0, &told, nullptr));
  BOOST_TEST(told == slot);
  CONTRACT_OK(module->C_GetSlotInfo(slot, &info));
  BOOST_TEST((info.flags & CKF_TOKEN_PRESENT) != 0u);
}

BOOST_AUTO_TEST_CASE(a_reset_behind_our_back_is_made_good) {
  const auto s = user();
  const Pair pair = generate(*s);
  for (int i = 0; i < 3; ++i) {
    card().steer({"reset"});
    check_signs(*s, pair);
  }
}

BOOST_AUTO_TEST_CASE(processes_log_in_and_out_beside_each_other) {
  const auto s = user();
  const Pair pair = generate(*s);
  std::array<int, 2> go_on{};
  BOOST_REQUIRE(pipe(go_on.data()) == 0);
  const pid_t other = fork();
  if (other == 0) {
    alarm(100);
    // A child of a fork starts with a module that is not initialised.
    if (module.initialize() != CKR_OK) _exit(2);
    for (int i = 0; i < 20; ++i) {
      const Session own(module, CardKind::slot_with_card(module));
      if (own.login(kind->user_pin()) != CKR_OK) _exit(3);
      if (own.logout() != CKR_OK) _exit(4);
    }
    module->C_Finalize(nullptr);
    _exit(0);
  }
  int status = -1;
  int signatures = 0;
  while (waitpid(other, &status, WNOHANG) == 0) {
    CONTRACT_RV(sign_rv(*s, pair.private_key), CKR_OK);
    ++signatures;
  }
  BOOST_TEST(status == 0);
  BOOST_TEST(signatures > 0);
  check_signs(*s, pair);
  // One that never logs in never signs, though the card would let it.
  const int third = in_child([&] {
    if (module.initialize() != CKR_OK) return 2;
    const Session own(module, CardKind::slot_with_card(module));
    if (!private_keys(own).empty()) return 3;
    const bool handle_works = sign_rv(own, pair.private_key) == CKR_OK;
    module->C_Finalize(nullptr);
    return handle_works ? 4 : 0;
  });
  BOOST_TEST(third == 0);
  check_signs(*s, pair);
}

BOOST_AUTO_TEST_SUITE_END()
