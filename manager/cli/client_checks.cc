#include "cli/client_checks.h"

#include <fmt/format.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <chrono>
#include <cstdlib>
#include <fstream>
#include <iterator>

#include "cli/process.h"
#include "cli/text.h"

namespace cardea::cli {
namespace {

namespace fs = std::filesystem;

constexpr std::chrono::seconds list_limit(20);
constexpr std::string_view module_name = "libcardea-pkcs11.so";

fs::path home() {
  const char* const value = secure_getenv("HOME");
  return value != nullptr ? value : "";
}

fs::path configuration_home() {
  const char* const value = secure_getenv("XDG_CONFIG_HOME");
  return value != nullptr && *value != '\0' ? fs::path(value) : home() / ".config";
}

std::string content(const fs::path& file) {
  std::ifstream in(file, std::ios::binary);
  return {std::istreambuf_iterator<char>(in), std::istreambuf_iterator<char>()};
}

bool same_file(const fs::path& one, const fs::path& other) {
  std::error_code ignored;
  return one == other || fs::equivalent(one, other, ignored);
}

// What one list of libraries says of our module.
enum class Known { absent, ours, gone };
struct Mention {
  Known known = Known::absent;
  std::string library;
};

Mention find_module(const std::vector<std::string>& libraries, const fs::path& module) {
  for (const std::string& library : libraries) {
    if (same_file(library, module)) return {Known::ours, library};
  }
  std::error_code ignored;
  for (const std::string& library : libraries) {
    const fs::path path(library);
    // A name without a folder is looked for in p11-kit's own.
    if (path.filename() == module_name && path.is_absolute() && !fs::exists(path, ignored)) {
      return {Known::gone, library};
    }
  }
  return {};
}

std::vector<fs::path> files_in(const fs::path& folder, std::string_view extension) {
  std::vector<fs::path> files;
  std::error_code ignored;
  for (const auto& entry : fs::directory_iterator(folder, ignored)) {
    if (entry.path().extension() == extension) files.push_back(entry.path());
  }
  std::ranges::sort(files);
  return files;
}

Finding gone(const std::string& subject, const fs::path& file, const Mention& mention, const std::string& next_step) {
  return {Severity::problem, subject,
          fmt::format("{} names the module {}, which does not exist.", file.string(), printable(mention.library)),
          next_step};
}

// The file says what was registered; only p11-kit itself says whether it takes it.
Finding p11_kit_takes(const std::string& program, const fs::path& file, const std::string& library) {
  const auto listed = run_program({program, "list-modules"}, list_limit);
  if (listed && listed->output.find(library) != std::string::npos) {
    return {Severity::ok, "p11-kit", fmt::format("loads the module by {}.", file.string()), ""};
  }
  return {Severity::problem, "p11-kit",
          fmt::format("{} names the module, but `p11-kit list-modules` does not show it.", file.string()),
          "run P11_KIT_DEBUG=all p11-kit list-modules; look for user-config in /etc/pkcs11/pkcs11.conf"};
}

// Looks into one folder of module files; false when none speaks of the module.
bool check_p11_kit_folder(const std::string& program, const fs::path& folder, const fs::path& module,
                          Findings& findings) {
  for (const fs::path& file : files_in(folder, ".module")) {
    const Mention mention = find_module(line_values(content(file), "module"), module);
    if (mention.known == Known::absent) continue;
    if (mention.known == Known::gone) {
      findings.push_back(gone("p11-kit", file, mention, "cardea p11 register, or cardea p11 register --undo"));
    } else if (program.empty()) {
      findings.push_back({Severity::ok, "p11-kit", file.string() + " names the module.", ""});
    } else if (geteuid() == 0 && folder == configuration_home() / "pkcs11/modules") {
      findings.push_back(
          {Severity::info, "p11-kit",
           fmt::format("{} names the module, but p11-kit reads no user's files in programs of root.", file.string()),
           "cardea p11 register --system"});
    } else {
      findings.push_back(p11_kit_takes(program, file, mention.library));
    }
    return true;
  }
  return false;
}

void check_p11_kit(const fs::path& module, Findings& findings) {
  const std::string program = find_program("p11-kit");
  for (const fs::path& folder : {fs::path("/etc/pkcs11/modules"), fs::path("/usr/share/p11-kit/modules"),
                                 configuration_home() / "pkcs11/modules"}) {
    if (check_p11_kit_folder(program, folder, module, findings)) return;
  }
  if (program.empty()) return;
  findings.push_back({Severity::info, "p11-kit", "does not know the module (GnuTLS, OpenSSL and others ask p11-kit).",
                      "cardea p11 register"});
}

void check_nss_database(const std::string& subject, const fs::path& folder, const fs::path& module,
                        const std::string& next_step, Findings& findings) {
  const fs::path file = folder / "pkcs11.txt";
  const std::vector<std::string> libraries = line_values(content(file), "library");
  const Mention mention = find_module(libraries, module);
  const bool proxied = std::ranges::any_of(
      libraries, [](const std::string& library) { return library.find("p11-kit-proxy") != std::string::npos; });
  if (mention.known == Known::gone) {
    findings.push_back(gone(subject, file, mention, next_step));
  } else if (mention.known == Known::ours) {
    findings.push_back({Severity::ok, subject, fmt::format("{} lists the module.", folder.string()), ""});
  } else if (proxied) {
    findings.push_back({Severity::ok, subject, fmt::format("{} asks p11-kit for modules.", folder.string()), ""});
  } else {
    findings.push_back(
        {Severity::info, subject, fmt::format("{} does not list the module.", folder.string()), next_step});
  }
}

void check_nss(const fs::path& module, Findings& findings) {
  if (home().empty()) return;
  std::error_code ignored;
  const fs::path shared = home() / ".pki/nssdb";
  const bool wanted = !find_program("chromium").empty() || !find_program("modutil").empty();
  if (fs::exists(shared / "pkcs11.txt", ignored)) {
    check_nss_database("NSS (Chromium)", shared, module, "cardea p11 register", findings);
  } else if (wanted) {
    findings.push_back(
        {Severity::info, "NSS (Chromium)", shared.string() + " does not exist yet.", "cardea p11 register"});
  }
  struct Program {
    const char* name;
    const char* folder;
  };
  constexpr std::array programs{Program{"Firefox", ".mozilla/firefox"}, Program{"Thunderbird", ".thunderbird"}};
  for (const Program& program : programs) {
    for (const auto& entry : fs::directory_iterator(home() / program.folder, ignored)) {
      if (!fs::exists(entry.path() / "pkcs11.txt", ignored)) continue;
      check_nss_database(
          program.name, entry.path(), module,
          fmt::format("in {}: Settings, Privacy & Security, Security Devices, Load: {}", program.name, module.string()),
          findings);
    }
  }
}

void check_ssh(const fs::path& module, Findings& findings) {
  if (find_program("ssh").empty()) return;
  const std::string line = fmt::format("add to ~/.ssh/config: PKCS11Provider {}", module.string());
  for (const fs::path& file : {home() / ".ssh/config", fs::path("/etc/ssh/ssh_config")}) {
    const Mention mention = find_module(line_values(content(file), "PKCS11Provider"), module);
    if (mention.known == Known::gone) return findings.push_back(gone("OpenSSH", file, mention, line));
    if (mention.known == Known::ours) {
      return findings.push_back({Severity::ok, "OpenSSH", file.string() + " names the module.", ""});
    }
  }
  findings.push_back({Severity::info, "OpenSSH", "is not told about the module.",
                      fmt::format("{}; or once: ssh -I {} HOST", line, module.string())});
}

std::string openssl_reach() {
  std::error_code ignored;
  for (const fs::path root : {"/usr/lib/x86_64-linux-gnu", "/usr/lib/aarch64-linux-gnu", "/usr/lib64", "/usr/lib"}) {
    if (fs::exists(root / "ossl-modules/pkcs11.so", ignored)) return "by the provider pkcs11-provider";
    if (fs::exists(root / "engines-3/pkcs11.so", ignored)) return "by the engine libengine-pkcs11-openssl";
  }
  return "";
}

void check_openssl(Findings& findings) {
  if (find_program("openssl").empty()) return;
  const std::string reach = openssl_reach();
  if (!reach.empty()) {
    findings.push_back({Severity::ok, "OpenSSL", "reaches tokens " + reach + ".", ""});
    return;
  }
  findings.push_back({Severity::info, "OpenSSL", "neither engine nor provider for tokens is installed.",
                      "apt install libengine-pkcs11-openssl (Debian 12) or pkcs11-provider"});
}

void check_java(const fs::path& module, Findings& findings) {
  const std::string program = find_program("java");
  if (program.empty()) return;
  findings.push_back({Severity::info, "Java", program + " is here; each program names the module for itself.",
                      fmt::format("a SunPKCS11 configuration with: name = cardea, library = {}", module.string())});
}

}  // namespace

std::vector<std::string> line_values(std::string_view text, std::string_view name) {
  constexpr std::string_view between = " \t=:";
  std::vector<std::string> values;
  const std::string wanted = lower(name);
  for (std::string line : split(text, '\n')) {
    line.erase(0, line.find_first_not_of(" \t"));
    if (lower(line).compare(0, wanted.size(), wanted) != 0) continue;
    std::string_view rest = std::string_view(line).substr(wanted.size());
    const std::size_t begin = rest.find_first_not_of(between);
    if (begin == 0 || begin == std::string_view::npos) continue;
    rest.remove_prefix(begin);
    rest = rest.substr(0, rest.find_last_not_of(" \t\r") + 1);
    if (rest.size() >= 2 && rest.front() == '"' && rest.back() == '"') rest = rest.substr(1, rest.size() - 2);
    values.emplace_back(rest);
  }
  return values;
}

void check_clients(const fs::path& module, Findings& findings) {
  check_p11_kit(module, findings);
  check_nss(module, findings);
  check_ssh(module, findings);
  check_openssl(findings);
  check_java(module, findings);
}

}  // namespace cardea::cli
