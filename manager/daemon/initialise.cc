#include "daemon/initialise.h"

#include <fmt/format.h>
#include <sys/stat.h>
#include <unistd.h>

#include <boost/json.hpp>
#include <cstdio>
#include <fstream>
#include <sstream>

#include "crypto/digest.h"
#include "daemon/key_token_setup.h"
#include "daemon/private_files.h"
#include "daemon/settings.h"
#include "daemon/system.h"
#include "domain/cause.h"
#include "domain/certificate_policy.h"
#include "domain/certificates.h"
#include "domain/people.h"
#include "domain/profile.h"
#include "embedded/embedded_ca.h"
#include "embedded/settings.h"
#include "store/database.h"
#include "x509/encoding.h"

namespace cardea::manager {
namespace {

namespace fs = std::filesystem;
namespace json = boost::json;

constexpr std::string_view root_name = "root";
constexpr std::string_view issuing_name = "issuing";

void say(const std::string& line) {
  std::printf("%s\n", line.c_str());
}

Status make_data_directory(const fs::path& directory) {
  std::error_code failed;
  fs::create_directories(directory.parent_path(), failed);
  if (mkdir(directory.c_str(), 0700) != 0 && errno != EEXIST)
    return error(Code::permission_denied, fmt::format("{} cannot be made", directory.string()));
  if (fs::exists(directory / "manager.db", failed) || fs::exists(directory / "keys", failed))
    return error(Code::exists, fmt::format("there is a manager in {} already", directory.string()));
  if (chmod(directory.c_str(), 0700) != 0)
    return error(Code::permission_denied, fmt::format("{} is another user's", directory.string()));
  return {};
}

Status make_settings_file(const Beginning& beginning) {
  std::error_code failed;
  if (fs::exists(beginning.settings_file, failed)) return {};
  fs::create_directories(beginning.settings_file.parent_path(), failed);
  return write_new_file(beginning.settings_file, view_of(default_settings_text(beginning.data_directory)),
                        FileAccess::all);
}

// The text of a DN's value (RFC 4514, 2.4).
std::string escaped(std::string_view value) {
  std::string out;
  for (const char letter : value) {
    if (std::string_view(",+\"\\<>;=#").find(letter) != std::string_view::npos) out += '\\';
    out += letter;
  }
  return out;
}

Status make_authorities(System& system, const Beginning& beginning) {
  const std::string organisation = escaped(beginning.organisation);
  CaRecord root;
  root.name = root_name;
  root.connector = "embedded";
  root.settings = {{"subject", fmt::format("CN={} Root CA,O={}", organisation, organisation)}, {"key_type", "p-384"}};
  CARDEA_TRY(system.authorities().create(manager_actor(), root));
  CaRecord issuing;
  issuing.name = issuing_name;
  issuing.connector = "embedded";
  issuing.settings = {{"subject", fmt::format("CN={} Issuing CA,O={}", organisation, organisation)},
                      {"parent", root_name}};
  CARDEA_TRY(system.authorities().create(manager_actor(), issuing));
  return {};
}

Result<CaRecord> find_ca(System& system, std::string_view name) {
  std::optional<CaRecord> found;
  CARDEA_TRY(system.ports().store.read([&](Transaction& store) -> Status {
    CARDEA_ASSIGN(found, store.ca_by_name(name));
    return {};
  }));
  return std::move(*found);
}

struct StarterPolicy {
  std::string_view name;
  std::string_view ca_profile;
  std::string_view document;
};
constexpr StarterPolicy starter_policies[] = {{"authentication", "smartcard-logon", R"({
      "display_name": "Log-on", "subject": [{"type": "CN", "from": "person.display_name"}],
      "alternative_names": [{"type": "upn", "from": "person.attributes.upn", "optional": true},
                            {"type": "email", "from": "person.email", "optional": true}],
      "sid": {"from": "person.attributes.sid", "optional": true}})"},
                                              {"signature", "smartcard-signature", R"({
      "display_name": "Signature", "subject": [{"type": "CN", "from": "person.display_name"}],
      "alternative_names": [{"type": "email", "from": "person.email", "optional": true}]})"},
                                              {"encryption", "smartcard-encryption", R"({
      "display_name": "Encryption", "archive_keys": true,
      "subject": [{"type": "CN", "from": "person.display_name"}],
      "alternative_names": [{"type": "email", "from": "person.email", "optional": true}]})"},
                                              {"tls-server", "tls-server", R"({
      "display_name": "TLS server", "subject": [{"type": "CN", "from": "person.display_name"}]})"},
                                              {"tls-client", "tls-client", R"({
      "display_name": "TLS client", "subject": [{"type": "CN", "from": "person.display_name"}]})"}};

Status make_policies_and_profiles(System& system) {
  CARDEA_ASSIGN(const CaRecord issuing, find_ca(system, issuing_name));
  for (const StarterPolicy& starter : starter_policies) {
    CertificatePolicy policy;
    policy.ca = issuing.id;
    policy.name = starter.name;
    policy.ca_profile = starter.ca_profile;
    policy.document = json::parse(starter.document).get_object();
    CARDEA_TRY(save_policy(system.ports(), manager_actor(), policy));
  }
  for (const ExampleProfile& example : example_profiles()) {
    Profile profile;
    profile.name = example.name;
    profile.document = json::parse(example.document).get_object();
    CARDEA_TRY(save_profile(system.ports(), manager_actor(), profile));
  }
  return {};
}

// A certificate with a key of its own, for the daemon or the administrator; both become rows, so that they can be
// revoked like any other.
struct OwnIdentity {
  std::string certificate_pem;  ///< with the chain
  SecretBytes key_pem;
  Bytes der;
};

Result<std::string> chain_pem(const Issued& issued) {
  CARDEA_ASSIGN(std::string pem, x509::to_pem("CERTIFICATE", issued.certificate));
  for (std::size_t i = 0; i + 1 < issued.chain.size(); ++i) {
    CARDEA_ASSIGN(const std::string above, x509::to_pem("CERTIFICATE", issued.chain[i]));
    pem += above;
  }
  return pem;
}

Status record(System& system, Id ca, std::string_view policy, const Bytes& der) {
  CARDEA_ASSIGN(const CertificateFacts facts, certificate_facts(der));
  Certificate row;
  row.state = CertificateState::active;
  row.ca = ca;
  row.policy = policy;
  row.serial = facts.serial;
  row.subject = facts.subject;
  row.issuer = facts.issuer;
  row.der = der;
  CARDEA_ASSIGN(row.public_key_hash, crypto::digest(Hash::sha256, facts.spki));
  row.not_before = facts.not_before;
  row.not_after = facts.not_after;
  row.created = row.updated = system.ports().clock.now();
  return system.ports().store.transact([&](Transaction& store) -> Status {
    CARDEA_TRY(store.insert(row));
    return {};
  });
}

Result<OwnIdentity> make_identity(System& system, const IssuanceRequest& request, std::string_view policy) {
  CARDEA_ASSIGN(const CaRecord issuing, find_ca(system, issuing_name));
  CARDEA_ASSIGN(auto settings, ca::read_settings(issuing.settings));
  StoreStatus status(system.ports().store);
  CARDEA_ASSIGN(const auto authority,
                ca::EmbeddedCa::open(issuing.id, std::move(settings),
                                     ca::EmbeddedParts{system.ports().keys, status, system.ports().clock}));
  OwnIdentity identity;
  if (!request.csr.empty()) {
    CARDEA_ASSIGN(const EnrolmentAnswer answer,
                  authority->enrol(request, IssuanceTicket::for_recorded_intent(request.id)));
    const auto* issued = std::get_if<Issued>(&answer);
    if (issued == nullptr)
      return error(Code::action_prohibited, fmt::format("the authority refused the request in {}", request.id));
    CARDEA_ASSIGN(identity.certificate_pem, chain_pem(*issued));
    identity.der = issued->certificate;
  } else {
    CARDEA_ASSIGN(const ca::IssuedWithKey made,
                  authority->enrol_with_key(request, IssuanceTicket::for_recorded_intent(request.id),
                                            crypto::KeyAlgorithm::p256));
    CARDEA_ASSIGN(identity.certificate_pem, chain_pem(made.issued));
    CARDEA_ASSIGN(identity.key_pem, secret_pem("PRIVATE KEY", made.private_key));
    identity.der = made.issued.certificate;
  }
  CARDEA_TRY(record(system, issuing.id, policy, identity.der));
  return identity;
}

bool is_address(const std::string& host) {
  return host.find(':') != std::string::npos || host.find_first_not_of("0123456789.") == std::string::npos;
}

Status make_server_identity(System& system, const Beginning& beginning, const DaemonSettings& settings) {
  IssuanceRequest request;
  request.id = "the server's certificate";
  request.profile = "tls-server";
  request.subject = "CN=" + escaped(beginning.host);
  request.alternative_names.emplace();
  using Kind = AlternativeName::Kind;
  request.alternative_names->push_back({is_address(beginning.host) ? Kind::ip : Kind::dns, beginning.host});
  // The machine itself always reaches the daemon by these.
  if (beginning.host != "localhost") request.alternative_names->push_back({Kind::dns, "localhost"});
  if (beginning.host != "127.0.0.1") request.alternative_names->push_back({Kind::ip, "127.0.0.1"});
  CARDEA_ASSIGN(const OwnIdentity made, make_identity(system, request, "tls-server"));
  CARDEA_TRY(write_new_file(settings.server.key_file, made.key_pem.view(), FileAccess::owner));
  return write_new_file(settings.server.certificate_file, view_of(made.certificate_pem), FileAccess::all);
}

Result<Bytes> read_request(const fs::path& file) {
  std::ifstream in(file, std::ios::binary);
  std::ostringstream text;
  text << in.rdbuf();
  if (!in) return error(Code::not_found, fmt::format("{} cannot be read", file.string()));
  return x509::from_pem_or_der("CERTIFICATE REQUEST", view_of(text.str()));
}

Status make_administrator(System& system, const Beginning& beginning) {
  IssuanceRequest request;
  request.id = "the administrator's certificate";
  request.profile = "tls-client";
  request.subject = "CN=" + escaped(beginning.administrator);
  request.alternative_names.emplace();
  if (!beginning.administrator_request.empty()) {
    CARDEA_ASSIGN(request.csr, read_request(beginning.administrator_request));
  }
  CARDEA_ASSIGN(const OwnIdentity made, make_identity(system, request, "tls-client"));
  CARDEA_ASSIGN(const Bytes hash, crypto::digest(Hash::sha256, made.der));
  Operator first;
  first.name = beginning.administrator;
  first.roles = {"system_administrator"};
  first.scope = "all";
  first.certificates = {to_hex(hash)};
  CARDEA_TRY(save_operator(system.ports(), manager_actor(), first));
  const fs::path& data = beginning.data_directory;
  CARDEA_TRY(write_new_file(data / "administrator.pem", view_of(made.certificate_pem), FileAccess::all));
  if (made.key_pem.empty()) return {};
  return write_new_file(data / "administrator.key", made.key_pem.view(), FileAccess::owner);
}

// What the command line needs to reach the manager as its administrator.
Status write_client_files(System& system, const Beginning& beginning, const DaemonSettings& settings) {
  const fs::path& data = beginning.data_directory;
  CARDEA_ASSIGN(const http::OwnCa root, system.authorities().local(root_name));
  CARDEA_ASSIGN(const std::string pem, x509::to_pem("CERTIFICATE", root.ca->certificate()));
  CARDEA_TRY(write_new_file(data / "ca.pem", view_of(pem), FileAccess::all));
  std::string text = fmt::format(
      "# For a shell: . {0}/administrator.env\nexport CARDEA_MANAGER='https://{1}:{2}'\n"
      "export CARDEA_MANAGER_CA='{0}/ca.pem'\nexport CARDEA_MANAGER_CERTIFICATE='{0}/administrator.pem'\n",
      data.string(), beginning.host, settings.server.port);
  if (beginning.administrator_request.empty())
    text += fmt::format("export CARDEA_MANAGER_KEY='{}/administrator.key'\n", data.string());
  return write_new_file(data / "administrator.env", view_of(text), FileAccess::all);
}

Status make_manager(const Beginning& beginning) {
  CARDEA_TRY(make_settings_file(beginning));
  CARDEA_ASSIGN(const DaemonSettings settings, read_settings(beginning.settings_file));
  if (settings.data_directory != beginning.data_directory)
    return error(Code::arguments_bad, fmt::format("{} names another data directory, {}",
                                                  beginning.settings_file.string(), settings.data_directory.string()));
  say(fmt::format("settings        {}", beginning.settings_file.string()));
  use_own_token_home(beginning.data_directory);
  if (settings.keys.module.empty()) {
    CARDEA_TRY(make_own_key_token(settings.keys.token, settings.keys.pin_source));
    say(fmt::format("key token       '{}', its PIN in {}", settings.keys.token, settings.keys.pin_source));
  }
  store::Settings database;
  database.database = settings.database;
  CARDEA_TRY(store::migrate(database));
  say(fmt::format("database        {}", settings.database));
  CARDEA_ASSIGN(const auto system, System::open(settings, Log::none()));
  CARDEA_TRY(ensure_manager_keys(system->ports().keys));
  CARDEA_TRY(make_authorities(*system, beginning));
  CARDEA_TRY(make_policies_and_profiles(*system));
  say("authorities     'root' and 'issuing', with policies and profiles for staff credentials");
  CARDEA_TRY(make_server_identity(*system, beginning, settings));
  CARDEA_TRY(make_administrator(*system, beginning));
  CARDEA_TRY(write_client_files(*system, beginning, settings));
  say(fmt::format("administrator   '{}'; settings for the command line: {}/administrator.env", beginning.administrator,
                  beginning.data_directory.string()));
  say(fmt::format("next: cardea-manager run --config {}", beginning.settings_file.string()));
  return {};
}

}  // namespace

Status initialise(const Beginning& beginning) {
  CARDEA_TRY(make_data_directory(beginning.data_directory));
  const Status made = make_manager(beginning);
  if (made) return {};
  // Half a manager is of no use and stands in the way of the next attempt; what is removed is for a person to say.
  return error(made.code(),
               fmt::format("{}; mend that, remove {}, empty the database if it is elsewhere, and run init again",
                           cause(made.error()), beginning.data_directory.string()));
}

}  // namespace cardea::manager
