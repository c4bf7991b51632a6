// A home with one token for a fault test, and the worker program that does things in processes of their own.
#pragma once

#include <chrono>
#include <map>
#include <string>
#include <vector>

#include "fakes/process.h"

namespace cardea::test {

inline constexpr const char* user_pin = "123456";
inline constexpr const char* so_pin = "87654321";
inline constexpr const char* wrong_pin = "654321";
inline constexpr const char* token_label = "faults";

/// The module under test; throws when CARDEA_MODULE does not name it.
std::string module_path();

/// A CARDEA_HOME of its own with a cheap PIN derivation and three tries, so that tests which log in often stay short.
class Home {
 public:
  Home();
  /// The same files again, in a folder of their own.
  Home(const Home& other);
  Home& operator=(const Home&) = delete;

  std::filesystem::path path() const { return folder_.path() / "home"; }
  std::filesystem::path config() const { return folder_.path() / "cardea.toml"; }
  /// The one token's store.sqlite; throws when there is none or more than one.
  std::filesystem::path store() const;
  Environment environment() const;
  /// Makes this home that of the present process.
  void adopt() const;
  /// Hands the whole folder to another user.
  void give_to(uid_t uid) const;

  /// Runs the worker (worker.cc) to its end.
  Outcome work(const std::vector<std::string>& arguments, const Environment& more = {}, uid_t uid = 0,
               std::chrono::seconds limit = std::chrono::seconds(60)) const;
  /// The arguments and environment with which Child starts the same.
  std::vector<std::string> command(const std::vector<std::string>& arguments) const;

  /// Makes the token.
  void make_token() const;
  /// CKA_ID to CKA_LABEL of every secret key whose value is what its CKA_ID promises, and "pair ID" for each complete
  /// key pair; throws when a value is wrong, half a pair is found or the store no longer takes a new object.
  std::map<std::string, std::string> objects(const char* pin = user_pin) const;

 private:
  TemporaryFolder folder_;
};

/// The lines of a text.
std::vector<std::string> lines(const std::string& text);

/// SQLite's own opinion of a database file: "ok" when it is sound.
std::string integrity(const std::filesystem::path& database);

}  // namespace cardea::test
