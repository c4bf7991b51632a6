// The tokens of this machine that jobs may run on.
#pragma once

#include <memory>
#include <string>
#include <vector>

#include "agent/device.h"
#include "agent/pkcs11_device.h"

namespace cardea::agent {

/// A token that is there.
struct LocalToken {
  std::string kind;  ///< piv, gids, keystore, tpm
  std::string serial;
  std::string label;
  std::string place;  ///< where it is, for people: a reader's name, "keystore", "TPM"
  /// The maker's own number of a card, which outlives a reset; empty when it tells none, or it is the serial number.
  std::string maker_number = {};
  /// What a reset takes the card's serial number away with (DeviceDescription); known once the token was read.
  Bytes number_object = {};
};

class LocalTokens {
 public:
  virtual ~LocalTokens() = default;
  /// Those of these kinds; what cannot be reached (no card service, no TPM) is left out.
  virtual Result<std::vector<LocalToken>> list(const std::vector<std::string>& kinds) = 0;
  /// Changes when a card came or went; asks no card anything. Tokens that are made do not come and go.
  virtual std::string cards_there() { return ""; }
  /// device_removed when it is not there any more.
  virtual Result<std::unique_ptr<Device>> open(const LocalToken& token) = 0;
  /// Makes a token of a kind that is made (keystore, tpm).
  virtual Result<std::unique_ptr<Device>> create(std::string_view kind, const NewToken& token) = 0;
};

/// Cards in readers, and the tokens of the PKCS#11 module at this path.
std::unique_ptr<LocalTokens> local_tokens(std::string module_path);

}  // namespace cardea::agent
