// The directories of virtual cards: made, checked, listed, removed.
//
//   <state directory>/<serial>/card.sqlite   see state_file.h
#pragma once

#include <filesystem>
#include <string>
#include <vector>

#include "base/config.h"
#include "base/result.h"
#include "base/serial_directory.h"

namespace cardea::tpm {

/// Settings::tpm.state_directory, or "tpm" under the home.
std::filesystem::path state_directory(const Settings& settings);

/// Serial numbers of the cards in a state directory in ascending order; none when there is no such directory.
std::vector<std::string> list_cards(const std::filesystem::path& directory);

/// Refuses a directory that is a symbolic link, belongs to a stranger, or that others may write, with
/// permission_denied. The group may, where the settings name the directory: that is how services share one.
Status check_directory(const std::filesystem::path& directory, bool for_group);

/// A hidden directory in which a new card is built.
Result<NewDirectory> new_card_directory(const Settings& settings, const std::string& serial);

}  // namespace cardea::tpm
