// doctor: looks for what is wrong and says what to do next.
#include <fmt/format.h>
#include <sys/stat.h>
#include <unistd.h>
#include <boost/json.hpp>

#include <filesystem>

#include "base/config.h"
#include "cli/card_checks.h"
#include "cli/client_checks.h"
#include "cli/command.h"
#include "cli/connection.h"
#include "cli/exit_status.h"
#include "cli/output.h"
#include "cli/p11.h"
#include "cli/pins.h"
#include "cli/text.h"
#include "cli/token_seals.h"
#include "cli/tpm_checks.h"

namespace cardea::cli {
namespace {

namespace fs = std::filesystem;

std::string_view word(Severity severity) {
  switch (severity) {
    case Severity::ok:
      return "ok";
    case Severity::info:
      return "note";
    case Severity::problem:
      return "PROBLEM";
  }
  return "";
}

void check_token_info(const std::string& module, const TokenInfo& token, Findings& findings) {
  const std::string subject = fmt::format("token '{}'", token.label);
  const std::string serial = token.serial;
  if (!token.has(CKF_USER_PIN_INITIALIZED)) {
    findings.push_back({Severity::problem, subject, "has no user PIN.", "cardea token pin set --token " + serial});
  } else if (const Status usable = check_tries(token, CKU_USER); !usable) {
    findings.push_back({Severity::problem, subject, "its PIN is locked.", "cardea token pin unlock --token " + serial});
  } else if (is_final_try(token, CKU_USER)) {
    findings.push_back({Severity::problem, subject, "one wrong PIN more locks it.",
                        "log in once with the right PIN: cardea key list --login --token " + serial});
  } else if (token.has(CKF_WRITE_PROTECTED)) {
    findings.push_back({Severity::info, subject, "is read-only; it signs, but nothing can be changed.", ""});
  } else {
    // Whether the TPM opens it, the check of the keystore says.
    findings.push_back({Severity::ok, subject, is_sealed(module, token) ? "is ready, and sealed." : "is ready.", ""});
  }
}

void check_module(const Context& context, Findings& findings) {
  const std::string path = module_path(context.options.module);
  const auto module = Module::load(path);
  if (!module) {
    findings.push_back({Severity::problem, "module", module.error().detail, "cardea doctor --module PATH"});
    return;
  }
  const auto info = (*module)->info();
  if (!info) {
    findings.push_back({Severity::problem, "module", info.error().detail, "install the package again"});
    return;
  }
  findings.push_back({Severity::ok, "module",
                      fmt::format("{} loads and answers (PKCS#11 {}.{}).", path, info->cryptokiVersion.major,
                                  info->cryptokiVersion.minor),
                      ""});
  const auto tokens = (*module)->tokens();
  if (!tokens) {
    findings.push_back({Severity::problem, "module", tokens.error().detail, "look into the trace: CARDEA_TRACE=FILE"});
    return;
  }
  bool any = false;
  for (const TokenInfo& token : *tokens) {
    if (!token.initialized()) continue;
    any = true;
    check_token_info(path, token, findings);
  }
  if (!any) findings.push_back({Severity::info, "tokens", "there is none yet.", "cardea token init --label NAME"});
}

void check_configuration(const Settings& settings, Findings& findings) {
  for (const std::string& problem : settings.problems) {
    findings.push_back({Severity::problem, "configuration", printable(problem),
                        "correct it there; `man cardea.toml` tells what may stand there"});
  }
  if (!settings.problems.empty()) return;
  findings.push_back({Severity::ok, "configuration",
                      settings.config_file.empty() ? "there is no file; defaults are used."
                                                   : settings.config_file.string() + " is understood.",
                      ""});
}

void check_store(const Context& context, const Settings& settings, Findings& findings) {
  struct stat about {};
  if (stat(settings.home.c_str(), &about) != 0) {
    findings.push_back({Severity::info, "keystore", settings.home.string() + " does not exist yet.", ""});
    return;
  }
  if (about.st_uid != geteuid()) {
    findings.push_back({Severity::problem, "keystore", settings.home.string() + " belongs to another user.",
                        "set CARDEA_HOME to a folder of your own, or run this as its owner"});
  } else if (access(settings.home.c_str(), W_OK) != 0) {
    findings.push_back({Severity::info, "keystore", settings.home.string() + " is read-only.", ""});
  }
  const auto keystore = Keystore::near(module_path(context.options.module));
  if (!keystore) {
    findings.push_back({Severity::info, "keystore", "was not checked, for want of libcardea-pkcs11.so.",
                        "cardea doctor --module PATH"});
    return;
  }
  const Progress progress("checking every object of the keystore");
  const auto report = keystore->check();
  if (!report) {
    findings.push_back({Severity::problem, "keystore", describe(report.error()), std::string(advice(report.code()))});
    return;
  }
  findings.insert(findings.end(), report->findings.begin(), report->findings.end());
  if (report->findings.empty()) {
    findings.push_back({Severity::ok, "keystore",
                        fmt::format("{} token{} in {}, no damage.", report->tokens, report->tokens == 1 ? "" : "s",
                                    settings.home.string()),
                        ""});
  }
}

Status doctor(const Context& context) {
  const Settings settings = load_settings();
  Findings findings;
  check_module(context, findings);
  check_configuration(settings, findings);
  check_store(context, settings, findings);
  check_cards(settings, findings);
  check_virtual_cards(module_path(context.options.module), settings, findings);
  std::error_code ignored;
  check_clients(fs::absolute(module_path(context.options.module), ignored), findings);
  int problems = 0;
  boost::json::array list;
  std::string text;
  for (const Finding& finding : findings) {
    if (finding.severity == Severity::problem) ++problems;
    list.push_back(boost::json::object{{"severity", lower(word(finding.severity))},
                                       {"subject", finding.subject},
                                       {"finding", finding.sentence},
                                       {"next_step", finding.next_step}});
    text += fmt::format("{:<8} {}: {}\n", word(finding.severity), finding.subject, finding.sentence);
    if (!finding.next_step.empty()) text += fmt::format("         next: {}\n", finding.next_step);
  }
  if (context.options.json) {
    CARDEA_TRY(print_json({{"problems", problems}, {"findings", list}}));
  } else {
    CARDEA_TRY(print(text));
  }
  if (problems == 0) return {};
  return failure(Code::device_error, fmt::format("{} problem{} found; each line above says what to do next.", problems,
                                                 problems == 1 ? "" : "s"));
}

}  // namespace

void add_doctor_commands(const Command& root, Context& context) {
  root.command(context, "doctor", "check the installation and say what to do about each finding",
               "  cardea doctor\n  cardea doctor --json\n", Needs::module, [&context] { return doctor(context); });
}

}  // namespace cardea::cli
