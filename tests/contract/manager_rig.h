// A manager without its daemon: a real SQLite store, a real key token, the embedded CA, and the agent's runner on real
// tokens of one kind. What HTTPS carries between agent and daemon is a function call here.
#pragma once

#include <sys/stat.h>

#include <boost/json/parse.hpp>
#include <fstream>

#include "agent/device_kinds.h"
#include "agent/job_runner.h"
#include "base/testing.h"
#include "ca/connectors.h"
#include "contract/card_kind.h"
#include "domain/archive.h"
#include "domain/audit_log.h"
#include "domain/certificate_policy.h"
#include "domain/certificates.h"
#include "domain/journal.h"
#include "domain/people.h"
#include "domain/profile.h"
#include "domain/requests.h"
#include "domain/store_status.h"
#include "embedded/creation.h"
#include "keys/pkcs11_key_token.h"
#include "store/database.h"
#include "swtpm/swtpm.h"

namespace cardea::lifecycle {

using cardea::testing::must;
namespace json = boost::json;

inline void must(const Status& status) {
  if (!status) throw std::runtime_error(describe(status.error()));
}

inline std::string environment(const char* name) {
  const char* const value = std::getenv(name);
  if (value == nullptr) throw std::runtime_error(std::string(name) + " is not set");
  return value;
}

/// The agent's daemon, in this process.
class LocalServer final : public agent::Server {
 public:
  explicit LocalServer(const manager::Ports& ports) : ports_(ports) {}

  Result<agent::AgentSession> open(std::string_view code, ByteView resume) override {
    CARDEA_ASSIGN(auto opened, manager::open_agent_session(ports_, code, text_of(resume), "test"));
    agent::AgentSession session;
    session.secret = std::move(opened.secret);
    session.job = opened.job;
    session.text = opened.text;
    session.device_kinds = opened.device_kinds;
    session.makes_tokens = opened.kind == "issue" || opened.kind == "replace";
    return session;
  }

  Result<agent::NextStep> next(const agent::AgentSession& session,
                               const std::optional<agent::StepReport>& report) override {
    std::optional<manager::StepReport> told;
    if (report) {
      told = manager::StepReport{report->step,
                                 report->result.has_value(),
                                 report->result.value_or(json::object()),
                                 report->result ? "" : describe(report->problem),
                                 report->result ? "" : std::string(name(report->problem.code)),
                                 report->retry};
      if (stop_from && *stop_from <= report->step) {
        stopped_at = report->step;
        stop_from.reset();
        return error(Code::function_canceled, "stopped by the test");
      }
    }
    CARDEA_ASSIGN(auto next, manager::next_step(ports_, session.job, told));
    agent::NextStep step;
    step.state = static_cast<agent::NextStep::State>(next.state);
    step.text = next.text;
    step.retry_after = next.retry_after;
    step.index = next.index;
    step.kind = next.kind;
    step.of = static_cast<std::uint32_t>(next.of);
    step.parameters = std::move(next.parameters);
    return step;
  }

  Result<Bytes> answer(const agent::AgentSession& session, std::uint32_t step, const agent::AdminChallenge& challenge,
                       bool factory) override {
    return manager::answer_challenge(ports_, session.job,
                                     {step, challenge.bytes, "admin-key", challenge.algorithm, factory});
  }

  /// The report of this step, or the first after it, does not arrive, and the agent ends: once.
  std::optional<std::uint32_t> stop_from;
  std::uint32_t stopped_at = 0;

 private:
  const manager::Ports& ports_;
};

/// Somebody with a PIN who reads nothing.
class SilentUser final : public agent::User {
 public:
  void tell(std::string_view line) override { BOOST_TEST_MESSAGE(line); }
  Result<Pin> present_pin(std::string_view, bool refused) override {
    if (refused) return Code::function_canceled;
    return Pin(view_of(pin));
  }
  Result<Pin> present_last_pin(std::string_view) override { return Code::pin_incorrect; }
  Result<bool> turn_to_pad(std::string_view, bool, bool) override { return false; }
  Result<Pin> new_pin(std::string_view, std::string_view, std::string_view problem) override {
    if (!problem.empty()) return error(Code::pin_invalid, std::string(problem));
    return Pin(view_of(pin));
  }
  Status show_pin(std::string_view, const Pin&) override { return {}; }

  std::string pin = "80357146";
};

struct Setting {
  Setting() {
    setenv("CARDEA_HOME", home.path().c_str(), 1);
    setenv("CARDEA_CONF", (home.path() / "cardea.toml").c_str(), 1);
    setenv("XDG_CACHE_HOME", home.path().c_str(), 1);
    kind = environment("CARDEA_DEVICE_KIND");
    std::ofstream config(home.path() / "cardea.toml");
    config << "[keystore]\npin_cost = { memory_kib = 256, iterations = 1, lanes = 1 }\n";
    if (kind == "tpm") {
      tpm = std::make_unique<tpm::Swtpm>();
      config << "[tpm]\ntcti = \"" << tpm->tcti() << "\"\n";
    }
    config << "[card]\nenabled = " << (is_card() ? "true" : "false") << "\n";
    config.close();
    {
      const p11::Module module(environment("CARDEA_MODULE"));
      BOOST_REQUIRE_EQUAL(module.initialize(), CKR_OK);
      make_key_token(module);
      module->C_Finalize(nullptr);
    }
    std::ofstream(home.path() / "pin") << "manager-pin\n";
    chmod((home.path() / "pin").c_str(), 0600);
    keys = keys::make_key_token({environment("CARDEA_MODULE"), "manager", (home.path() / "pin").string()});
    settings.database = "sqlite:" + (home.path() / "manager.db").string();
    must(manager::store::migrate(settings));
    store = must(manager::store::open(settings));
    status = std::make_unique<manager::StoreStatus>(*store);
    connectors = std::make_unique<ca::Connectors>(ca::ConnectorParts{*keys, *status, clock});
    ports = std::make_unique<manager::Ports>(manager::Ports{*store, *keys, *connectors, clock, nullptr, "test"});
    server = std::make_unique<LocalServer>(*ports);
    tokens = agent::local_tokens(environment("CARDEA_MODULE"));
    must(manager::ensure_manager_keys(*keys));
    make_authorities();
  }

  bool is_card() const { return kind == "piv" || kind == "gids"; }

  static void make_key_token(const p11::Module& module) {
    std::string label = "manager";
    label.resize(32, ' ');
    CK_SLOT_ID slot = 0;
    for (const CK_SLOT_ID each : module.slots()) {
      CK_TOKEN_INFO info{};
      if (module->C_GetTokenInfo(each, &info) == CKR_OK && (info.flags & CKF_TOKEN_INITIALIZED) == 0) slot = each;
    }
    Bytes so = to_bytes(view_of("manager-so-pin")), user = to_bytes(view_of("manager-pin")),
          name = to_bytes(view_of(label));
    BOOST_REQUIRE_EQUAL(module->C_InitToken(slot, so.data(), so.size(), name.data()), CKR_OK);
    for (const CK_SLOT_ID each : module.slots()) {
      CK_TOKEN_INFO info{};
      if (module->C_GetTokenInfo(each, &info) != CKR_OK || std::memcmp(info.label, label.data(), 32) != 0) continue;
      const p11::Session session(module, each);
      BOOST_REQUIRE_EQUAL(session.login("manager-so-pin", CKU_SO), CKR_OK);
      BOOST_REQUIRE_EQUAL(module->C_InitPIN(session, user.data(), user.size()), CKR_OK);
    }
  }

  void make_authorities() {
    const ca::EmbeddedParts parts{*keys, *status, clock};
    ca::CaCreation root;
    root.name = "root";
    root.subject = "CN=Test root,O=Cardea test";
    const ca::EmbeddedSettings root_settings = must(ca::create_root(parts, root));
    const manager::Id root_id = insert_ca("root", root_settings);
    const auto opened = must(ca::EmbeddedCa::open(root_id, root_settings, parts));
    ca::CaCreation issuing;
    issuing.name = "issuing";
    issuing.subject = "CN=Test issuing CA,O=Cardea test";
    issuing.type = ca::CaType::issuing;
    issuing_id = insert_ca("issuing", must(ca::create_below(parts, issuing, *opened)));
    for (const auto& [name, profile] :
         {std::pair("authentication", "smartcard-authentication"), std::pair("signature", "smartcard-signature"),
          std::pair("encryption", "smartcard-encryption")}) {
      manager::CertificatePolicy policy;
      policy.ca = issuing_id;
      policy.name = name;
      policy.ca_profile = profile;
      policy.document = json::parse(R"({"subject": [{"type": "CN", "from": "person.display_name"}],
          "alternative_names": [{"type": "email", "from": "person.email"}]})")
                            .as_object();
      if (policy.name == "encryption") policy.document["archive_keys"] = true;
      must(manager::save_policy(*ports, admin, policy));
    }
    person.name = "alice";
    person.display_name = "Alice Archer";
    person.email = "alice@example.org";
    person = must(manager::save_person(*ports, admin, person));
    for (const auto& example : manager::example_profiles()) {
      manager::Profile profile;
      profile.name = example.name;
      profile.document = json::parse(json::string_view(example.document.data(), example.document.size())).as_object();
      must(manager::save_profile(*ports, admin, profile));
    }
  }

  manager::Id insert_ca(const std::string& name, const ca::EmbeddedSettings& settings) {
    manager::CaRecord row;
    row.name = name;
    row.connector = "embedded";
    row.settings = ca::write_settings(settings);
    manager::Id id = 0;
    must(store->transact([&](manager::Transaction& work) -> Status {
      CARDEA_ASSIGN(id, work.insert(row));
      return {};
    }));
    return id;
  }

  manager::Request ask(std::string what, std::optional<manager::Id> token = {}, std::string reason = "",
                       json::object parameters = {}) {
    manager::NewRequest wanted;
    wanted.kind = std::move(what);
    wanted.person = person.id;
    wanted.token = token;
    wanted.reason = std::move(reason);
    wanted.parameters = std::move(parameters);
    if (wanted.kind == "issue") wanted.profile = "staff-" + kind;
    manager::Request made = must(manager::create_request(*ports, admin, wanted));
    if (!made.parameters.contains(manager::former_keys)) return made;
    for (const char* name : {"rosa", "ruth"}) {
      manager::Operator row;
      row.name = name;
      row.roles = {"key_recovery"};
      row.scope = "all";
      row = must(manager::save_operator(*ports, admin, row));
      manager::Actor officer;
      must(store->read([&](manager::Transaction& work) -> Status {
        CARDEA_ASSIGN(officer, manager::operator_actor(work, row));
        return {};
      }));
      made = must(manager::approve_request(*ports, officer, made.id, ""));
    }
    return made;
  }

  std::string code_for(const manager::Request& request) {
    return std::string(text_of(must(manager::make_code(*ports, admin, request.id)).text.view()));
  }

  Status collect(const std::string& code) {
    agent::RunnerOptions options;
    options.server = "test";
    options.directory = home.path() / "agent";
    options.wait = [](std::chrono::seconds) { return true; };
    return agent::JobRunner(*server, *tokens, user, options).collect(code);
  }
  void run(const manager::Request& request) {
    const Status done = collect(code_for(request));
    BOOST_REQUIRE_MESSAGE(done.ok(), (done ? "" : describe(done.error())) << where(request.id));
  }
  std::string where(manager::Id request) {
    std::string text;
    must(store->read([&](manager::Transaction& work) -> Status {
      CARDEA_ASSIGN(const auto row, work.request(request));
      if (!row.job) return {};
      CARDEA_ASSIGN(const auto job, work.job(*row.job));
      text = "; " + manager::job_sentence(job);
      return {};
    }));
    return text;
  }
  void work_alone() {
    for (int round = 0; round < 100; ++round)
      if (!must(manager::run_one_job(*ports))) return;
    BOOST_FAIL("jobs do not come to an end");
  }

  std::vector<manager::Certificate> certificates(std::string_view state) {
    std::vector<manager::Certificate> found;
    must(store->read([&](manager::Transaction& work) -> Status {
      manager::Filter filter;
      filter.state = state;
      filter.limit = 1000;
      CARDEA_ASSIGN(auto page, work.certificates(filter));
      found = std::move(page.items);
      return {};
    }));
    return found;
  }
  /// The newest token.
  manager::Token token() {
    manager::Token newest;
    must(store->read([&](manager::Transaction& work) -> Status {
      CARDEA_ASSIGN(const auto page, work.tokens({}));
      for (const auto& each : page.items)
        if (each.id > newest.id) newest = each;
      return {};
    }));
    return newest;
  }

  /// The token itself, as it is now.
  agent::DeviceDescription look() {
    const std::string serial = token().serial;
    for (const auto& each : must(tokens->list({kind})))
      if (each.serial == serial) return must(must(tokens->open(each))->describe());
    throw std::runtime_error("the token is not there");
  }

  /// Puts a factory-new card into the reader, in place of the one there. Tokens that are made need nothing.
  void new_card(const std::string& name) {
    if (!is_card()) return;
    card.reset();
    const std::string file = (home.path() / name).string();
    p11::ChildProcess create({environment("CARDEA_VCARD"), "create", "--kind", kind, "--state", file,
                              kind == "gids" ? "--initialised" : "--replace"});
    BOOST_REQUIRE_EQUAL(create.wait(), 0);
    card = std::make_unique<p11::ChildProcess>(
        std::vector<std::string>{environment("CARDEA_VCARD"), "run", "--state", file, "--port",
                                 environment("CARDEA_READER_PORT"), "--control", file + ".control"});
    for (int tries = 0; tries < 1200; ++tries) {
      if (!must(tokens->list({kind})).empty()) return;
      std::this_thread::sleep_for(std::chrono::milliseconds(50));
    }
    BOOST_FAIL("the card does not appear");
  }

  p11::TemporaryDirectory home;
  std::string kind;
  std::unique_ptr<tpm::Swtpm> tpm;
  std::unique_ptr<p11::ChildProcess> card;
  manager::SystemClock clock;
  std::unique_ptr<manager::KeyToken> keys;
  manager::store::Settings settings;
  std::unique_ptr<manager::Store> store;
  std::unique_ptr<manager::StoreStatus> status;
  std::unique_ptr<ca::Connectors> connectors;
  std::unique_ptr<manager::Ports> ports;
  std::unique_ptr<LocalServer> server;
  std::unique_ptr<agent::LocalTokens> tokens;
  SilentUser user;
  manager::Actor admin = manager::manager_actor();
  manager::Person person;
  manager::Id issuing_id = 0;
};

}  // namespace cardea::lifecycle
