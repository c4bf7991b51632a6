#include "faults/setting.h"

#include <sqlite3.h>
#include <unistd.h>

#include <cstdlib>
#include <sstream>
#include <stdexcept>

namespace cardea::test {

namespace fs = std::filesystem;

std::string module_path() {
  const char* const path = std::getenv("CARDEA_MODULE");
  if (path == nullptr) throw std::runtime_error("CARDEA_MODULE does not name the module");
  return path;
}

Home::Home() {
  fs::create_directory(path());
  fs::permissions(path(), fs::perms::owner_all);
  write_file(config(),
             "[keystore]\nretry_limit = 3\nso_retry_limit = 3\n"
             "pin_cost = { memory_kib = 64, iterations = 1, lanes = 1 }\n");
}

Home::Home(const Home& other) {
  fs::copy(other.folder_.path(), folder_.path(), fs::copy_options::recursive);
}

fs::path Home::store() const {
  std::vector<fs::path> found;
  for (const auto& entry : fs::recursive_directory_iterator(path())) {
    if (entry.path().filename() == "store.sqlite") found.push_back(entry.path());
  }
  if (found.size() != 1) throw std::runtime_error(std::to_string(found.size()) + " stores instead of one");
  return found.front();
}

Environment Home::environment() const {
  return {{"CARDEA_HOME", path().string()}, {"CARDEA_CONF", config().string()}, {"CARDEA_TRACE", ""}};
}

void Home::adopt() const {
  for (const auto& [name, value] : environment()) {
    if (value.empty()) {
      unsetenv(name.c_str());
    } else {
      setenv(name.c_str(), value.c_str(), 1);
    }
  }
}

void Home::give_to(uid_t uid) const {
  const auto give = [uid](const fs::path& what) {
    if (lchown(what.c_str(), uid, uid) != 0) throw std::runtime_error("cannot give away " + what.string());
  };
  give(folder_.path());
  for (const auto& entry : fs::recursive_directory_iterator(folder_.path())) give(entry.path());
}

std::vector<std::string> Home::command(const std::vector<std::string>& arguments) const {
  const char* const worker = std::getenv("CARDEA_FAULT_WORKER");
  if (worker == nullptr) throw std::runtime_error("CARDEA_FAULT_WORKER does not name the worker");
  std::vector<std::string> all{worker};
  all.insert(all.end(), arguments.begin(), arguments.end());
  return all;
}

Outcome Home::work(const std::vector<std::string>& arguments, const Environment& more, uid_t uid,
                   std::chrono::seconds limit) const {
  Environment all = environment();
  for (const auto& [name, value] : more) all[name] = value;
  return run(command(arguments), all, uid, limit);
}

void Home::make_token() const {
  const Outcome outcome = work({"make-token"});
  if (!outcome.succeeded()) throw std::runtime_error("no token could be made: " + outcome.err);
}

std::map<std::string, std::string> Home::objects(const char* pin) const {
  const Outcome outcome = work({"dump", pin});
  if (!outcome.succeeded()) throw std::runtime_error("the store cannot be read: " + outcome.err);
  std::map<std::string, std::string> all;
  for (const std::string& line : lines(outcome.out)) {
    const std::size_t tab = line.find('\t');
    all[line.substr(0, tab)] = line.substr(tab + 1);
  }
  return all;
}

std::vector<std::string> lines(const std::string& text) {
  std::istringstream stream(text);
  std::vector<std::string> all;
  for (std::string line; std::getline(stream, line);) all.push_back(line);
  return all;
}

std::string integrity(const fs::path& database) {
  sqlite3* connection = nullptr;
  std::string answer = "cannot be opened";
  if (sqlite3_open_v2(database.c_str(), &connection, SQLITE_OPEN_READWRITE, nullptr) == SQLITE_OK) {
    const auto keep = [](void* target, int, char** values, char**) {
      *static_cast<std::string*>(target) = values[0];
      return 0;
    };
    if (sqlite3_exec(connection, "PRAGMA integrity_check(1)", keep, &answer, nullptr) != SQLITE_OK) {
      answer = sqlite3_errmsg(connection);
    }
  }
  sqlite3_close(connection);
  return answer;
}

}  // namespace cardea::test
