#include "tpm/tpm.h"

#include <algorithm>
#include <cstdio>
#include <map>

#include "base/guarded.h"
#include "base/process_root.h"

namespace cardea::tpm {

namespace {

/// Making a key takes about ten times as long as using one.
Patience patience_of(const TpmSettings& settings) {
  const std::chrono::seconds usual(settings.timeout_seconds);
  return {.usual = usual, .making = 10 * usual};
}

}  // namespace

const Loaded* LoadedKeys::find(const std::string& name) {
  const auto found = std::find_if(keys_.begin(), keys_.end(), [&](const Entry& entry) { return entry.name == name; });
  if (found == keys_.end()) return nullptr;
  keys_.splice(keys_.begin(), keys_, found);
  return &found->key;
}

const Loaded* LoadedKeys::add(const std::string& name, Loaded key) {
  keys_.push_front({name, std::move(key)});
  if (keys_.size() > most) keys_.pop_back();
  return &keys_.front().key;
}

void LoadedKeys::keep_only(const std::string& name) {
  keys_.remove_if([&](const Entry& entry) { return entry.name != name; });
}

void LoadedKeys::drop(const std::string& prefix) {
  keys_.remove_if([&](const Entry& entry) { return entry.name.starts_with(prefix); });
}

Status Tpm::run(const std::function<Status(TpmAccess&)>& work) {
  const std::lock_guard lock(mutex_);
  bool connected_again = false;
  bool made_room = false;
  for (;;) {
    if (!access_) {
      auto connection = TpmConnection::open(settings_.tcti, patience_of(settings_));
      if (!connection && connected_before_) return error(Code::device_error, connection.error().detail);
      if (!connection) return std::move(connection).error();
      access_.emplace(TpmAccess{std::move(*connection)});
      connected_before_ = true;
    }
    Status done = work(*access_);
    if (done) return done;
    if (access_->connection.mute()) {
      access_.reset();
      return done;
    }
    if (!access_->connection.alive() || done.code() == Code::device_removed) {
      access_.reset();
      if (std::exchange(connected_again, true)) return error(Code::device_error, done.error().detail);
    } else if (done.code() == Code::device_memory && !made_room) {
      made_room = true;
      access_->keys.clear();
      access_->release_storage_key();
      access_->connection.flush_leftovers();
    } else {
      return done;
    }
  }
}

void Tpm::tidy(const std::function<void(TpmAccess&)>& work) {
  const std::lock_guard lock(mutex_);
  if (access_) work(*access_);
}

void Tpm::release() {
  const std::lock_guard lock(mutex_);
  if (access_ && access_->keys.empty() && !access_->storage_key) access_.reset();
}

namespace {

/// What a file holds, without the end of its line; nothing where none is named.
Result<SecretBytes> read_authorisation(const std::filesystem::path& name, const char* whose) {
  if (name.empty()) return SecretBytes();
  SecretBytes text(auth_size + 1);
  std::FILE* const file = std::fopen(name.c_str(), "re");
  const std::size_t size = file == nullptr ? 0 : std::fread(text.data(), 1, text.size(), file);
  if (file != nullptr) std::fclose(file);
  text.truncate(size);
  while (!text.empty() && (text.view().back() == '\n' || text.view().back() == '\r')) text.truncate(text.size() - 1);
  if (text.empty() || text.size() > auth_size) {
    return error(Code::permission_denied,
                 name.string() + ", which should hold the authorisation of the TPM's " + whose + ", cannot be read");
  }
  return text;
}

}  // namespace

Result<SecretBytes> Tpm::hierarchy_auth() const {
  return read_authorisation(settings_.hierarchy_auth_file, "owner");
}

Result<SecretBytes> Tpm::endorsement_auth() const {
  return read_authorisation(settings_.endorsement_auth_file, "endorsement hierarchy");
}

std::shared_ptr<Tpm> shared_tpm(const TpmSettings& settings) {
  using Known = std::map<std::string, std::weak_ptr<Tpm>>;
  return process_singleton<Guarded<Known>>(Root::tpm).with([&](Known& known) {
    std::weak_ptr<Tpm>& place = known[settings.tcti + '\n' + settings.hierarchy_auth_file.string() + '\n' +
                                      settings.endorsement_auth_file.string()];
    std::shared_ptr<Tpm> tpm = place.lock();
    if (!tpm) {
      tpm = std::make_shared<Tpm>(settings);
      place = tpm;
    }
    return tpm;
  });
}

}  // namespace cardea::tpm
