// p11 register: makes other programs find the module.
#include <fmt/format.h>
#include <unistd.h>
#include <boost/json.hpp>

#include <chrono>
#include <cstdlib>
#include <filesystem>
#include <memory>

#include "cli/command.h"
#include "cli/exit_status.h"
#include "cli/files.h"
#include "cli/output.h"
#include "cli/p11.h"
#include "cli/process.h"

namespace cardea::cli {
namespace {

namespace fs = std::filesystem;

constexpr std::string_view marker = "# written by cardea p11 register";
constexpr std::chrono::seconds modutil_limit(60);

struct RegisterOptions {
  bool undo = false;
  bool system = false;
};

std::string environment(const char* name) {
  const char* const value = secure_getenv(name);
  return value != nullptr ? value : "";
}

Result<fs::path> module_file(bool system) {
  if (system) return fs::path("/etc/pkcs11/modules/cardea.module");
  const std::string configuration = environment("XDG_CONFIG_HOME");
  if (!configuration.empty()) return fs::path(configuration) / "pkcs11/modules/cardea.module";
  const std::string home = environment("HOME");
  if (!home.empty()) return fs::path(home) / ".config/pkcs11/modules/cardea.module";
  return failure(Code::not_found, "There is no home directory: set HOME or XDG_CONFIG_HOME, or use --system as root.");
}

// A file of that name which someone else wrote is left alone.
Status refuse_foreign(const fs::path& file) {
  std::error_code ignored;
  if (!fs::exists(file, ignored)) return {};
  CARDEA_ASSIGN(const Bytes bytes, read_file(file.string(), 1 << 16));
  if (text_of(bytes).starts_with(marker)) return {};
  return failure(Code::exists, fmt::format("{} was not written by this program and is left alone. Move it away first.",
                                           file.string()));
}

Status write_module_file(const fs::path& file, const fs::path& module) {
  CARDEA_TRY(refuse_foreign(file));
  std::error_code problem;
  fs::create_directories(file.parent_path(), problem);
  if (problem) {
    return failure(Code::permission_denied, fmt::format("{} cannot be made: {}. Use another account, or as root "
                                                        "--system.",
                                                        file.parent_path().string(), problem.message()));
  }
  return write_output(file.string(), view_of(fmt::format("{}\nmodule: {}\n", marker, module.string())), FileMode::open);
}

Status remove_module_file(const fs::path& file) {
  CARDEA_TRY(refuse_foreign(file));
  std::error_code problem;
  fs::remove(file, problem);
  if (!problem) return {};
  return failure(Code::permission_denied, fmt::format("{} cannot be removed: {}.", file.string(), problem.message()));
}

struct NssOutcome {
  bool done = false;
  std::string sentence;
};

// The database that Chromium and Evolution read. Without modutil it is left alone.
Result<NssOutcome> change_nss(const fs::path& module, bool undo) {
  const std::string home = environment("HOME");
  const std::string modutil = find_program("modutil");
  if (modutil.empty()) {
    return NssOutcome{false, "NSS: modutil is not installed (package libnss3-tools), so Chromium was not told."};
  }
  if (home.empty()) return NssOutcome{false, "NSS: there is no home directory."};
  const fs::path folder = fs::path(home) / ".pki/nssdb";
  const std::string database = "sql:" + folder.string();
  std::error_code ignored;
  const bool there = fs::exists(folder / "pkcs11.txt", ignored);
  if (undo && !there) return NssOutcome{true, "NSS: there is no database."};
  if (!there) {
    fs::create_directories(folder, ignored);
    fs::permissions(folder, fs::perms::owner_all, ignored);
    CARDEA_TRY(run_program({modutil, "-force", "-dbdir", database, "-create"}, modutil_limit));
  }
  // Deleting first makes a second registration and a moved module work alike; it fails harmlessly on the first.
  CARDEA_ASSIGN(const ProgramResult removed,
                run_program({modutil, "-force", "-dbdir", database, "-delete", "cardea"}, modutil_limit));
  if (undo) {
    return NssOutcome{true, removed.status == 0 ? fmt::format("NSS: removed from {}.", folder.string())
                                                : "NSS: it was not registered."};
  }
  CARDEA_ASSIGN(const ProgramResult added, run_program({modutil, "-force", "-dbdir", database, "-add", "cardea",
                                                        "-libfile", module.string(), "-mechanisms", "FRIENDLY"},
                                                       modutil_limit));
  if (added.status == 0) return NssOutcome{true, fmt::format("NSS: registered in {}.", folder.string())};
  return failure(Code::device_error, fmt::format("NSS's modutil could not register the module in {}. Close the browser "
                                                 "and run this again.",
                                                 folder.string()));
}

Status register_module(Context& context, const RegisterOptions& options) {
  std::error_code problem;
  const fs::path module = fs::absolute(module_path(context.options.module), problem);
  if (!options.undo) {
    // A module that does not load must not be given to other programs.
    CARDEA_TRY(Module::load(module.string()));
  }
  CARDEA_ASSIGN(const fs::path file, module_file(options.system));
  CARDEA_TRY(options.undo ? remove_module_file(file) : write_module_file(file, module));
  NssOutcome nss{false, "NSS: databases belong to users; each runs `cardea p11 register`."};
  if (!options.system) {
    const Progress progress("changing the NSS database");
    CARDEA_ASSIGN(nss, change_nss(module, options.undo));
  }
  if (context.options.json) {
    return print_json({{"registered", !options.undo},
                       {"p11_kit_file", file.string()},
                       {"module", module.string()},
                       {"nss", nss.done},
                       {"nss_sentence", nss.sentence}});
  }
  if (!options.undo && !options.system && geteuid() == 0) {
    note("p11-kit reads no user's files in programs of root; `cardea p11 register --system` registers for everybody");
  }
  if (options.undo) return print(fmt::format("p11-kit: removed {}.\n{}\n", file.string(), nss.sentence));
  return print(
      fmt::format("p11-kit: wrote {}.\n{}\n"
                  "SSH: add this line to ~/.ssh/config:\n  PKCS11Provider {}\n"
                  "     (or for one login: ssh -I {} HOST; keys for authorized_keys: ssh-keygen -D {})\n"
                  "Firefox: Settings, Security Devices, Load: {}\n",
                  file.string(), nss.sentence, module.string(), module.string(), module.string(), module.string()));
}

}  // namespace

void add_p11_commands(const Command& root, Context& context) {
  const Command group = root.group("p11", "make other programs use the module");
  const auto options = std::make_shared<RegisterOptions>();
  const Command command =
      group.command(context, "register", "tell p11-kit and NSS about the module",
                    "  cardea p11 register\n  cardea p11 register --undo\n"
                    "  sudo cardea p11 register --system\n",
                    Needs::module, [&context, options] { return register_module(context, *options); });
  command.flag("--undo", options->undo, "take the registration back");
  command.flag("--system", options->system, "for all users, in /etc/pkcs11/modules (as root)");
}

}  // namespace cardea::cli
