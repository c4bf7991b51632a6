// What the program cardea-vcard does: create, run, load, control.
#pragma once

#include <filesystem>
#include <string>
#include <vector>

#include "base/result.h"
#include "card/card_state.h"
#include "card_program/card_service.h"

namespace cardea::vcard {

struct CreateOptions {
  std::string kind;
  std::filesystem::path state;
  bool replace = false;
  PivProfile piv = {};
  std::string global_pin = {};  ///< PIV; empty: there is none
  bool initialised = false;     ///< GIDS
  std::string puk = {};         ///< GIDS; empty: there is none
};

/// Makes a new card. Codes: exists unless `replace`, arguments_bad, and those of write_state.
Status create_card(const CreateOptions& options);

/// "9A=file" or "5FC102=file".
struct LoadItem {
  std::uint32_t number = 0;
  std::filesystem::path file;
};

/// Codes: arguments_bad.
Result<LoadItem> parse_load_item(const std::string& text);

struct LoadOptions {
  std::filesystem::path state;
  std::filesystem::path folder = {};  ///< empty: none
  std::vector<LoadItem> objects = {};
  std::vector<LoadItem> certificates = {};
  std::vector<LoadItem> keys = {};
};

/// Fills a PIV card from files, all or nothing. Codes: function_not_supported for other cards; those of piv_load.h.
Status load_card(const LoadOptions& options);

/// Puts a card into the reader and serves it until told to stop.
Status run_card(const std::filesystem::path& state, const ServiceOptions& options);

/// Sends a command to a running card and prints the answer. Codes: function_failed when the card refuses.
Status control_card(const std::filesystem::path& control, const std::vector<std::string>& words);

/// Parses the command line and does what it says; the process' exit status.
int run_program(int argc, char** argv);

}  // namespace cardea::vcard
