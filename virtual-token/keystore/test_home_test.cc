#include "keystore/test_home.h"

#include <sys/wait.h>
#include <unistd.h>

#include <boost/test/unit_test.hpp>

namespace cardea::keystore::test {

namespace fs = std::filesystem;

Home::Home() {
  std::string pattern = (fs::temp_directory_path() / "cardea-keystore-XXXXXX").string();
  if (mkdtemp(pattern.data()) == nullptr) throw std::runtime_error("no temporary directory");
  root_ = pattern;
  settings_.home = root_ / "home";
  settings_.keystore.pin_cost = {.memory_kib = 8, .iterations = 1, .lanes = 1};
}

Home::~Home() {
  std::error_code ignored;
  fs::remove_all(root_, ignored);
}

std::string Home::make_token(std::string_view label) const {
  const std::string serial = *random_serial();
  KeystoreToken token(settings_, serial);
  BOOST_REQUIRE(token.initialize(pin(so_pin), label).ok());
  BOOST_REQUIRE(token.login(Role::security_officer, pin(so_pin)).ok());
  BOOST_REQUIRE(token.set_user_pin(pin(user_pin)).ok());
  return serial;
}

std::shared_ptr<KeystoreToken> Home::open(const std::string& serial) const {
  auto token = KeystoreToken::open(settings_, serial);
  if (!token) throw std::runtime_error(describe(token.error()));
  return *token;
}

std::shared_ptr<KeystoreToken> Home::open_for_user(const std::string& serial) const {
  auto token = open(serial);
  const Status in = token->login(Role::user, pin(user_pin));
  if (!in) throw std::runtime_error(describe(in.error()));
  return token;
}

NewObject data_object(std::string_view label, std::string_view value) {
  NewObject object;
  object.attributes.set_ulong(CKA_CLASS, CKO_DATA);
  object.attributes.set_bool(CKA_TOKEN, true);
  object.attributes.set_bool(CKA_PRIVATE, false);
  object.attributes.set_text(CKA_LABEL, label);
  object.attributes.set_text(CKA_VALUE, value);
  return object;
}

NewObject secret_key(std::string_view id, std::string_view value) {
  NewObject object;
  object.attributes.set_ulong(CKA_CLASS, CKO_SECRET_KEY);
  object.attributes.set_ulong(CKA_KEY_TYPE, CKK_GENERIC_SECRET);
  object.attributes.set_bool(CKA_TOKEN, true);
  object.attributes.set_bool(CKA_PRIVATE, true);
  object.attributes.set_text(CKA_ID, id);
  object.secrets.emplace(CKA_VALUE, SecretBytes(view_of(value)));
  return object;
}

std::vector<NewObject> one(NewObject object) {
  std::vector<NewObject> objects;
  objects.push_back(std::move(object));
  return objects;
}

std::size_t count(Token& token, const AttributeSet& match) {
  std::size_t found = 0;
  const Status done = token.find({.match = match, .include_private = true}, [&](const ObjectPtr&) { ++found; });
  BOOST_REQUIRE_MESSAGE(done.ok(), (done.ok() ? std::string() : describe(done.error())));
  return found;
}

int in_child(const std::function<int()>& body) {
  const pid_t child = fork();
  if (child == 0) {
    int status = 99;
    try {
      status = body();
    } catch (...) {
      status = 98;
    }
    _exit(status);
  }
  int status = 0;
  if (waitpid(child, &status, 0) != child) return -1;
  return WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
}

void run_sql(const fs::path& database, const std::string& sql) {
  sqlite3* handle = nullptr;
  const bool opened = sqlite3_open(database.c_str(), &handle) == SQLITE_OK;
  const bool done = opened && sqlite3_exec(handle, sql.c_str(), nullptr, nullptr, nullptr) == SQLITE_OK;
  const std::string why = sqlite3_errmsg(handle);
  sqlite3_close(handle);
  if (!done) throw std::runtime_error(why);
}

}  // namespace cardea::keystore::test
