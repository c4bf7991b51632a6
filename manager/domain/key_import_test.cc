// Keys that somebody else made: what is taken into the archive, what is refused, and where they come back to.
#include "domain/key_import.h"

#include <boost/test/unit_test.hpp>

#include "crypto/pkcs12.h"
#include "domain/archive.h"
#include "domain/certificates.h"
#include "domain/testing/rig.h"
#include "x509/asn1.h"

namespace cardea::manager {
namespace {

using crypto::der;
using testing::FakeToken;
using testing::Rig;

SecretBytes secret(std::string_view text) {
  return SecretBytes(view_of(text));
}

struct Wish {
  std::string_view serial = "\x05";
  std::string_view from = "200101000000Z";
  std::string_view until = "20990101000000Z";
  std::optional<Byte> key_usage = {};  ///< the first byte of its bits
  bool authority = false;
  std::optional<Bytes> basic_constraints = {};
  std::string_view subject = "Alice";
  std::string_view attribute = "\x55\x04\x03";  ///< of the subject: commonName
};

Bytes extension_list(const Wish& wish) {
  const Byte usage_oid[] = {0x06, 0x03, 0x55, 0x1D, 0x0F};
  const Byte basic_oid[] = {0x06, 0x03, 0x55, 0x1D, 0x13};
  Bytes list;
  const auto add = [&](Bytes one) { list.insert(list.end(), one.begin(), one.end()); };
  if (wish.key_usage) add(x509::extension(usage_oid, true, der<Bytes>(0x03, {Bytes{0, *wish.key_usage}})));
  if (wish.authority) add(x509::extension(basic_oid, true, x509::sequence({x509::boolean(true)})));
  if (wish.basic_constraints) add(x509::extension(basic_oid, true, *wish.basic_constraints));
  return list.empty() ? list : der<Bytes>(0xA3, {x509::sequence({list})});
}

// Signed by nobody, of an authority that is not ours.
Bytes certificate(ByteView spki, const Wish& wish = {}) {
  const Bytes algorithm = x509::sequence({der<Bytes>(0x06, {Bytes{0x2A, 0x86, 0x48, 0xCE, 0x3D, 0x04, 0x03, 0x02}})});
  const auto name = [](std::string_view text, std::string_view type = "\x55\x04\x03") {
    return x509::sequence(
        {der<Bytes>(0x31, {x509::sequence({der<Bytes>(0x06, {view_of(type)}), der<Bytes>(0x0C, {view_of(text)})})})});
  };
  const Bytes validity =
      x509::sequence({der<Bytes>(0x17, {view_of(wish.from)}), der<Bytes>(0x18, {view_of(wish.until)})});
  const Bytes extensions = extension_list(wish);
  const Bytes body =
      x509::sequence({der<Bytes>(0xA0, {Bytes{0x02, 0x01, 0x02}}), crypto::der_integer<Bytes>(view_of(wish.serial)),
                      algorithm, name("Elsewhere"), validity, name(wish.subject, wish.attribute), spki, extensions});
  return x509::sequence({body, algorithm, der<Bytes>(0x03, {Bytes{0, 0}})});
}

struct Made {
  KeyImport wanted;
  Bytes spki;
  Bytes der;
};

Made make(const Rig& rig, const Wish& wish = {}, std::string_view algorithm = "ec:P-256") {
  const FreshKey key = *generate_decryption_key(algorithm);
  Made made;
  made.spki = key.spki;
  made.der = certificate(key.spki, wish);
  made.wanted.person = rig.person.id;
  auto file = crypto::make_pkcs12(key.pkcs8.view(), made.der, {}, secret("open sesame"), "alice");
  BOOST_REQUIRE_MESSAGE(file.ok(), (file ? "" : describe(file.error())));
  made.wanted.pkcs12 = std::move(*file);
  made.wanted.password = secret("open sesame");
  return made;
}

std::string refusal(Rig& rig, const Actor& actor, const KeyImport& wanted, Code code = Code::arguments_bad) {
  const std::size_t rows = rig.memory.state.archived_keys_rows.size() + rig.memory.state.certificates_rows.size();
  auto imported = import_key(rig.ports, actor, wanted);
  BOOST_TEST_REQUIRE(!imported.ok());
  BOOST_TEST((imported.code() == code));
  BOOST_TEST(rig.memory.state.archived_keys_rows.size() + rig.memory.state.certificates_rows.size() == rows);
  return imported.error().detail;
}

bool contains(std::string_view text, std::string_view part) {
  return text.find(part) != std::string_view::npos;
}

BOOST_AUTO_TEST_SUITE(key_import)

BOOST_AUTO_TEST_CASE(a_key_is_sealed_and_its_certificate_is_one_of_nobody_s_here) {
  Rig rig;
  const Made made = make(rig);
  const auto imported = import_key(rig.ports, rig.officer("ann", {"elevated"}), made.wanted);
  BOOST_REQUIRE_MESSAGE(imported.ok(), (imported ? "" : imported.error().detail));
  const Certificate row = rig.memory.state.certificates_rows.at(imported->certificate.id);
  BOOST_TEST(row.ca == 0);
  BOOST_TEST((row.state == CertificateState::active));
  BOOST_TEST((row.der == made.der));
  BOOST_TEST(row.issuer == "CN=Elsewhere");
  BOOST_TEST(row.serial == "5");
  BOOST_TEST((row.person == rig.person.id));
  const ArchivedKey key = rig.memory.state.archived_keys_rows.at(imported->key.id);
  BOOST_TEST((row.archived_key == key.id));
  BOOST_TEST((key.certificate == row.id));
  BOOST_TEST((key.public_key == made.spki));
  BOOST_TEST((key.created == row.not_before));
  BOOST_TEST(rig.memory.state.events.back().action == "key_imported");

  RevocationOrder order;
  order.certificates = {row.id};
  for (const auto action : {RevocationOrder::Action::revoke, RevocationOrder::Action::suspend}) {
    order.action = action;
    const auto lines = revoke_certificates(rig.ports, rig.admin, order);
    BOOST_REQUIRE(lines.ok());
    BOOST_TEST(!lines->at(0).done);
    BOOST_TEST(lines->at(0).problem == "this certificate was made elsewhere; its issuer revokes it");
  }
  BOOST_TEST((rig.memory.state.certificates_rows.at(row.id).state == CertificateState::active));
}

BOOST_AUTO_TEST_CASE(what_is_no_decryption_key_of_somebody_here_is_refused_in_words) {
  Rig rig;
  constexpr Byte digital_signature = 0x80;
  constexpr Byte key_encipherment = 0x20;
  BOOST_TEST(contains(refusal(rig, rig.admin, make(rig, {.key_usage = digital_signature}).wanted),
                      "/pkcs12: its certificate's key usage is for signatures only"));
  BOOST_TEST(contains(refusal(rig, rig.admin, make(rig, {.authority = true}).wanted), "certification authority's"));
  Made made = make(rig, {.key_usage = key_encipherment});
  made.wanted.password = secret("guess");
  BOOST_TEST(contains(refusal(rig, rig.admin, made.wanted), "/password: the password of the PKCS#12 file is wrong"));
  made.wanted.password = secret("open sesame");
  made.wanted.policy = "nowhere";
  BOOST_TEST(refusal(rig, rig.admin, made.wanted) == "/policy: there is no certificate policy 'nowhere'");
  made.wanted.policy.clear();
  ++made.wanted.person;
  made.wanted.person += 1000;
  BOOST_TEST(refusal(rig, rig.admin, made.wanted) == "/person: there is no such person");
  made.wanted.person = rig.person.id;
  for (std::size_t cut : {std::size_t{0}, std::size_t{1}, std::size_t{20}, made.wanted.pkcs12.size() - 1}) {
    KeyImport broken{made.wanted.person, SecretBytes(made.wanted.pkcs12.view().first(cut)), secret("open sesame"), ""};
    BOOST_TEST(contains(refusal(rig, rig.admin, broken), "/pkcs12: this is no PKCS#12 file"));
  }
  BOOST_TEST(import_key(rig.ports, rig.admin, made.wanted).ok());
}

BOOST_AUTO_TEST_CASE(what_others_could_take_for_an_authority_s_is_refused) {
  Rig rig;
  const Byte true_in_ber[] = {0x30, 0x03, 0x01, 0x01, 0x01};
  const Byte and_more[] = {0x30, 0x00, 0x30, 0x03, 0x01, 0x01, 0xFF};
  for (const ByteView malformed : {ByteView(true_in_ber), ByteView(and_more)})
    BOOST_TEST(contains(refusal(rig, rig.admin, make(rig, {.basic_constraints = to_bytes(malformed)}).wanted),
                        "basic constraints are malformed"));
  const Bytes no_authority = {0x30, 0x00};
  BOOST_TEST(import_key(rig.ports, rig.admin, make(rig, {.basic_constraints = no_authority}).wanted).ok());
}

BOOST_AUTO_TEST_CASE(names_that_are_no_text_are_kept_in_hexadecimal) {
  const FreshKey key = *generate_decryption_key("ec:P-256");
  const auto subject = [&](std::string_view text) {
    const auto facts = certificate_facts(certificate(key.spki, {.subject = text}));
    return facts ? facts->subject : facts.error().detail;
  };
  BOOST_TEST(subject("Zo\xC3\xAB, Archer") == "CN=Zo\xC3\xAB\\, Archer");
  // Latin-1, NUL, a terminal's escape, a control character of two bytes, half a surrogate pair, an overlong slash.
  BOOST_TEST(subject("Zo\xEB") == "CN=#0c035a6feb");
  BOOST_TEST(subject(std::string_view("a\0b", 3)) == "CN=#0c03610062");
  BOOST_TEST(subject("\x1B[2J") == "CN=#0c041b5b324a");
  BOOST_TEST(subject("\xC2\x9B") == "CN=#0c02c29b");
  BOOST_TEST(subject("\xED\xA0\x80") == "CN=#0c03eda080");
  BOOST_TEST(subject("\xC0\xAF") == "CN=#0c02c0af");
}

BOOST_AUTO_TEST_CASE(attributes_that_have_no_name_are_told_apart) {
  const FreshKey key = *generate_decryption_key("ec:P-256");
  const auto subject = [&](std::string_view type) {
    const auto facts = certificate_facts(certificate(key.spki, {.subject = "x", .attribute = type}));
    return facts ? facts->subject : facts.error().detail;
  };
  BOOST_TEST(subject("\x2A\x03\x04") == "1.2.3.4=#0c0178");
  // 2.25 and a UUID; the last 64 bits of it are not taken for all.
  const std::string uuid = "\x69\x83\xA0\x80\x80\x80\x80\x80\x80\x80\x80\x80\x80\x80\x80\x80\x80\x80\x01";
  BOOST_TEST(subject(uuid) == "0x" + to_hex(view_of(uuid)) + "=#0c0178");
}

BOOST_AUTO_TEST_CASE(serial_numbers_have_bounds) {
  Rig rig;
  const std::string long_one(65, 'x');
  BOOST_TEST(contains(refusal(rig, rig.admin, make(rig, {.serial = long_one}).wanted), "serial number is too long"));
  BOOST_TEST(import_key(rig.ports, rig.admin, make(rig, {.serial = std::string_view(long_one).substr(1)}).wanted).ok());
}

BOOST_AUTO_TEST_CASE(whoever_lacks_the_right_or_the_reach_imports_nothing) {
  Rig rig;
  const Made made = make(rig);
  refusal(rig, rig.officer("nora", {"normal"}), made.wanted, Code::permission_denied);
  Operator far;
  far.name = "far";
  far.roles = {"elevated"};
  far.scope = "department";
  far.department = "baking";
  far = *save_operator(rig.ports, rig.admin, far);
  std::optional<Actor> actor;
  BOOST_REQUIRE(rig.memory
                    .read([&](Transaction& store) -> Status {
                      CARDEA_ASSIGN(actor, operator_actor(store, far));
                      return {};
                    })
                    .ok());
  refusal(rig, *actor, made.wanted, Code::permission_denied);
}

BOOST_AUTO_TEST_CASE(the_same_certificate_or_key_is_taken_once) {
  Rig rig;
  const Made made = make(rig);
  const auto imported = import_key(rig.ports, rig.admin, made.wanted);
  BOOST_REQUIRE(imported.ok());
  BOOST_TEST(contains(refusal(rig, rig.admin, made.wanted, Code::exists),
                      "certificate " + std::to_string(imported->certificate.id) + " is this very one"));
  // Another of the same serial number is another issuer's.
  BOOST_TEST(import_key(rig.ports, rig.admin, make(rig).wanted).ok());
}

BOOST_AUTO_TEST_CASE(imported_keys_are_former_keys_in_the_order_of_their_use) {
  Rig rig;
  FakeToken card;
  rig.issue(card);
  const Bytes own = card.containers["encryption"].spki;
  const Made later = make(rig, {.serial = "\x06", .from = "220101000000Z"});
  const Made earlier = make(rig, {.serial = "\x07", .from = "180101000000Z", .until = "20200101000000Z"});
  BOOST_REQUIRE(import_key(rig.ports, rig.admin, later.wanted).ok());
  const auto expired = import_key(rig.ports, rig.admin, earlier.wanted);
  BOOST_REQUIRE(expired.ok());
  BOOST_TEST((expired->certificate.state == CertificateState::expired));

  const Request onto_token = rig.ask("recover", rig.only_token().id, "", {{"to", "token"}, {"keys", "all"}});
  BOOST_REQUIRE(rig.agreed(onto_token.id)->state == RequestState::approved);
  const NextStep end = rig.work(rig.collect(onto_token).job, card);
  BOOST_REQUIRE_MESSAGE(end.state == NextStep::State::completed, end.text);
  BOOST_REQUIRE(card.history.size() == 3U);
  BOOST_TEST((card.history[0] == own));
  BOOST_TEST((card.history[1] == later.spki));
  BOOST_TEST((card.history[2] == earlier.spki));

  const Request as_file = rig.ask("recover", {}, "", {{"to", "pkcs12"}, {"keys", "all"}});
  BOOST_REQUIRE(rig.agreed(as_file.id)->state == RequestState::approved);
  const auto files = recover_as_pkcs12(rig.ports, rig.officer("rita", {"key_recovery"}), as_file.id);
  BOOST_REQUIRE_MESSAGE(files.ok(), (files ? "" : describe(files.error())));
  BOOST_REQUIRE(files->identities.size() == 3U);
  const auto back = crypto::read_pkcs12(files->identities[1].pkcs12.view(), files->identities[1].password);
  BOOST_REQUIRE(back.ok());
  BOOST_TEST((back->certificates.at(0) == later.der));
}

BOOST_AUTO_TEST_CASE(a_policy_says_where_an_imported_key_goes) {
  Rig rig(R"({"device_kinds": ["piv", "keystore"], "certificates": [
      {"container": "authentication", "policy": "authentication"},
      {"container": "encryption", "policy": "encryption", "source": "use_existing", "algorithm": "ec:P-256"}]})");
  for (auto& [id, policy] : rig.memory.state.policies_rows)
    if (policy.name == "encryption") policy.document["recovery_storage"] = "hardware";
  Made made = make(rig);
  made.wanted.policy = "encryption";
  const auto imported = import_key(rig.ports, rig.admin, made.wanted);
  BOOST_REQUIRE_MESSAGE(imported.ok(), (imported ? "" : imported.error().detail));
  const Request as_file = rig.ask("recover", {}, "", {{"to", "pkcs12"}, {"keys", "all"}});
  BOOST_REQUIRE(rig.agreed(as_file.id)->state == RequestState::approved);
  const auto files = recover_as_pkcs12(rig.ports, rig.officer("rita", {"key_recovery"}), as_file.id);
  BOOST_REQUIRE(files.ok());
  BOOST_TEST(files->identities.empty());
  BOOST_TEST(files->left_out.size() == 1U);

  // The same identity on every device: no new key is made for "use_existing".
  FakeToken card;
  rig.issue(card);
  BOOST_TEST((card.containers["encryption"].spki == made.spki));
  BOOST_TEST((card.containers["encryption"].certificate == made.der));
  BOOST_TEST(rig.memory.state.archived_keys_rows.size() == 1U);
  // A lost card does not take the identity with it: nobody here can revoke it.
  rig.ask("cancel", rig.only_token().id, "lost");
  rig.work_alone();
  BOOST_TEST((rig.only_token().state == TokenState::cancelled));
  BOOST_TEST((rig.memory.state.certificates_rows.at(imported->certificate.id).state == CertificateState::active));
}

BOOST_AUTO_TEST_SUITE_END()

}  // namespace
}  // namespace cardea::manager
