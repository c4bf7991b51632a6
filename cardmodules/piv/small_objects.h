// The short data objects of a PIV card, parsed (SP 800-73-4 part 1, 3.1 to 3.3 and appendix A). All functions answer
// data_invalid for what the standard does not allow.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "base/bytes.h"
#include "base/result.h"

namespace cardea::card::piv {

/// What SELECT answers: the application property template (SP 800-73-4 part 2, 3.1.1).
struct Application {
  Bytes identifier;              ///< AID, or its end where the card tells only that
  std::string label;             ///< empty when the card has none
  std::vector<Byte> algorithms;  ///< cryptographic algorithms the card lists; empty when it does not tell
};
Result<Application> parse_application(ByteView answer);
/// Whether the identifier is PIV's, whole or without its registered provider.
bool is_piv(const Application& application);

/// Card Capability Container (appendix A, table 8).
struct CardCapability {
  Bytes card_identifier;
  Byte container_version = 0;
  Byte grammar_version = 0;
  std::vector<Bytes> applications;  ///< CardURLs
  std::optional<Byte> pkcs15;
  std::optional<Byte> data_model;  ///< registered data model number
  Bytes access_rules;
  bool has_card_apdus = false;
};
Result<CardCapability> parse_card_capability(ByteView content);

/// Discovery object (3.3.2): which PINs there are.
struct Discovery {
  Bytes application;  ///< AID of the PIV application; empty when the object is
  bool application_pin = false;
  bool global_pin = false;  ///< the global PIN satisfies what the PIV PIN does
  bool on_card_comparison = false;
  bool contactless_interface = false;  ///< virtual contact interface
  bool pairing_code_needed = false;    ///< for the virtual contact interface
  bool global_is_primary = false;
};
Result<Discovery> parse_discovery(ByteView content);

/// Key history (3.3.3): retired keys count from 82 upwards where their certificates are on the card, from 95 downwards
/// where they are not.
struct KeyHistory {
  std::size_t on_card = 0;
  std::size_t off_card = 0;
  std::string url;  ///< where the off-card certificates are
};
Result<KeyHistory> parse_key_history(ByteView content);
Bytes encode_key_history(const KeyHistory& history);
/// Key references with keys, ascending.
std::vector<Byte> retired_references(const KeyHistory& history);
/// Where the next archived key belongs; the newest key is written first, so that it stands lowest. Empty when full.
std::optional<Byte> next_retired_reference(const KeyHistory& history);

/// Printed information (3.1.6; appendix A, table 15).
struct PrintedInformation {
  std::string name;
  std::string affiliation;
  std::string expires;  ///< YYYYMMMDD
  std::string card_serial;
  std::string issuer;
  std::string organization_line_1;
  std::string organization_line_2;
};
Result<PrintedInformation> parse_printed_information(ByteView content);

/// The pairing code of eight digits (3.3.8).
Result<std::string> parse_pairing_code(ByteView content);

}  // namespace cardea::card::piv
