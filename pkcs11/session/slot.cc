#include "session/slot.h"

namespace cardea {

Status Slot::check_login(Role role) const {
  const Role present = this->role();
  if (present == role) return Code::user_already_logged_in;
  if (present != Role::none) return Code::user_another_logged_in;
  const SessionCounts counts = session_counts();
  if (role == Role::security_officer && counts.read_write != counts.total) return Code::session_read_only_exists;
  return {};
}

Status Slot::login(Role role, const Pin& pin) {
  const std::lock_guard lock(login_mutex_);
  CARDEA_TRY(check_login(role));
  CARDEA_ASSIGN(const TokenPtr token, this->token());
  const bool replaced = adopted_.read([&](const TokenPtr& adopted) { return adopted && adopted != token; });
  if (replaced) return Code::device_removed;
  CARDEA_TRY(token->login(role, pin));
  // A read-only session may have been opened while the PIN was being tried.
  const bool allowed = counts_.with([&](const SessionCounts& counts) {
    if (counts.total == 0 || (role == Role::security_officer && counts.read_write != counts.total)) return false;
    role_.store(role, std::memory_order_release);
    return true;
  });
  login_epoch_.fetch_add(1, std::memory_order_acq_rel);
  if (!allowed) {
    token->logout();
    return role == Role::security_officer ? Code::session_read_only_exists : Code::session_invalid;
  }
  logged_in_ = token;
  return {};
}

void Slot::forget_login(const TokenPtr& token) {
  role_.store(Role::none, std::memory_order_release);
  login_epoch_.fetch_add(1, std::memory_order_acq_rel);
  session_objects_.destroy_private();
  if (token) token->logout();
}

Status Slot::logout() {
  const std::lock_guard lock(login_mutex_);
  if (role() == Role::none) return Code::user_not_logged_in;
  forget_login(std::exchange(logged_in_, nullptr));
  return {};
}

bool Slot::adopt(const TokenPtr& token) {
  return adopted_.with([&](TokenPtr& adopted) { return std::exchange(adopted, token) != token; });
}

void Slot::end_other_login(const TokenPtr& token) {
  const std::lock_guard lock(login_mutex_);
  if (role() == Role::none || logged_in_ == token) return;
  forget_login(std::exchange(logged_in_, nullptr));
}

Status Slot::session_opened(bool read_write) {
  return counts_.with([&](SessionCounts& counts) -> Status {
    if (!read_write && role() == Role::security_officer) return Code::session_read_write_so_exists;
    ++counts.total;
    if (read_write) ++counts.read_write;
    return {};
  });
}

void Slot::session_closed(bool read_write) {
  const bool last = counts_.with([&](SessionCounts& counts) {
    --counts.total;
    if (read_write) --counts.read_write;
    return counts.total == 0;
  });
  if (!last) return;
  // Who was not logged in has nothing to log out of.
  static_cast<void>(logout().ok());
}

}  // namespace cardea
