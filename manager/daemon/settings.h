// The daemon's settings: a TOML file that is right as a whole or not used at all.
#pragma once

#include <chrono>
#include <filesystem>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"
#include "domain/journal.h"
#include "http/attempt_limit.h"
#include "http/server.h"
#include "log/log.h"

namespace cardea::manager {

/// Where the manager's own keys are (PKCS#11).
struct KeyTokenSettings {
  std::string module;      ///< path; empty: our own
  std::string token;       ///< label, serial number or RFC 7512 URI
  std::string pin_source;  ///< a file, or "credential:NAME" of systemd

  bool operator==(const KeyTokenSettings&) const = default;
};

struct DaemonSettings {
  std::filesystem::path file;            ///< that was read
  std::filesystem::path data_directory;  ///< everything that the daemon keeps
  std::string name;                      ///< this daemon's among several on one database
  http::ServerSettings server;
  std::vector<std::filesystem::path> client_ca_files;
  bool trust_own_cas = true;  ///< operators may log on with certificates of the embedded CAs
  std::string public_url;     ///< where relying parties reach the plain listener, without a slash at the end
  std::string database;       ///< as store::Settings
  std::size_t database_readers = 8;
  KeyTokenSettings keys;
  std::vector<std::filesystem::path> piv_roots;                 ///< PEM: makers of PIV cards whose attestation counts
  std::vector<std::filesystem::path> tpm_roots;                 ///< PEM: makers of TPMs
  std::chrono::seconds session_lasts = manager::session_lasts;  ///< of an agent of which nothing is heard
  http::AttemptLimit::Bounds wrong_codes = http::AttemptLimit::usual;
  http::AttemptLimit::Bounds refused_contacts = http::AttemptLimit::usual;
  LogSettings log;
  std::chrono::seconds drain{20};         ///< for requests that run when the daemon is told to stop
  std::chrono::seconds housekeeping{60};  ///< between two rounds of what is to be done by time
};

/// Reads a file. arguments_bad whose detail names file, line and what is wrong; not_found, permission_denied.
Result<DaemonSettings> read_settings(const std::filesystem::path& file);
/// The same from text, for tests; `file` is for messages and for what is relative to it.
Result<DaemonSettings> parse_settings(std::string_view text, const std::filesystem::path& file);

/// The sections of which something differs that is only looked at when the daemon starts.
std::vector<std::string_view> sections_for_restart(const DaemonSettings& running, const DaemonSettings& wanted);

/// The commented default file, with that data directory.
std::string default_settings_text(const std::filesystem::path& data_directory);

}  // namespace cardea::manager
