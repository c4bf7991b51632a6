#include "session/provider.h"

#include <algorithm>

#include "base/process_root.h"
#include "crypto/random.h"

namespace cardea {
namespace {

constexpr std::size_t session_limit = 65536;
constexpr std::size_t saved_digest_limit = 256;

}  // namespace

Provider& provider() {
  return process_singleton<Provider>(Root::library);
}

Status Provider::start(const std::function<Parts()>& make_parts) {
  const std::lock_guard lock(lifecycle_);
  if (started()) return Code::already_initialized;
  Parts parts = make_parts();
  settings_ = std::move(parts.settings);
  sources_ = std::move(parts.sources);
  refresh_slots(false);
  started_.store(true, std::memory_order_release);
  return {};
}

Status Provider::stop() {
  const std::lock_guard lock(lifecycle_);
  if (!started()) return Code::not_initialized;
  started_.store(false, std::memory_order_release);
  for (const auto& source : sources_) source->listen(nullptr);
  listening_ = false;
  {
    const std::lock_guard event_lock(event_mutex_);
    event_pending_ = false;
    event_.notify_all();
  }
  close_sessions([](const Session&) { return true; });
  saved_digests_.with([](auto& saved) { saved.clear(); });
  slots_.with([](SlotTable& table) { table = SlotTable{}; });
  sources_.clear();
  return {};
}

void Provider::listen() {
  if (std::exchange(listening_, true)) return;
  for (const auto& source : sources_) {
    source->listen([this] {
      const std::lock_guard event_lock(event_mutex_);
      event_pending_ = true;
      event_.notify_all();
    });
  }
}

void Provider::refresh_slots(bool new_is_event) {
  slots_.with([&](SlotTable& table) {
    for (const auto& source : sources_) {
      for (const TokenSlotPtr& found : source->slots()) {
        const bool known = std::any_of(table.slots.begin(), table.slots.end(),
                                       [&](const SlotPtr& slot) { return slot->source() == found; });
        if (known) continue;
        table.slots.push_back(std::make_shared<Slot>(table.slots.size(), found));
        // What is there when the application first looks is no event (PKCS#11 3.2, 5.5.4).
        table.occupants.push_back(new_is_event ? 0 : found->occupant());
      }
    }
  });
}

Result<std::vector<SlotPtr>> Provider::slots(bool refresh) {
  if (!started()) return Code::not_initialized;
  if (refresh) {
    const std::lock_guard lock(lifecycle_);
    refresh_slots(false);
  }
  return slots_.read([](const SlotTable& table) { return table.slots; });
}

Result<SlotPtr> Provider::slot(CK_SLOT_ID id) {
  if (!started()) return Code::not_initialized;
  return slots_.read([&](const SlotTable& table) -> Result<SlotPtr> {
    if (id >= table.slots.size()) return Code::slot_invalid;
    return table.slots[id];
  });
}

std::optional<CK_SLOT_ID> Provider::changed_slot() {
  return slots_.with([](SlotTable& table) -> std::optional<CK_SLOT_ID> {
    for (std::size_t id = 0; id < table.slots.size(); ++id) {
      const std::uint64_t present = table.slots[id]->source()->occupant();
      if (present == table.occupants[id]) continue;
      table.occupants[id] = present;
      return id;
    }
    return std::nullopt;
  });
}

Result<CK_SLOT_ID> Provider::wait_for_event(bool wait) {
  // Sources that learn of changes report them; the others (tokens made by another process) are looked at now and then,
  // for as long as somebody waits.
  constexpr std::chrono::milliseconds look_again{500};
  for (;;) {
    {
      const std::lock_guard lock(lifecycle_);
      if (!started()) return Code::not_initialized;
      if (wait) listen();
      refresh_slots(true);
    }
    if (const auto slot = changed_slot()) return *slot;
    if (!wait) return Code::no_event;
    std::unique_lock lock(event_mutex_);
    event_.wait_for(lock, look_again, [this] { return event_pending_ || !started(); });
    event_pending_ = false;
  }
}

Result<SessionPtr> Provider::open_session(CK_SLOT_ID slot_id, bool read_write) {
  CARDEA_ASSIGN(const SlotPtr slot, slot(slot_id));
  CARDEA_ASSIGN(TokenPtr token, slot->token());
  const TokenDescription description = token->describe();
  if (!description.initialized) return Code::token_not_recognized;
  if (read_write && description.write_protected) return Code::token_write_protected;
  if (slot->adopt(token)) close_other_sessions(*slot, token);
  if (open_sessions_.fetch_add(1) >= session_limit) {
    open_sessions_.fetch_sub(1);
    return Code::session_count;
  }
  if (Status opened = slot->session_opened(read_write); !opened) {
    open_sessions_.fetch_sub(1);
    return std::move(opened).error();
  }
  const CK_SESSION_HANDLE handle = next_session_.fetch_add(1);
  auto session = std::make_shared<Session>(handle, slot, std::move(token), read_write);
  shard(handle).sessions.with([&](auto& sessions) { sessions.emplace(handle, session); });
  // A C_Finalize that came in between has closed what it saw; this session must not outlive it.
  if (!started()) {
    const auto removed = shard(handle).sessions.with([&](auto& sessions) { return sessions.extract(handle); });
    if (!removed.empty()) end(removed.mapped());
    return Code::not_initialized;
  }
  return session;
}

Result<SessionPtr> Provider::session(CK_SESSION_HANDLE handle) {
  if (!started()) return Code::not_initialized;
  Result<SessionPtr> session = shard(handle).sessions.with([&](auto& sessions) -> Result<SessionPtr> {
    const auto found = sessions.find(handle);
    if (found == sessions.end()) return Code::session_invalid;
    return found->second;
  });
  if (!session || (*session)->token().present()) return session;
  Slot& slot = (*session)->slot();
  close_other_sessions(slot, slot.token_or_null());
  return Code::session_invalid;
}

void Provider::end(const SessionPtr& session) {
  Slot& slot = session->slot();
  for (std::size_t kind = 0; kind < static_cast<std::size_t>(OperationKind::count); ++kind) {
    session->cancel(static_cast<OperationKind>(kind));
  }
  slot.session_objects().destroy_owned_by(session->handle());
  slot.session_closed(session->read_write());
  open_sessions_.fetch_sub(1);
}

Status Provider::close_session(CK_SESSION_HANDLE handle) {
  if (!started()) return Code::not_initialized;
  const auto removed = shard(handle).sessions.with([&](auto& sessions) { return sessions.extract(handle); });
  if (removed.empty()) return Code::session_invalid;
  end(removed.mapped());
  return {};
}

template <class Predicate>
void Provider::close_sessions(Predicate predicate) {
  std::vector<SessionPtr> closing;
  for (Shard& each : shards_) {
    each.sessions.with([&](auto& sessions) {
      std::erase_if(sessions, [&](const auto& entry) {
        if (!predicate(*entry.second)) return false;
        closing.push_back(entry.second);
        return true;
      });
    });
  }
  for (const SessionPtr& session : closing) end(session);
}

void Provider::close_other_sessions(Slot& slot, const TokenPtr& token) {
  close_sessions(
      [&](const Session& session) { return session.slot().id() == slot.id() && &session.token() != token.get(); });
  slot.end_other_login(token);
}

Status Provider::close_all_sessions(CK_SLOT_ID slot_id) {
  CARDEA_ASSIGN(const SlotPtr slot, slot(slot_id));
  close_sessions([&](const Session& session) { return session.slot().id() == slot_id; });
  return {};
}

Result<Bytes> Provider::save_digest(CK_MECHANISM_TYPE mechanism, DigestPtr digest) {
  Bytes name(saved_state_size);
  CARDEA_TRY(crypto::random_bytes(name));
  saved_digests_.with([&](auto& saved) {
    saved.push_back(SavedDigest{name, mechanism, std::move(digest)});
    if (saved.size() > saved_digest_limit) saved.pop_front();
  });
  return name;
}

Result<ActiveOperationPtr> Provider::restore_digest(ByteView name) {
  return saved_digests_.with([&](auto& saved) -> Result<ActiveOperationPtr> {
    const auto found =
        std::find_if(saved.begin(), saved.end(), [&](const SavedDigest& each) { return same_bytes(each.name, name); });
    if (found == saved.end()) return Code::saved_state_invalid;
    DigestPtr copy = found->digest->clone();
    if (!copy) return Code::saved_state_invalid;
    auto operation = std::make_unique<ActiveOperation>();
    operation->mechanism = mechanisms().find(found->mechanism);
    operation->work = std::move(copy);
    operation->phase = OperationPhase::in_parts;
    return operation;
  });
}

}  // namespace cardea
