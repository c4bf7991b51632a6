// CKA_TRUSTED and CKA_WRAP_WITH_TRUSTED: the security officer says which key may carry keys out
// (PKCS#11 3.2, 4.7.3, 4.9).
#include "contract/fixture.h"

namespace {

using namespace cardea::p11;

struct Trust : Fixture {
  Trust() : keeper(open()) {}

  /// A session that is logged out at its end, since the keeper's would keep the login.
  struct LogOut {
    void operator()(const Session* session) const {
      session->logout();
      delete session;
    }
  };
  using Visit = std::unique_ptr<const Session, LogOut>;
  Visit user() const { return Visit(Fixture::user().release()); }
  /// Runs `work` in a session that the security officer is logged in to.
  template <typename Work>
  void as_officer(Work work) const {
    const Visit login(officer().release());
    work(*keeper);
  }
  /// The one object of that label; the case ends when there is none.
  CK_OBJECT_HANDLE named(const Session& session, std::string_view label) const {
    const auto found = session.find(Template().text(CKA_LABEL, label));
    BOOST_REQUIRE_EQUAL(found.size(), 1u);
    return found[0];
  }
  /// A public key that only wraps, so that the security officer sees it. On the token where it takes one.
  void make_carrier() const {
    CK_OBJECT_HANDLE key = 0;
    CONTRACT_OK(keeper->generate(Mechanism(CKM_AES_KEY_GEN),
                                 Template()
                                     .ulong(CKA_VALUE_LEN, 32)
                                     .boolean(CKA_TOKEN, on_token())
                                     .boolean(CKA_PRIVATE, false)
                                     .boolean(CKA_SENSITIVE, true)
                                     .boolean(CKA_WRAP, true)
                                     .text(CKA_LABEL, "carrier"),
                                 key));
  }
  CK_OBJECT_HANDLE make_guarded(const Session& user) const {
    CK_OBJECT_HANDLE key = 0;
    CONTRACT_OK(user.generate(Mechanism(CKM_AES_KEY_GEN),
                              aes_generation({CKA_ENCRYPT, CKA_WRAP_WITH_TRUSTED})
                                  .boolean(CKA_SENSITIVE, true)
                                  .boolean(CKA_EXTRACTABLE, true),
                              key));
    return key;
  }
  void set_trust(bool trusted) const {
    as_officer([&](const Session& session) {
      CONTRACT_RV(session.set(named(session, "carrier"), Template().boolean(CKA_TRUSTED, trusted)), CKR_OK);
    });
  }

  /// Keeps objects that a card has no place for, whoever is logged in.
  std::unique_ptr<Session> keeper;
};

const CK_MECHANISM_TYPE kwp = CKM_AES_KEY_WRAP_KWP;

}  // namespace

BOOST_FIXTURE_TEST_SUITE(trust, Trust)

BOOST_AUTO_TEST_CASE(the_user_cannot_grant_trust) {
  const auto session = user();
  CK_OBJECT_HANDLE key = 0;
  CONTRACT_RV(session->create(aes_template({CKA_WRAP}).boolean(CKA_TRUSTED, true), key), CKR_ATTRIBUTE_READ_ONLY);
  CONTRACT_RV(session->generate(Mechanism(CKM_AES_KEY_GEN), aes_generation({CKA_WRAP}).boolean(CKA_TRUSTED, true), key),
              CKR_ATTRIBUTE_READ_ONLY);
  CONTRACT_OK(session->create(aes_template({CKA_WRAP}), key));
  CONTRACT_RV(session->set(key, Template().boolean(CKA_TRUSTED, true)), CKR_ATTRIBUTE_READ_ONLY);
  CK_OBJECT_HANDLE copy = 0;
  CONTRACT_RV(session->copy(key, Template().boolean(CKA_TRUSTED, true), copy), CKR_ATTRIBUTE_READ_ONLY);
}

BOOST_AUTO_TEST_CASE(what_demands_trust_leaves_under_a_trusted_key_only) {
  {
    const auto session = user();
    make_carrier();
    CONTRACT_RV(session->wrap(Mechanism(kwp), named(*session, "carrier"), make_guarded(*session)).rv,
                CKR_KEY_NOT_WRAPPABLE);
  }
  set_trust(true);
  const auto session = user();
  const CK_OBJECT_HANDLE carrier = named(*session, "carrier"), guarded = make_guarded(*session);
  BOOST_TEST(session->flag(carrier, CKA_TRUSTED));
  const Output wrapped = session->wrap(Mechanism(kwp), carrier, guarded);
  CONTRACT_RV(wrapped.rv, CKR_OK);
  CK_OBJECT_HANDLE back = 0;
  const Template attributes = object_template(CKO_SECRET_KEY).ulong(CKA_KEY_TYPE, CKK_AES).boolean(CKA_ENCRYPT, true);
  CONTRACT_OK(session->unwrap(Mechanism(kwp), carrier, wrapped.bytes, attributes, back));
  const Mechanism ecb(CKM_AES_ECB);
  BOOST_TEST(session->encrypt(ecb, back, counted(16)).bytes == session->encrypt(ecb, guarded, counted(16)).bytes);
  BOOST_TEST(session->flag(back, CKA_SENSITIVE));
  CONTRACT_RV(
      session->unwrap(Mechanism(kwp), carrier, wrapped.bytes, Template(attributes).boolean(CKA_SENSITIVE, false), back),
      CKR_TEMPLATE_INCONSISTENT);
}

BOOST_AUTO_TEST_CASE(the_mark_cannot_be_taken_off) {
  const auto session = user();
  const CK_OBJECT_HANDLE guarded = make_guarded(*session);
  CONTRACT_RV(session->set(guarded, Template().boolean(CKA_WRAP_WITH_TRUSTED, false)), CKR_ATTRIBUTE_READ_ONLY);
  CK_OBJECT_HANDLE copy = 0;
  CONTRACT_RV(session->copy(guarded, Template().boolean(CKA_WRAP_WITH_TRUSTED, false), copy), CKR_ATTRIBUTE_READ_ONLY);
  CONTRACT_OK(session->copy(guarded, Template(), copy));
  BOOST_TEST(session->flag(copy, CKA_WRAP_WITH_TRUSTED));
  CK_OBJECT_HANDLE open = 0;
  CONTRACT_OK(session->create(aes_template({CKA_ENCRYPT}), open));
  CONTRACT_RV(session->set(open, Template().boolean(CKA_WRAP_WITH_TRUSTED, true)), CKR_OK);
}

BOOST_AUTO_TEST_CASE(trust_ends_with_a_copy_and_with_the_officer_s_word) {
  {
    const auto session = user();
    make_carrier();
  }
  set_trust(true);
  {
    const auto session = user();
    CK_OBJECT_HANDLE copy = 0;
    CONTRACT_OK(session->copy(named(*session, "carrier"), Template().text(CKA_LABEL, "a copy"), copy));
    BOOST_TEST(!session->flag(copy, CKA_TRUSTED, true));
    CONTRACT_RV(session->wrap(Mechanism(kwp), copy, make_guarded(*session)).rv, CKR_KEY_NOT_WRAPPABLE);
  }
  set_trust(false);
  const auto session = user();
  CONTRACT_RV(session->wrap(Mechanism(kwp), named(*session, "carrier"), make_guarded(*session)).rv,
              CKR_KEY_NOT_WRAPPABLE);
}

BOOST_AUTO_TEST_CASE(trusted_certificates_are_the_officer_s) {
  as_officer([&](const Session& session) {
    CK_OBJECT_HANDLE certificate = 0;
    CONTRACT_OK(session.create(object_template(CKO_CERTIFICATE, on_token())
                                   .ulong(CKA_CERTIFICATE_TYPE, CKC_X_509)
                                   .bytes(CKA_SUBJECT, counted(20))
                                   .bytes(CKA_VALUE, counted(100))
                                   .text(CKA_LABEL, "root")
                                   .boolean(CKA_TRUSTED, true),
                               certificate));
  });
  {
    const auto session = user();
    const CK_OBJECT_HANDLE root = named(*session, "root");
    BOOST_TEST(session->flag(root, CKA_TRUSTED));
    CONTRACT_RV(session->set(root, Template().text(CKA_LABEL, "renamed")), CKR_ATTRIBUTE_READ_ONLY);
  }
  as_officer([&](const Session& session) {
    CONTRACT_RV(session.set(named(session, "root"), Template().boolean(CKA_TRUSTED, false)), CKR_OK);
  });
}

BOOST_AUTO_TEST_CASE(the_public_key_of_a_recovery_authority) {
  // Its private half is elsewhere; here it is made on the token and destroyed, so that only the modulus stays.
  {
    const auto session = user();
    CK_OBJECT_HANDLE public_key = 0, private_key = 0;
    CONTRACT_OK(keeper->generate_pair(Mechanism(CKM_RSA_PKCS_KEY_PAIR_GEN),
                                      Template()
                                          .ulong(CKA_MODULUS_BITS, 2048)
                                          .bytes(CKA_PUBLIC_EXPONENT, {1, 0, 1})
                                          .boolean(CKA_TOKEN, on_token())
                                          .boolean(CKA_PRIVATE, false)
                                          .boolean(CKA_WRAP, true)
                                          .text(CKA_LABEL, "carrier"),
                                      Template(), public_key, private_key));
    CONTRACT_OK(session->destroy(private_key));
  }
  const CK_RSA_PKCS_OAEP_PARAMS oaep{CKM_SHA256, CKG_MGF1_SHA256, CKZ_DATA_SPECIFIED, nullptr, 0};
  const Mechanism way(CKM_RSA_PKCS_OAEP, oaep);
  {
    const auto session = user();
    CONTRACT_RV(session->wrap(way, named(*session, "carrier"), make_guarded(*session)).rv, CKR_KEY_NOT_WRAPPABLE);
  }
  set_trust(true);
  const auto session = user();
  CONTRACT_RV(session->wrap(way, named(*session, "carrier"), make_guarded(*session)).rv, CKR_OK);
}

BOOST_AUTO_TEST_SUITE_END()
