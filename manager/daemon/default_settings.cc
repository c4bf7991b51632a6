#include <fmt/format.h>

#include "daemon/settings.h"

namespace cardea::manager {
namespace {

constexpr std::string_view text =
    R"(# Settings of cardea-manager; man cardea-manager tells more. What stands behind # is the default.
# Relative paths count from the folder of this file. After a change: cardea-manager check-config, then restart; a
# reload (SIGHUP) takes certificate, key, client_cas and trust_own_cas.

[manager]
# Everything that the daemon keeps, unless told otherwise below.
data_directory = "{0}"
# This daemon's name among several that share a database; the machine's name unless told.
# name = ""
# Seconds between two rounds of what is due by time: CRLs, expiry, renewals, signed heads of the audit log.
# housekeeping_seconds = 60

[server]
# HTTPS for operators, scripts and agents.
# address = "127.0.0.1"
# port = 8443
# certificate = "{0}/server.pem"
# key = "{0}/server.key"
# PEM files of further authorities whose certificates operators log on with. Each certificate must still be named by an
# operator's record.
# client_cas = []
# Whether operators may log on with certificates of the manager's own authorities.
# trust_own_cas = true
# Threads for requests; 0: eight for each processor, at least 32. Writers that wait together share one disk write.
# threads = 0
# max_connections = 4096
# Most seconds for a request's header, its body, and between two requests of a connection.
# header_seconds = 10
# body_seconds = 60
# idle_seconds = 75
# For requests that run when the daemon is told to stop.
# drain_seconds = 20

[published]
# Plain HTTP for what relying parties fetch: CRLs, OCSP, certificates of authorities. Nothing else is served here.
# enabled = true
# address = "127.0.0.1"
# port = 8080
# Where relying parties reach it; certificates name it, so change it before the first is issued.
# url = "http://127.0.0.1:8080"

[agents]
# Most devices that are served at a time: 0 none, -1 any number. Further ones are told to come back.
# max_sessions = -1
# Seconds after which the session of an agent of which nothing was heard ends. Its job stands; going on takes a one-time
# code again, or the token's proof for an agent that stays.
# session_seconds = 86400
# Most wrong one-time codes within so many seconds, from one address (of IPv6: one network of 64 bits) and from all
# together. Further ones are not looked at (429, Retry-After). Right ones do not count.
# wrong_codes_of_one = 30
# wrong_codes_of_all = 1000
# wrong_codes_seconds = 600
# The same for agents that stay: proofs and tickets that were refused.
# refused_contacts_of_one = 30
# refused_contacts_of_all = 1000
# refused_contacts_seconds = 600

[database]
# "sqlite:FILE", or "postgresql:host=… dbname=… user=…" with the password in the file that PGPASSFILE names.
# database = "sqlite:{0}/manager.db"
# readers = 8

[keys]
# The token with the manager's own keys: a keystore of ours, or any HSM with a PKCS#11 module.
# module = ""
# token = "cardea-manager"
# A file with the PIN that only the daemon's user can read, or "credential:NAME" with systemd's LoadCredential=.
# pin_source = "{0}/key-token.pin"

[attestation]
# Makers whose tokens are believed when they state where a key was made: PEM files, each certificate trusted by itself.
# Authorities over the attestation keys of PIV cards (YubiKeys: Yubico's PIV roots and the authorities below them), and
# over the endorsement keys of TPMs. A credential profile demands it with "attestation": "required".
# piv_roots = []
# tpm_roots = []

[log]
# debug, info, warning or error
# level = "info"
# text or json
# format = "text"
# A file, put aside when it has grown to file_bytes; nothing: standard error, where systemd's journal picks it up.
# file = ""
# file_bytes = 16777216
# files = 5
)";

}  // namespace

std::string default_settings_text(const std::filesystem::path& data_directory) {
  return fmt::format(text, data_directory.string());
}

}  // namespace cardea::manager
