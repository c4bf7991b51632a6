// The manager's own certificates, years ahead.
#include "daemon/self_renewal.h"

#include <sys/stat.h>
#include <unistd.h>

#include <boost/test/unit_test.hpp>
#include <fstream>
#include <sstream>

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
    must(store.transact([&](Transaction& transaction) -> Status {
      CARDEA_ASSIGN(record.id, transaction.insert(record));
      return {};
    }));
  }
  CertificateFacts signer_of(const CaRecord& record) {
    const auto settings = must(ca::read_settings(store.state.cas_rows.at(record.id).settings));
    return must(certificate_facts(settings.ocsp->certificate));
  }
  Certificate make_server_certificate() {
    const SecretBytes key = std::move(must(generate_decryption_key("ec:P-256")).pkcs8);
    CsrIssuance wanted;
    wanted.policy = "tls-server";
    wanted.csr = must(request_for_key(key));
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
  testing::MemoryKeys keys;
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
  BOOST_TEST((must(ending_authorities(ports)) == std::vector<std::string>{"short"}));
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
