// What a host may do: fork, load and unload, leave in any way, bring its own OpenSSL configuration.
#include <boost/test/unit_test.hpp>

#include "faults/setting.h"

namespace cardea::test {

namespace {

struct WithToken {
  WithToken() { home.make_token(); }
  void expect_success(const std::vector<std::string>& arguments, const Environment& more = {},
                      std::chrono::seconds limit = std::chrono::seconds(60)) const {
    const Outcome outcome = home.work(arguments, more, 0, limit);
    BOOST_TEST(outcome.succeeded(), arguments[0] << ": status " << outcome.exit_status << ", signal " << outcome.signal
                                                 << (outcome.timed_out ? ", timed out" : "") << "\n"
                                                 << outcome.out << outcome.err);
  }
  Home home;
};

// An OpenSSL configuration that makes every OpenSSL of the process load our module: by the engine of libp11, and by the
// PKCS#11 provider. Whichever is not installed is not found, which a host must survive as well.
std::string engine_configuration(const std::string& module) {
  return "openssl_conf = host\n[host]\nengines = engines\n[engines]\npkcs11 = engine\n[engine]\n"
         "engine_id = pkcs11\nMODULE_PATH = " +
         module + "\ninit = 1\n";
}

std::string provider_configuration(const std::string& module) {
  return "openssl_conf = host\n[host]\nproviders = providers\n[providers]\ndefault = ordinary\npkcs11 = ours\n"
         "[ordinary]\nactivate = 1\n[ours]\nmodule = pkcs11.so\npkcs11-module-path = " +
         module + "\nactivate = 1\n";
}

bool engine_is_installed() {
  for (const auto& folder : std::filesystem::directory_iterator("/usr/lib")) {
    if (std::filesystem::exists(folder.path() / "engines-3" / "pkcs11.so")) return true;
  }
  return false;
}

}  // namespace

BOOST_FIXTURE_TEST_SUITE(host, WithToken)

BOOST_AUTO_TEST_CASE(a_forked_child_starts_anew_and_its_parent_goes_on) {
  expect_success({"fork"});
}

BOOST_AUTO_TEST_CASE(a_fork_among_working_threads_ends_well) {
  expect_success({"fork-among-threads"}, {}, std::chrono::seconds(100));
}

BOOST_AUTO_TEST_CASE(a_thousand_cycles_of_loading_and_unloading_leave_nothing_behind) {
  const Outcome outcome = home.work({"cycles", "1000"}, {}, 0, std::chrono::seconds(100));
  BOOST_REQUIRE_MESSAGE(outcome.succeeded(), outcome.err << " signal " << outcome.signal);
  const std::vector<std::string> in_use = lines(outcome.out);
  BOOST_REQUIRE(in_use.size() == 2u);
  // One forgotten 16-byte block in each of the last 750 cycles would be 12,000 bytes.
  BOOST_TEST(std::stol(in_use[1]) - std::stol(in_use[0]) < 12000);
}

BOOST_AUTO_TEST_CASE(libraries_may_be_unloaded_in_any_order) {
  for (int order = 0; order < 8; ++order) {
    for (int round = 0; round < 5; ++round) expect_success({"unload-order", std::to_string(order)});
  }
}

BOOST_AUTO_TEST_CASE(a_process_may_leave_while_the_module_is_in_use) {
  for (const char* way : {"plainly", "handler-before", "handler-after", "destructor", "threads"}) {
    for (int round = 0; round < 20; ++round) expect_success({"leave", way});
  }
}

BOOST_AUTO_TEST_CASE(the_hosts_openssl_may_be_configured_to_use_this_very_module) {
  const std::filesystem::path engine = home.path().parent_path() / "engine.cnf";
  const std::filesystem::path provider = home.path().parent_path() / "provider.cnf";
  write_file(engine, engine_configuration(module_path()));
  write_file(provider, provider_configuration(module_path()));
  const bool installed = engine_is_installed();
  if (!installed) BOOST_TEST_MESSAGE("libp11's engine is not installed: its configuration is tried all the same");
  expect_success({"openssl-host", installed ? "must-load" : "may-fail"}, {{"OPENSSL_CONF", engine.string()}});
  expect_success({"openssl-host"}, {{"OPENSSL_CONF", provider.string()}});
  expect_success({"openssl-host"}, {{"OPENSSL_CONF", "/nonexistent/openssl.cnf"}});
}

BOOST_AUTO_TEST_CASE(openssl_does_not_clean_up_under_a_module_that_was_its_first_user) {
  expect_success({"no-cleanup"});
}

BOOST_AUTO_TEST_CASE(our_errors_do_not_show_in_the_hosts_error_queue) {
  expect_success({"error-queue"});
}

BOOST_AUTO_TEST_SUITE_END()

}  // namespace cardea::test
