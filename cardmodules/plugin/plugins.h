// The plug-ins of this process and the cards they know.
#pragma once

#include <filesystem>
#include <string>
#include <vector>

#include "cardmodules/card_module.h"
#include "plugin/plugin_session.h"

namespace cardea::card::plugin {

/// Loads the plug-ins of that folder (setting [card] plugin_directory; empty: none) for recognise_plugins. To be called
/// before the first card is recognised; later calls replace the set for cards that are recognised after them. Answers
/// what was refused and why, one sentence each.
std::vector<std::string> use_plugins(const std::filesystem::path& directory);

/// Lets these plug-ins look at the card; the best match wins.
Result<Recognition> recognise(CardTransaction& transaction, const std::vector<Plugin>& plugins, CallLimits limits);

}  // namespace cardea::card::plugin

namespace cardea::card {

/// Lets every plug-in look at the card; the best match wins (Recogniser). No command is sent when there are none.
Result<Recognition> recognise_plugins(CardTransaction& transaction);

}  // namespace cardea::card
