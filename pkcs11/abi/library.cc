// C_Initialize and C_Finalize: the only place that knows every token kind.
#include <fmt/format.h>

#include <algorithm>
#include <atomic>
#include <iterator>

#include "abi/functions.h"
#include "abi/sealing.h"
#include "abi/trace.h"
#include "cards/card_source.h"
#include "plugin/plugins.h"
#include "session/provider.h"
#include "tpm/tpm_source.h"

namespace cardea::abi {
namespace {

/// PKCS#11 3.2, 5.4.1. Mutex callbacks are all or nothing; ours are the system's in any case, which on the systems we
/// run on are the ones an application's own callbacks end in.
///
/// CKF_LIBRARY_CANT_CREATE_OS_THREADS is not heeded, though 5.4.1 lets a library that needs threads refuse with
/// CKR_NEED_TO_CREATE_THREADS: NSS sets it for every module in programs that are full of threads, so a refusal would
/// take the cards away from every browser. Threads start only where a card service must not hold a call up and where
/// somebody waits for slot events.
Status check_arguments(const CK_C_INITIALIZE_ARGS* arguments) {
  if (arguments == nullptr) return {};
  if (arguments->pReserved != nullptr) return Code::arguments_bad;
  const int given = (arguments->CreateMutex != nullptr) + (arguments->DestroyMutex != nullptr) +
                    (arguments->LockMutex != nullptr) + (arguments->UnlockMutex != nullptr);
  if (given != 0 && given != 4) return Code::arguments_bad;
  return {};
}

/// What is wrong with the configuration is said once in a process, whoever initialises the module how often.
void report_once(const std::vector<std::string>& problems) {
  static std::atomic<bool> reported{false};
  if (problems.empty() || reported.exchange(true)) return;
  for (const std::string& problem : problems) fmt::print(stderr, "cardea: {}\n", problem);
}

/// Vendors' card modules, before any card is looked at. What is wrong with them joins the other problems.
void load_card_plugins(Settings& settings) {
  if (!settings.card.enabled) return;
  std::vector<std::string> refused = card::plugin::use_plugins(settings.card.plugin_directory);
  std::move(refused.begin(), refused.end(), std::back_inserter(settings.problems));
}

Provider::Parts make_parts() {
  Provider::Parts parts{load_settings(), {}};
  trace_open(parts.settings.trace_file);
  load_card_plugins(parts.settings);
  report_once(parts.settings.problems);
#define CARDEA_TOKEN_KIND(name, factory) parts.sources.push_back(factory(parts.settings));
#include "token/token_kinds.def"
#undef CARDEA_TOKEN_KIND
  return parts;
}

}  // namespace

Status C_Initialize(CK_VOID_PTR init_args) {
  CARDEA_TRY(check_arguments(static_cast<const CK_C_INITIALIZE_ARGS*>(init_args)));
  return provider().start(make_parts);
}

Status C_Finalize(CK_VOID_PTR reserved) {
  if (reserved != nullptr) return Code::arguments_bad;
  return provider().stop();
}

}  // namespace cardea::abi
