#include "daemon/live_server.h"

#include <fmt/format.h>

#include <fstream>
#include <sstream>

#include "domain/cause.h"
#include "x509/encoding.h"

namespace cardea::manager {
namespace {

Result<std::string> read_text(const std::filesystem::path& file) {
  std::ifstream in(file, std::ios::binary);
  std::ostringstream text;
  text << in.rdbuf();
  if (!in) return error(Code::not_found, fmt::format("{} cannot be read", file.string()));
  return text.str();
}

Result<http::ServerSettings> server_settings(const DaemonSettings& settings, System& system) {
  http::ServerSettings server = settings.server;
  for (const auto& file : settings.client_ca_files) {
    CARDEA_ASSIGN(std::string pem, read_text(file));
    server.client_ca_pems.push_back(std::move(pem));
  }
  if (!settings.trust_own_cas) return server;
  // Operators get in with what was issued to them also while an authority's key cannot be reached.
  CARDEA_ASSIGN(const auto certificates, system.authorities().local_certificates());
  for (const Bytes& certificate : certificates) {
    CARDEA_ASSIGN(std::string pem, x509::to_pem("CERTIFICATE", certificate));
    server.client_ca_pems.push_back(std::move(pem));
  }
  return server;
}

}  // namespace

Result<std::unique_ptr<LiveServer>> LiveServer::start(const DaemonSettings& settings, std::size_t connections,
                                                      System& system, Log& log, http::Application& application) {
  std::unique_ptr<LiveServer> live(new LiveServer(settings, system, log));
  CARDEA_ASSIGN(http::ServerSettings server, server_settings(settings, system));
  server.limits.connections = connections;
  CARDEA_ASSIGN(live->server_, http::Server::start(server, application));
  system.authorities().on_made([live = live.get()](const std::string& pem) {
    const std::lock_guard lock(live->mutex_);
    if (!live->settings_.trust_own_cas) return;
    if (const Status trusted = live->server_->trust_client_ca(pem); !trusted)
      live->log_.warning("authority not trusted", {{"why", cause(trusted.error())}});
  });
  return live;
}

Status LiveServer::take(const DaemonSettings& settings) {
  CARDEA_ASSIGN(const http::ServerSettings server, server_settings(settings, system_));
  return server_->reload(server);
}

Status LiveServer::take_files() {
  const std::lock_guard lock(mutex_);
  return take(settings_);
}

void LiveServer::read_again() {
  const std::lock_guard lock(mutex_);
  const auto wanted = read_settings(settings_.file);
  const Status taken = wanted ? take(*wanted) : Status(wanted.error());
  if (!taken) return log_.error("settings not taken", {{"why", cause(taken.error())}});
  for (const std::string_view section : sections_for_restart(settings_, *wanted))
    log_.warning("changed settings take a restart", {{"section", std::string(section)}});
  settings_.server.certificate_file = wanted->server.certificate_file;
  settings_.server.key_file = wanted->server.key_file;
  settings_.client_ca_files = wanted->client_ca_files;
  settings_.trust_own_cas = wanted->trust_own_cas;
  log_.info("settings read again", {{"certificate", settings_.server.certificate_file.string()}});
}

std::filesystem::path LiveServer::certificate_file() {
  const std::lock_guard lock(mutex_);
  return settings_.server.certificate_file;
}

std::filesystem::path LiveServer::key_file() {
  const std::lock_guard lock(mutex_);
  return settings_.server.key_file;
}

}  // namespace cardea::manager
