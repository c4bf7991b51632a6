#include "keys/token_link.h"

#include <fmt/format.h>

#include "keys/pin_source.h"
#include "p11client/failure.h"
#include "p11client/seals.h"
#include "p11client/template.h"
#include "p11client/uri.h"

namespace cardea::keys {
namespace {

using p11client::Module;
using p11client::Session;
using p11client::TokenInfo;

constexpr std::size_t idle_sessions = 16;

Result<bool> is_wanted(const std::string& wanted, const TokenInfo& token) {
  if (!token.initialized()) return false;
  if (wanted.empty()) return true;
  if (!p11client::is_uri(wanted)) return token.label == wanted || token.serial == wanted;
  CARDEA_ASSIGN(const p11client::Uri uri, p11client::parse_uri(wanted));
  return matches(uri, token);
}

Result<TokenInfo> select_token(const Module& module, const std::string& wanted) {
  CARDEA_ASSIGN(const auto tokens, module.tokens());
  std::optional<TokenInfo> found;
  for (const TokenInfo& token : tokens) {
    CARDEA_ASSIGN(const bool fits, is_wanted(wanted, token));
    if (!fits) continue;
    if (found) {
      return error(Code::arguments_bad, fmt::format("several tokens of {} fit '{}' as the key token; name one by its "
                                                    "serial number or URI",
                                                    module.path(), wanted));
    }
    found = token;
  }
  if (!found) {
    return error(Code::token_absent, fmt::format("the key token '{}' is not there ({})", wanted, module.path()));
  }
  return *found;
}

}  // namespace

bool is_lost(Code code) {
  switch (code) {
    case Code::not_initialized:
    case Code::slot_invalid:
    case Code::token_absent:
    case Code::token_not_recognized:
    case Code::session_invalid:
    case Code::user_not_logged_in:
    case Code::device_error:
    case Code::device_removed:
    case Code::key_handle_invalid:
    case Code::object_handle_invalid:
      return true;
    default:
      return false;
  }
}

Status TokenLink::ensure_open(std::uint64_t broken_generation) {
  {
    const std::shared_lock shared(gate_);
    if (open_ != nullptr && generation_ != broken_generation) return {};
  }
  const std::unique_lock alone(gate_);
  if (open_ != nullptr && generation_ != broken_generation) return {};
  // Sessions before the module: its end closes what is left.
  open_.reset();
  return open();
}

Status TokenLink::open() {
  auto fresh = std::make_unique<Open>();
  CARDEA_ASSIGN(fresh->module, Module::load(p11client::module_path(settings_.module)));
  CARDEA_ASSIGN(fresh->token, select_token(*fresh->module, settings_.token));
  CARDEA_ASSIGN(auto keeper, Session::open(*fresh->module, fresh->token, true));
  CARDEA_TRY(log_in(keeper));
  fresh->keeper.emplace(std::move(keeper));
  open_ = std::move(fresh);
  ++generation_;
  return {};
}

Status TokenLink::log_in(const Session& session) {
  CARDEA_ASSIGN(const TokenInfo now, session.token_now());
  if (!now.has(CKF_LOGIN_REQUIRED)) return {};
  CARDEA_ASSIGN(Pin pin, read_pin(settings_.pin_source));
  if (refused_ && equal_in_constant_time(refused_->view(), pin.view())) {
    return error(Code::pin_incorrect,
                 fmt::format("the PIN in {} was refused by the key token and is not sent again; correct it there",
                             settings_.pin_source));
  }
  const CK_RV rv = session.login(CKU_USER, &pin);
  if (rv == CKR_OK || rv == CKR_USER_ALREADY_LOGGED_IN) {
    refused_.reset();
    return {};
  }
  const Code code = p11client::code_of(rv);
  if (code == Code::pin_incorrect || code == Code::pin_invalid || code == Code::pin_length) refused_ = std::move(pin);
  return p11client::login_failure(session, rv, fmt::format("Login to the key token '{}' failed", now.label));
}

Result<Session> TokenLink::take_session() {
  {
    const std::lock_guard lock(lock_);
    if (!open_->idle.empty()) {
      Session session = std::move(open_->idle.back());
      open_->idle.pop_back();
      return session;
    }
  }
  return Session::open(*open_->module, open_->token, true);
}

void TokenLink::give_back(Session session) {
  const std::lock_guard lock(lock_);
  if (open_->idle.size() < idle_sessions) open_->idle.push_back(std::move(session));
}

Result<CK_OBJECT_HANDLE> TokenLink::find(const Session& session, CK_OBJECT_CLASS of_class, const std::string& label) {
  const auto key = std::pair(of_class, label);
  {
    const std::lock_guard lock(lock_);
    if (const auto known = open_->handles.find(key); known != open_->handles.end()) return known->second;
  }
  p11client::Template wanted;
  wanted.number(CKA_CLASS, of_class).text(CKA_LABEL, label).flag(CKA_TOKEN, true);
  CARDEA_ASSIGN(const auto found, session.find(wanted));
  if (found.empty()) return error(Code::not_found, fmt::format("the key token has no key '{}'", label));
  if (found.size() > 1) {
    return error(Code::template_inconsistent, fmt::format("the key token has {} keys '{}'", found.size(), label));
  }
  const std::lock_guard lock(lock_);
  open_->handles.insert_or_assign(key, found.front());
  return found.front();
}

void TokenLink::forget() {
  const std::lock_guard lock(lock_);
  if (open_ != nullptr) open_->handles.clear();
}

}  // namespace cardea::keys
