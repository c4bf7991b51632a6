// The manager's own certificates, years ahead.
#include "daemon/self_renewal.h"

#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <boost/test/unit_test.hpp>
#include <fstream>
#include <sstream>

#include "crypto/digest.h"
#include "daemon/ca_certificates.h"
#include "daemon/private_files.h"
#include "domain/archive.h"
#include "domain/certificate_policy.h"
#include "domain/certificates.h"
#include "domain/store_status.h"
#include "domain/testing/memory_keys.h"
#include "domain/testing/memory_store.h"
#include "domain/testing/rig.h"
#include "embedded/creation.h"
#include "embedded/settings.h"
#include "x509/asn1.h"
#include "x509/certificate_view.h"
#include "x509/encoding.h"

namespace cardea::manager {
namespace {

namespace fs = std::filesystem;
using std::chrono::days;

template <class T>
T must(Result<T> result) {
  BOOST_REQUIRE_MESSAGE(result.ok(), (result ? "" : describe(result.error())));
  return std::move(*result);
}
void must(const Status& status) {
  BOOST_REQUIRE_MESSAGE(status.ok(), (status ? "" : describe(status.error())));
}

// One of its keys may refuse to go.
class Keys : public testing::MemoryKeys {
 public:
  Status destroy_key(std::string_view name) override {
    return name == stuck ? Status(error(Code::device_error)) : MemoryKeys::destroy_key(name);
  }
  std::string stuck;
};

// A root and an issuing authority, and a server certificate of the latter in two files.
struct Fixture {
  Fixture() : folder(fs::temp_directory_path() / ("cardea-renewal-" + std::to_string(getpid()))) {
    fs::create_directories(folder);
    must(ensure_manager_keys(keys));
    root.name = "root";
    ca::CaCreation wanted;
    wanted.name = "root";
    wanted.subject = "CN=Root";
    const auto root_settings = must(ca::create_root(embedded(), wanted));
    add(root, root_settings);
    issuing.name = wanted.name = "issuing";
    wanted.subject = "CN=Issuing";
    wanted.type = ca::CaType::issuing;
    const auto above = must(ca::EmbeddedCa::open(root.id, root_settings, embedded()));
    add(issuing, must(ca::create_below(embedded(), wanted, *above)));
    CertificatePolicy policy;
    policy.ca = issuing.id;
    policy.name = policy.ca_profile = "tls-server";
    policy.document = testing::parsed(R"({"subject": [{"type": "CN", "from": "person.display_name"}]})");
    must(save_policy(ports, manager_actor(), policy));
  }
  ~Fixture() { fs::remove_all(folder); }

  ca::EmbeddedParts embedded() { return {keys, status, clock}; }
  void add(CaRecord& record, const ca::EmbeddedSettings& settings) {
    record.connector = "embedded";
    record.settings = ca::write_settings(settings);
    must(store.transact(
        [&](Transaction& transaction) { return store_authority(transaction, manager_actor(), record, clock.now()); }));
  }
  void change(const CaRecord& record, const std::function<void(ca::EmbeddedSettings&)>& wanted) {
    CaRecord& row = store.state.cas_rows.at(record.id);
    auto settings = must(ca::read_settings(row.settings));
    wanted(settings);
    row.settings = ca::write_settings(settings);
  }
  ca::EmbeddedSettings settings_of(const CaRecord& record) {
    return must(ca::read_settings(store.state.cas_rows.at(record.id).settings));
  }
  // The record of an authority's present certificate.
  Certificate row_of(const CaRecord& record) {
    const Bytes der = settings_of(record).certificate;
    for (const auto& [id, row] : store.state.certificates_rows)
      if (row.der == der) return row;
    BOOST_FAIL("the certificate has no record");
    return {};
  }
  CertificateFacts signer_of(const CaRecord& record) {
    const auto settings = must(ca::read_settings(store.state.cas_rows.at(record.id).settings));
    return must(certificate_facts(settings.ocsp->certificate));
  }
  CsrIssuance wish(const SecretBytes& key) {
    CsrIssuance wanted;
    wanted.policy = "tls-server";
    wanted.csr = must(request_for_key(key));
    return wanted;
  }
  Certificate make_server_certificate() {
    const SecretBytes key = std::move(must(generate_decryption_key("ec:P-256")).pkcs8);
    CsrIssuance wanted = wish(key);
    wanted.subject = "CN=host.example.org";
    wanted.alternative_names = {{{AlternativeName::Kind::dns, "host.example.org"}, {AlternativeName::Kind::ip, "::1"}}};
    Certificate made = must(issue_for_csr(ports, manager_actor(), wanted));
    must(write_new_file(key_file, must(secret_pem("PRIVATE KEY", key)).view(), FileAccess::owner));
    put(made.der);
    return made;
  }
  void put(const Bytes& der) {
    must(replace_file(certificate_file, view_of(must(x509::to_pem("CERTIFICATE", der))), FileAccess::all));
  }
  std::vector<Bytes> in_file() {
    std::ostringstream text;
    text << std::ifstream(certificate_file).rdbuf();
    return must(x509::all_from_pem_or_der("CERTIFICATE", view_of(text.str())));
  }
  ServerCertificate renew() { return must(renew_server_certificate(ports, certificate_file, key_file)); }

  testing::MemoryStore store;
  Keys keys;
  testing::SetClock clock;
  StoreStatus status{store};
  ca::Connectors connectors{ca::ConnectorParts{keys, status, clock}};
  Ports ports{store, keys, connectors, clock};
  CaRecord root;
  CaRecord issuing;
  fs::path folder;
  fs::path certificate_file = folder / "server.pem";
  fs::path key_file = folder / "server.key";
};

}  // namespace

BOOST_FIXTURE_TEST_SUITE(self_renewal, Fixture)

BOOST_AUTO_TEST_CASE(an_ocsp_signer_is_renewed_well_before_its_end) {
  const ca::ConnectorParts parts{keys, status, clock};
  const CertificateFacts first = signer_of(issuing);
  BOOST_TEST(must(renew_ocsp_signers(ports, parts)).empty());
  clock.at += days(250);
  BOOST_REQUIRE(first.not_after > clock.at);
  BOOST_TEST((must(renew_ocsp_signers(ports, parts)) == std::vector<std::string>{"root", "issuing"}));
  const CertificateFacts second = signer_of(issuing);
  BOOST_TEST((second.not_after > first.not_after));
  BOOST_TEST((second.spki != first.spki));
  BOOST_TEST(second.issuer == "CN=Issuing");
  BOOST_TEST(must(renew_ocsp_signers(ports, parts)).empty());
  BOOST_TEST(store.state.events.back().action == "ca_saved");
}

BOOST_AUTO_TEST_CASE(a_signer_that_lasts_as_long_as_its_authority_stays) {
  ca::CaCreation wanted;
  wanted.name = "short";
  wanted.subject = "CN=Short";
  wanted.validity = manager::IsoDuration{0, 180, 0};
  CaRecord record;
  record.name = "short";
  add(record, must(ca::create_root(embedded(), wanted)));
  clock.at += days(170);
  BOOST_TEST(must(renew_ocsp_signers(ports, {keys, status, clock})).empty());
  const auto ending = must(ending_authorities(ports));
  BOOST_REQUIRE(ending.size() == 1U);
  BOOST_TEST(ending[0].name == "short");
  BOOST_TEST((ending[0].advice.find("cardea ca create") != std::string::npos));
}

BOOST_AUTO_TEST_CASE(a_signer_whose_key_is_gone_is_replaced_and_the_authority_answers_meanwhile) {
  const ca::ConnectorParts parts{keys, status, clock};
  must(keys.destroy_key(settings_of(issuing).ocsp->key));
  const auto opened = must(ca::EmbeddedCa::open(issuing.id, settings_of(issuing), embedded()));
  // Shortest request that has a CertID: whatever it names, the answer is signed.
  const auto own = must(x509::view_certificate(opened->certificate()));
  const Bytes hash =
      x509::sequence({must(x509::object_identifier("1.3.14.3.2.26")), x509::element(x509::tag_null, {})});
  const Bytes name_hash = x509::octet_string(must(crypto::digest(Hash::sha1, own.subject)));
  const Bytes key_hash = x509::octet_string(must(crypto::digest(Hash::sha1, x509::key_bits(own.key_info))));
  const Bytes id = x509::sequence({hash, name_hash, key_hash, x509::integer(std::uint64_t{5})});
  const Bytes question = x509::sequence({x509::sequence({x509::sequence({x509::sequence({id})})})});
  BOOST_TEST(must(opened->answer_ocsp(question, clock.now())).size() > 64U);
  BOOST_TEST((must(renew_ocsp_signers(ports, parts)) == std::vector<std::string>{"issuing"}));
  BOOST_TEST(keys.signing_key(settings_of(issuing).ocsp->key).ok());
}

BOOST_AUTO_TEST_CASE(an_authority_that_has_ended_gets_no_keys) {
  must(keys.destroy_key(settings_of(issuing).ocsp->key));
  clock.at = must(certificate_facts(settings_of(issuing).certificate)).not_after + days(1);
  const std::size_t before = keys.key_pairs();
  BOOST_TEST((renew_ocsp_signers(ports, {keys, status, clock}).code() == Code::action_prohibited));
  // The root's is due.
  BOOST_TEST(keys.key_pairs() == before + 1);
}

BOOST_AUTO_TEST_CASE(the_key_of_a_former_signer_goes_when_nothing_it_signed_is_in_use) {
  const std::string first = settings_of(issuing).ocsp->key;
  clock.at += days(250);
  must(renew_ocsp_signers(ports, {keys, status, clock}));
  BOOST_REQUIRE(settings_of(issuing).former_signers.size() == 1U);
  BOOST_TEST(settings_of(issuing).former_signers[0].key == first);
  // Its last answer may be asked for again until its end, an hour unless told otherwise.
  clock.at += std::chrono::hours(1);
  BOOST_TEST(must(destroy_former_signers(ports)) == 0U);
  BOOST_TEST(keys.signing_key(first).ok());
  clock.at += std::chrono::hours(2);
  // One of them is gone already, as after a cut between key token and store.
  must(keys.destroy_key(settings_of(root).former_signers.at(0).key));
  BOOST_TEST(must(destroy_former_signers(ports)) == 2U);
  BOOST_TEST((keys.signing_key(first).code() == Code::not_found));
  BOOST_TEST(settings_of(issuing).former_signers.empty());
  BOOST_TEST(keys.signing_key(settings_of(issuing).ocsp->key).ok());
  BOOST_TEST(must(destroy_former_signers(ports)) == 0U);
}

BOOST_AUTO_TEST_CASE(a_key_that_cannot_be_destroyed_keeps_no_others) {
  const std::string first = settings_of(issuing).ocsp->key;
  clock.at += days(250);
  must(renew_ocsp_signers(ports, {keys, status, clock}));
  clock.at += days(1);
  keys.stuck = settings_of(root).former_signers.at(0).key;
  BOOST_TEST((destroy_former_signers(ports).code() == Code::device_error));
  BOOST_TEST((keys.signing_key(first).code() == Code::not_found));
  BOOST_TEST(keys.signing_key(keys.stuck).ok());
  BOOST_TEST(settings_of(root).former_signers.size() == 1U);
}

BOOST_AUTO_TEST_CASE(an_authority_below_is_a_record_of_its_issuer_that_can_be_revoked) {
  const Certificate row = row_of(issuing);
  BOOST_TEST(row.ca == root.id);
  BOOST_TEST((row.state == CertificateState::active));
  BOOST_TEST(row.subject == "CN=Issuing");
  BOOST_TEST(store.state.certificates_rows.size() == 1U);
  make_server_certificate();
  clock.at += days(1);
  RevocationOrder order;
  order.certificates = {row.id};
  order.reason = "cACompromise";
  const auto lines = must(revoke_certificates(ports, manager_actor(), order));
  BOOST_REQUIRE(lines.size() == 1U);
  BOOST_TEST(lines[0].done, lines[0].problem);
  const auto serial = to_bytes(must(x509::view_certificate(row.der)).serial);
  const auto told = must(status.status(root.id, serial));
  BOOST_TEST((told.state == CertificateStatus::State::revoked && told.reason == RevocationReason::ca_compromise));
  const auto above = must(ca::EmbeddedCa::open(root.id, settings_of(root), embedded()));
  const Bytes crl = must(above->make_crl(1, clock.now()));
  BOOST_TEST((std::search(crl.begin(), crl.end(), serial.begin(), serial.end()) != crl.end()));
  // It issues nothing and is not renewed, but its OCSP signer is.
  const SecretBytes key = std::move(must(generate_decryption_key("ec:P-256")).pkcs8);
  CsrIssuance wanted = wish(key);
  wanted.subject = "CN=late.example.org";
  const auto refused = issue_for_csr(ports, manager_actor(), wanted);
  BOOST_TEST((refused.code() == Code::action_prohibited));
  BOOST_TEST((refused.error().detail.find("revoked") != std::string::npos), refused.error().detail);
  const auto renewed = renew_authority(ports, {keys, status, clock}, manager_actor(),
                                       store.state.cas_rows.at(issuing.id), IsoDuration{20 * 12});
  BOOST_TEST((renewed.code() == Code::action_prohibited));
  clock.at += days(250);
  BOOST_TEST((must(renew_ocsp_signers(ports, {keys, status, clock})) == std::vector<std::string>{"root", "issuing"}));
}

BOOST_AUTO_TEST_CASE(what_earlier_versions_made_is_recorded_once) {
  const Bytes der = settings_of(issuing).certificate;
  change(issuing, [](ca::EmbeddedSettings& settings) { settings.issuer = 0; });
  store.state.certificates_rows.clear();
  BOOST_TEST((must(record_ca_certificates(ports)) == std::vector<std::string>{"issuing"}));
  BOOST_TEST((row_of(issuing).der == der));
  BOOST_TEST(settings_of(issuing).issuer == root.id);
  BOOST_TEST(must(record_ca_certificates(ports)).empty());
  BOOST_TEST(store.state.certificates_rows.size() == 1U);
}

BOOST_AUTO_TEST_CASE(an_authority_is_renewed_for_its_key_and_those_below_follow) {
  const ca::ConnectorParts parts{keys, status, clock};
  CaRecord middle;
  CaRecord low;
  ca::CaCreation wanted;
  wanted.name = middle.name = "middle";
  wanted.subject = "CN=Middle";
  wanted.type = ca::CaType::intermediate;
  add(middle,
      must(ca::create_below(embedded(), wanted, *must(ca::EmbeddedCa::open(root.id, settings_of(root), embedded())))));
  wanted.name = low.name = "low";
  wanted.subject = "CN=Low";
  wanted.type = ca::CaType::issuing;
  add(low, must(ca::create_below(embedded(), wanted,
                                 *must(ca::EmbeddedCa::open(middle.id, settings_of(middle), embedded())))));
  const Certificate first_row = row_of(middle);
  const auto first = settings_of(middle);
  clock.at += days(365);
  const auto renew = [&](const CaRecord& which, std::optional<IsoDuration> validity = {}) {
    return renew_authority(ports, parts, manager_actor(), store.state.cas_rows.at(which.id), validity);
  };
  must(renew(middle));
  const auto second = settings_of(middle);
  const CertificateFacts before = must(certificate_facts(first.certificate));
  const CertificateFacts now = must(certificate_facts(second.certificate));
  BOOST_TEST((now.spki == before.spki));
  BOOST_TEST(now.subject == before.subject);
  BOOST_TEST(now.serial != before.serial);
  BOOST_TEST((now.not_after - before.not_after >= days(364)));
  BOOST_TEST((*second.since == before.not_before));
  BOOST_TEST((store.state.certificates_rows.at(first_row.id).state == CertificateState::superseded));
  BOOST_TEST((row_of(middle).state == CertificateState::active));
  BOOST_TEST((settings_of(low).chain == std::vector<Bytes>{second.certificate, settings_of(root).certificate}));
  // The next renewal below is signed by the same key, and no certificate ends after the one above.
  clock.at += days(8 * 365);
  must(renew(low));
  BOOST_TEST((must(certificate_facts(settings_of(low).certificate)).not_after == now.not_after));
  BOOST_TEST((renew(low).code() == Code::action_prohibited));
  BOOST_TEST((renew(middle, IsoDuration{0, 30}).code() == Code::action_prohibited));
  BOOST_TEST((renew(root).code() == Code::action_prohibited));
}

BOOST_AUTO_TEST_CASE(authorities_below_are_renewed_by_themselves_in_time) {
  const ca::ConnectorParts parts{keys, status, clock};
  const auto first = must(certificate_facts(settings_of(issuing).certificate));
  BOOST_TEST(must(renew_authorities(ports, parts)).empty());
  clock.at = first.not_after - days(365);
  change(issuing, [](ca::EmbeddedSettings& settings) { settings.renews_itself = false; });
  BOOST_TEST(must(renew_authorities(ports, parts)).empty());
  auto ending = must(ending_authorities(ports));
  BOOST_REQUIRE(ending.size() == 1U);
  BOOST_TEST((ending[0].advice.find("cardea ca renew issuing") != std::string::npos), ending[0].advice);
  change(issuing, [](ca::EmbeddedSettings& settings) {
    settings.renews_itself = true;
    settings.renew_before = IsoDuration{0, 300};
  });
  BOOST_TEST(must(renew_authorities(ports, parts)).empty());
  BOOST_TEST(must(ending_authorities(ports)).empty());
  clock.at += days(66);
  BOOST_TEST((must(renew_authorities(ports, parts)) == std::vector<std::string>{"issuing"}));
  BOOST_TEST(must(ending_authorities(ports)).empty());
  BOOST_TEST((must(certificate_facts(settings_of(issuing).certificate)).not_after > first.not_after + days(3000)));
  // Capped by the root at last: nothing is gained by another certificate, and people are told.
  clock.at = must(certificate_facts(settings_of(root).certificate)).not_after - days(200);
  must(renew_authorities(ports, parts));
  BOOST_TEST(must(renew_authorities(ports, parts)).empty());
  ending = must(ending_authorities(ports));
  BOOST_REQUIRE(ending.size() == 2U);
  BOOST_TEST((ending[0].advice.find("cardea ca create") != std::string::npos), ending[0].advice);
  BOOST_TEST((ending[1].advice.find("says why") != std::string::npos), ending[1].advice);
}

BOOST_AUTO_TEST_CASE(the_servers_certificate_is_renewed_with_its_key_and_names) {
  const Certificate first = make_server_certificate();
  BOOST_TEST((renew() == ServerCertificate::good));
  clock.at += days(250);
  BOOST_REQUIRE((*first.not_after > clock.at));
  BOOST_TEST((renew() == ServerCertificate::renewed));
  const auto chain = in_file();
  BOOST_REQUIRE(chain.size() == 2U);
  const CertificateFacts second = must(certificate_facts(chain[0]));
  const CertificateFacts before = must(certificate_facts(first.der));
  BOOST_TEST((second.not_after > before.not_after));
  BOOST_TEST((second.spki == before.spki));
  BOOST_TEST(second.subject == "CN=host.example.org");
  const std::string text(chain[0].begin(), chain[0].end());
  BOOST_TEST((text.find("host.example.org", text.find("host.example.org") + 1) != std::string::npos));
  BOOST_TEST(must(certificate_facts(chain[1])).subject == "CN=Issuing");
  BOOST_TEST((store.state.certificates_rows.at(first.id).state == CertificateState::superseded));
  BOOST_TEST((renew() == ServerCertificate::good));
  struct stat found {};
  BOOST_REQUIRE(stat(certificate_file.c_str(), &found) == 0);
  BOOST_TEST((found.st_mode & 0777) == 0644U);
}

BOOST_AUTO_TEST_CASE(a_renewal_that_was_cut_off_goes_on_with_what_was_issued) {
  const Certificate first = make_server_certificate();
  clock.at += days(250);
  BOOST_TEST((renew() == ServerCertificate::renewed));
  const auto issued = in_file();
  const std::size_t rows = store.state.certificates_rows.size();
  // As if the power had failed before the file was replaced, and another time in the middle of that.
  put(first.der);
  store.state.certificates_rows.at(first.id).state = CertificateState::active;
  std::ofstream(certificate_file.string() + ".new") << "half";
  BOOST_TEST((renew() == ServerCertificate::renewed));
  BOOST_TEST((in_file() == issued));
  BOOST_TEST(store.state.certificates_rows.size() == rows);
  BOOST_TEST(!fs::exists(certificate_file.string() + ".new"));
}

BOOST_AUTO_TEST_CASE(a_certificate_that_others_issued_is_told_of) {
  make_server_certificate();
  const auto settings = must(ca::read_settings(root.settings));
  put(settings.certificate);
  BOOST_TEST((renew() == ServerCertificate::good));
  const CertificateFacts facts = must(certificate_facts(settings.certificate));
  clock.at = facts.not_after - days(30);
  BOOST_TEST((renew() == ServerCertificate::not_issued));
  BOOST_TEST((in_file() == std::vector<Bytes>{settings.certificate}));
}

BOOST_AUTO_TEST_SUITE_END()

}  // namespace cardea::manager
