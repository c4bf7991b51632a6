// Runs cardea-conformance on a fresh keystore token and compares with conformance/expected/keystore.txt.
#include <sys/wait.h>

#include <boost/test/unit_test.hpp>
#include <iostream>

#include "contract/p11.h"

namespace {

using namespace cardea::p11;

std::string environment(const char* name, const std::string& otherwise) {
  const char* value = std::getenv(name);
  return value != nullptr ? value : otherwise;
}

/// Runs the program and waits; its exit status. ctest's time limit bounds the wait.
int run(std::vector<std::string> arguments) {
  std::vector<char*> argv;
  for (std::string& argument : arguments) argv.push_back(argument.data());
  argv.push_back(nullptr);
  const pid_t pid = fork();
  if (pid == 0) {
    execv(argv[0], argv.data());
    _exit(127);
  }
  int status = 0;
  return waitpid(pid, &status, 0) == pid && WIFEXITED(status) ? WEXITSTATUS(status) : -1;
}

}  // namespace

BOOST_AUTO_TEST_CASE(keystore_passes_what_is_expected) {
  KeystoreKind kind;
  {
    const Module module(kind.module_path());
    BOOST_REQUIRE_EQUAL(module.initialize(), CKR_OK);
    kind.make_token(module, "conformance");
    BOOST_REQUIRE_EQUAL(module->C_Finalize(nullptr), CKR_OK);
  }
  const auto pin_file = kind.home() / "pin", so_pin_file = kind.home() / "so-pin";
  std::ofstream(pin_file) << kind.user_pin() << "\n";
  std::ofstream(so_pin_file) << kind.so_pin() << "\n";
  const std::string source = environment("CARDEA_SOURCE", ".");
  std::vector<std::string> arguments = {environment("CARDEA_CONFORMANCE", "cardea-conformance"),
                                        "--module",
                                        kind.module_path(),
                                        "--token",
                                        "conformance",
                                        "--pin-file",
                                        pin_file,
                                        "--so-pin-file",
                                        so_pin_file,
                                        "--checks",
                                        "all",
                                        "--prepare",
                                        "--expected",
                                        source + "/conformance/expected/keystore.txt"};
  const std::string data = environment("CARDEA_TEST_DATA", source + "/../shared/data") + "/oasis-profiles";
  if (std::filesystem::is_directory(data)) {
    arguments.insert(arguments.end(), {"--profile", data});
  } else {
    std::cout << "SKIPPED: profile test cases, because " << data << " does not exist\n";
  }
  BOOST_TEST(run(arguments) == 0);
}
