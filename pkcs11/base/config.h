// Settings from cardea.toml and the environment. Read once at C_Initialize; a broken file costs only its broken part.
#pragma once

#include <cstdint>
#include <filesystem>
#include <string>
#include <vector>

namespace cardea {

/// Cost of deriving a key from a PIN (Argon2id, RFC 9106). The default takes about 50 ms on a present server core.
struct PinCost {
  std::uint32_t memory_kib = 0;
  std::uint32_t iterations = 0;
  std::uint32_t lanes = 0;
};

struct KeystoreSettings {
  bool enabled = true;
  std::size_t min_pin_length = 4;
  std::size_t max_pin_length = 255;
  int retry_limit = 10;     ///< wrong user PINs before the lock; 0: unlimited
  int so_retry_limit = 10;  ///< the same for the SO PIN
  PinCost pin_cost;
};

struct CardSettings {
  bool enabled = true;
  std::vector<std::string> ignore_readers;  ///< shell patterns (glob(7)) of reader names that are left alone
  bool cache = true;                        ///< whether public contents of cards are remembered on disk
  std::filesystem::path plugin_directory;   ///< card modules of vendors; empty: none are loaded
  std::filesystem::path admin_key_file;     ///< administrator's key in hexadecimal; empty: none
  bool factory_admin_key = false;           ///< administer cards by the key that all of their kind have when new
};

struct TpmSettings {
  bool enabled = true;
  std::string tcti = "device:/dev/tpmrm0";      ///< how the TPM is reached, as tss2-tctildr(7) writes it
  std::filesystem::path state_directory;        ///< one directory a virtual card; empty: "tpm" under the home
  std::filesystem::path hierarchy_auth_file;    ///< authorisation of the owner hierarchy; empty: it has none
  std::filesystem::path endorsement_auth_file;  ///< the same for the endorsement hierarchy
  bool protect_bus = false;                     ///< every use of a key proves its authorisation in a session
  std::size_t timeout_seconds = 30;  ///< for an answer of a TPM that is not the kernel's; ten times that for a key
  std::size_t min_pin_length = 4;    ///< bytes
  std::size_t max_pin_length = 255;  ///< bytes
};

struct Settings {
  std::filesystem::path home;               ///< CARDEA_HOME, else $XDG_DATA_HOME/cardea, else ~/.local/share/cardea
  std::filesystem::path config_file;        ///< the file that was read; empty when there is none
  std::filesystem::path trace_file;         ///< CARDEA_TRACE, else [trace] file; empty: no trace
  std::filesystem::path cache_directory;    ///< $XDG_CACHE_HOME/cardea, else ~/.cache/cardea
  std::filesystem::path runtime_directory;  ///< $XDG_RUNTIME_DIR/cardea, else /tmp/cardea-<user id>
  KeystoreSettings keystore;
  CardSettings card;
  TpmSettings tpm;
  /// What was wrong, one sentence each with file, line and reason. Shown once on stderr by the module, by `doctor`
  /// always.
  std::vector<std::string> problems;
};

/// Reads CARDEA_CONF, else $XDG_CONFIG_HOME/cardea/cardea.toml, else /etc/cardea/cardea.toml; defaults when none
/// exists. Never fails: what cannot be read or understood keeps its default and adds to `problems`. In a set-uid
/// process the environment is ignored.
Settings load_settings();

/// The commented default file, as `cardea config default` prints it.
std::string default_config_text();

}  // namespace cardea
