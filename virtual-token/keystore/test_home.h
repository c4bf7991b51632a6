// What the keystore's tests share: a home of its own, tokens with cheap PINs, simple objects.
#pragma once

#include <functional>
#include <string>
#include <vector>

#include "base/testing_codes.h"
#include "keystore/keystore.h"
#include "keystore/keystore_token.h"

namespace cardea::keystore::test {

inline Pin pin(std::string_view text) {
  return Pin(view_of(text));
}
inline constexpr std::string_view user_pin = "user-pin";
inline constexpr std::string_view so_pin = "so-pin-1";

/// A temporary home, removed at the end.
class Home {
 public:
  Home();
  ~Home();
  Home(const Home&) = delete;
  Home& operator=(const Home&) = delete;

  const Settings& settings() const { return settings_; }
  Settings& settings() { return settings_; }
  const std::filesystem::path& path() const { return settings_.home; }
  std::filesystem::path directory(const std::string& serial) const { return path() / "tokens" / serial; }
  std::filesystem::path database(const std::string& serial) const { return directory(serial) / "store.sqlite"; }

  /// Makes a token with both PINs set; answers its serial.
  std::string make_token(std::string_view label = "test") const;
  /// Opens it anew, as another process would.
  std::shared_ptr<KeystoreToken> open(const std::string& serial) const;
  /// The same, with the user logged in.
  std::shared_ptr<KeystoreToken> open_for_user(const std::string& serial) const;

 private:
  std::filesystem::path root_;
  Settings settings_;
};

/// A public data object.
NewObject data_object(std::string_view label, std::string_view value);
/// A private secret key with CKA_ID.
NewObject secret_key(std::string_view id, std::string_view value);
std::vector<NewObject> one(NewObject object);

/// Number of objects that match; everything by default.
std::size_t count(Token& token, const AttributeSet& match = {});

/// Runs `body` in a forked child and answers its exit status (or 128 + signal). The child leaves by _exit.
int in_child(const std::function<int()>& body);

/// Runs SQL on a store from outside.
void run_sql(const std::filesystem::path& database, const std::string& sql);

}  // namespace cardea::keystore::test
