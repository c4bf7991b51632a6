// The way to a PKCS#11 token that lasts: a module loaded, a user logged in, sessions kept ready; made anew by itself
// when the token was pulled, the module failed or the login was lost.
#pragma once

#include <functional>
#include <map>
#include <memory>
#include <mutex>
#include <optional>
#include <shared_mutex>
#include <string>
#include <vector>

#include "base/result.h"
#include "base/secret.h"
#include "p11client/module.h"
#include "p11client/session.h"

namespace cardea::keys {

/// Which token, and how to open it.
struct LinkSettings {
  std::string module;      ///< path; empty: libcardea-pkcs11.so beside the program
  std::string token;       ///< label, serial number or RFC 7512 URI; empty: the only token there is
  std::string pin_source;  ///< pin_source.h
};

class TokenLink {
 public:
  explicit TokenLink(LinkSettings settings) : settings_(std::move(settings)) {}
  TokenLink(const TokenLink&) = delete;
  TokenLink& operator=(const TokenLink&) = delete;

  /// Runs `use` with a logged-in read-write session that nobody else has meanwhile. When the token turns out to be gone
  /// it is opened again and `use` runs once more, so `use` must be repeatable. A PIN that the token refused is never
  /// sent again: only a changed PIN source opens the way.
  template <class T>
  Result<T> with(const std::function<Result<T>(const p11client::Session&)>& use);

  /// The handle of the one object of that class and label, kept until the link is made anew or forget() is called;
  /// not_found, template_inconsistent when there are several.
  Result<CK_OBJECT_HANDLE> find(const p11client::Session& session, CK_OBJECT_CLASS of_class, const std::string& label);
  void forget();

 private:
  struct Open {
    std::unique_ptr<p11client::Module> module;
    p11client::TokenInfo token;
    std::optional<p11client::Session> keeper;  ///< as long as one session is open, the login lasts
    std::vector<p11client::Session> idle;
    std::map<std::pair<CK_OBJECT_CLASS, std::string>, CK_OBJECT_HANDLE> handles;
  };

  Status ensure_open(std::uint64_t broken_generation);
  Status open();
  Status log_in(const p11client::Session& session);
  Result<p11client::Session> take_session();
  void give_back(p11client::Session session);

  LinkSettings settings_;
  std::shared_mutex gate_;  ///< held shared while a session is used, alone while the link is made anew
  std::mutex lock_;         ///< of what open_ holds
  std::unique_ptr<Open> open_;
  std::uint64_t generation_ = 0;  ///< counts the times that the link was made; 0: never
  std::optional<Pin> refused_;
};

/// Whether an error says that sessions or login are gone, so that opening anew may help.
bool is_lost(Code code);

template <class T>
Result<T> TokenLink::with(const std::function<Result<T>(const p11client::Session&)>& use) {
  std::uint64_t broken = 0;
  while (true) {
    const bool second = broken != 0;
    CARDEA_TRY(ensure_open(broken));
    const std::shared_lock shared(gate_);
    if (open_ == nullptr) continue;  // lost again in between; the next turn opens it or says why not
    const std::uint64_t current = generation_;
    auto session = take_session();
    if (!session) {
      if (second || !is_lost(session.code())) return std::move(session).error();
      broken = current;
      continue;
    }
    Result<T> result = use(*session);
    if (result || second || !is_lost(result.code())) {
      // A session whose operation failed may still have it active, so it is closed instead of used again.
      if (result) give_back(std::move(*session));
      return result;
    }
    broken = current;
  }
}

}  // namespace cardea::keys
