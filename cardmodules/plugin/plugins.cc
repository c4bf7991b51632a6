#include "plugin/plugins.h"

#include "base/guarded.h"
#include "base/process_root.h"
#include "plugin/plugin_card.h"

namespace cardea::card::plugin {
namespace {

// Hangs off the process root, so a forked child has none until it initialises.
struct PluginSet {
  Guarded<std::vector<Plugin>> plugins;
};

PluginSet& plugin_set() {
  return process_singleton<PluginSet>(Root::card_plugins);
}

struct Candidate {
  cardea_plugin_match match = CARDEA_PLUGIN_MATCH_NONE;
  std::unique_ptr<PluginCaller> caller;
};

}  // namespace

std::vector<std::string> use_plugins(const std::filesystem::path& directory) {
  LoadedPlugins loaded = load_plugins(directory);
  plugin_set().plugins.with([&](std::vector<Plugin>& plugins) { plugins = std::move(loaded.plugins); });
  return std::move(loaded.problems);
}

Result<Recognition> recognise(CardTransaction& transaction, const std::vector<Plugin>& plugins, CallLimits limits) {
  Candidate best;
  bool others_followed = false;
  for (const Plugin& plugin : plugins) {
    auto caller = std::make_unique<PluginCaller>(plugin, transaction.atr(), limits);
    const Result<cardea_plugin_match> match = caller->acquire(transaction);
    if (!match && match.code() == Code::device_removed) return match.error();
    // A plug-in that fails or hangs has no say; the card may belong to another.
    others_followed = true;
    if (!match || *match <= best.match) continue;
    best = {*match, std::move(caller)};
    others_followed = false;
  }
  if (!best.caller) return Recognition{};
  CARDEA_ASSIGN(std::unique_ptr<PluginCard> card, PluginCard::make(transaction, std::move(best.caller)));
  // Plug-ins that were asked after it may have selected their own applications.
  if (others_followed) CARDEA_TRY(card->select(transaction));
  const Match match = best.match == CARDEA_PLUGIN_MATCH_CERTAIN ? Match::certain : Match::possible;
  return Recognition{match, std::move(card)};
}

}  // namespace cardea::card::plugin

namespace cardea::card {

Result<Recognition> recognise_plugins(CardTransaction& transaction) {
  const std::vector<plugin::Plugin> plugins =
      plugin::plugin_set().plugins.with([](const std::vector<plugin::Plugin>& set) { return set; });
  return plugin::recognise(transaction, plugins, {});
}

}  // namespace cardea::card
