// Tokens that the real SoftHSM2 made are taken over, from its files and from its database.
#include <boost/test/unit_test.hpp>
#include <cstdlib>
#include <fstream>

#include "keystore/softhsm.h"
#include "keystore/test_home.h"

namespace cardea::keystore {

using namespace test;
namespace fs = std::filesystem;

namespace {

constexpr std::string_view module = "/usr/lib/softhsm/libsofthsm2.so";
constexpr std::string_view old_user_pin = "123456";
constexpr std::string_view old_so_pin = "87654321";
constexpr std::string_view aes_value = "0123456789abcdef0123456789abcdef";

/// A SoftHSM2 token with an RSA and an EC key pair, an AES key, a private and a public data object.
struct OldToken : Home {
  OldToken() : tokens(path().parent_path() / "tokens-of-softhsm") {
    if (!fs::exists(module) || std::system("which softhsm2-util pkcs11-tool > /dev/null 2>&1") != 0) return;
    fs::create_directories(tokens);
    const fs::path config = path().parent_path() / "softhsm2.conf";
    std::ofstream(config) << "directories.tokendir = " << tokens.string() << "\nobjectstore.backend = file\n";
    std::ofstream(value_file()) << aes_value;
    environment = "SOFTHSM2_CONF=" + config.string() + " ";
    run("softhsm2-util --init-token --free --label 'old token' --pin 123456 --so-pin 87654321");
    tool("--keypairgen --key-type rsa:2048 --id 01 --label 'an rsa key'");
    tool("--keypairgen --key-type EC:prime256v1 --id 02 --label 'an ec key'");
    tool("--write-object " + value_file() + " --type secrkey --key-type AES:32 --id 03 --label 'an aes key'");
    tool("--write-object " + value_file() + " --type data --private --label 'a private note'");
    tool("--write-object " + value_file() + " --type data --label 'a public note'");
    made = true;
  }

  std::string value_file() const { return (path().parent_path() / "value").string(); }
  void run(const std::string& command) const {
    const std::string line = environment + command + " > /dev/null 2>&1";
    BOOST_REQUIRE_MESSAGE(std::system(line.c_str()) == 0, command);
  }
  void tool(const std::string& arguments) const {
    run("pkcs11-tool --module " + std::string(module) + " --token-label 'old token' --login --pin 123456 " + arguments);
  }
  bool available() const {
    if (!made) BOOST_TEST_MESSAGE("skipped: softhsm2 or opensc is not installed");
    return made;
  }
  fs::path token() const {
    const auto found = find_softhsm_tokens(tokens);
    BOOST_REQUIRE(found.ok());
    BOOST_REQUIRE(found->size() == 1u);
    BOOST_TEST((*found)[0].label == "old token");
    return (*found)[0].path;
  }

  fs::path tokens;
  std::string environment;
  bool made = false;
};

ObjectPtr find_one(Token& token, CK_OBJECT_CLASS object_class, std::string_view label) {
  Query query{.match = {}, .include_private = true};
  query.match.set_ulong(CKA_CLASS, object_class);
  query.match.set_text(CKA_LABEL, label);
  ObjectPtr found;
  BOOST_REQUIRE(token.find(query, [&](const ObjectPtr& object) { found = object; }).ok());
  BOOST_REQUIRE_MESSAGE(found, label);
  return found;
}

void check_imported(const Home& home, const ImportReport& report) {
  for (const std::string& sentence : report.skipped) BOOST_ERROR(sentence);
  BOOST_TEST(report.imported == 7u);
  BOOST_TEST(report.label == "old token");
  const auto token = home.open(report.serial);
  BOOST_TEST(token->describe().label == "old token");
  BOOST_TEST(token->login(Role::security_officer, pin(old_so_pin)).ok());
  token->logout();
  BOOST_REQUIRE(token->login(Role::user, pin(old_user_pin)).ok());
  BOOST_TEST(count(*token) == 7u);
  for (const std::string_view label : {"an rsa key", "an ec key"}) {
    BOOST_TEST(token->key(*find_one(*token, CKO_PUBLIC_KEY, label)).ok());
    const ObjectPtr private_key = find_one(*token, CKO_PRIVATE_KEY, label);
    BOOST_TEST(token->key(*private_key).ok());
    BOOST_TEST(private_key->is_private());
    BOOST_TEST(private_key->attributes.get_bool(CKA_SENSITIVE));
  }
  const auto aes = token->secrets(*find_one(*token, CKO_SECRET_KEY, "an aes key"));
  BOOST_REQUIRE(aes.ok());
  BOOST_TEST(text_of(aes->at(CKA_VALUE).view()) == aes_value);
  const auto note = token->secrets(*find_one(*token, CKO_DATA, "a private note"));
  BOOST_REQUIRE(note.ok());
  BOOST_TEST(text_of(note->at(CKA_VALUE).view()) == aes_value);
  const ObjectPtr open_note = find_one(*token, CKO_DATA, "a public note");
  BOOST_TEST(text_of(open_note->attributes.get(CKA_VALUE).value()) == aes_value);
}

Bytes native(const softhsm::Numbers& numbers) {
  Bytes bytes(numbers.size() * sizeof(std::uint64_t));
  if (!bytes.empty()) std::memcpy(bytes.data(), numbers.data(), bytes.size());
  return bytes;
}

/// SQL that stores one object as SoftHSM2's database back end does.
std::string sql_for(int id, const softhsm::SourceObject& object) {
  std::string sql = "INSERT INTO object (id) VALUES (" + std::to_string(id) + ");";
  for (const auto& [type, value] : object.values) {
    const auto row = [&, type = type](const std::string& table, const std::string& literal) {
      sql += "INSERT INTO attribute_" + table + " (value, type, object_id) VALUES (" + literal + "," +
             std::to_string(type) + "," + std::to_string(id) + ");";
    };
    if (const auto* const flag = std::get_if<bool>(&value)) row("boolean", *flag ? "1" : "0");
    if (const auto* const number = std::get_if<std::uint64_t>(&value)) {
      row("integer", std::to_string(static_cast<std::int64_t>(*number)));
    }
    if (const auto* const bytes = std::get_if<SecretBytes>(&value)) row("binary", "x'" + to_hex(bytes->view()) + "'");
    if (const auto* const numbers = std::get_if<softhsm::Numbers>(&value)) {
      row("binary", "x'" + to_hex(native(*numbers)) + "'");
    }
    if (std::get_if<AttributeSet>(&value) != nullptr) row("array", "x''");
  }
  return sql;
}

}  // namespace

BOOST_FIXTURE_TEST_SUITE(softhsm_tokens, OldToken)

BOOST_AUTO_TEST_CASE(file_back_end) {
  if (!available()) return;
  const auto report = import_softhsm(settings(), token(), pin(old_user_pin), pin(old_so_pin));
  BOOST_REQUIRE_MESSAGE(report.ok(), (report.ok() ? std::string() : describe(report.error())));
  check_imported(*this, *report);
}

BOOST_AUTO_TEST_CASE(database_back_end) {
  if (!available()) return;
  // Debian's SoftHSM2 is built without this back end, so its database is written here from the same values.
  const auto source = softhsm::read_token(token());
  BOOST_REQUIRE(source.ok());
  std::string sql = "CREATE TABLE object (id integer primary key autoincrement);";
  for (const std::string kind : {"text", "integer", "binary", "array", "boolean", "datetime", "real"}) {
    sql += "CREATE TABLE attribute_" + kind +
           " (value, type integer, object_id integer references object(id) on delete cascade,"
           " id integer primary key autoincrement);";
  }
  sql += sql_for(1, source->description);
  int id = 2;
  for (const softhsm::SourceObject& object : source->objects) sql += sql_for(id++, object);
  const fs::path directory = path().parent_path() / "database-token";
  fs::create_directories(directory);
  run_sql(directory / "sqlite3.db", sql);
  const auto report = import_softhsm(settings(), directory, pin(old_user_pin), pin(old_so_pin));
  BOOST_REQUIRE_MESSAGE(report.ok(), (report.ok() ? std::string() : describe(report.error())));
  check_imported(*this, *report);
}

BOOST_AUTO_TEST_CASE(wrong_pins_leave_no_token) {
  if (!available()) return;
  const auto user = import_softhsm(settings(), token(), pin("wrong-pin"), pin(old_so_pin));
  BOOST_TEST(user.code() == Code::pin_incorrect);
  BOOST_TEST(user.error().detail == "the user PIN of the SoftHSM2 token");
  const auto officer = import_softhsm(settings(), token(), pin(old_user_pin), pin("wrong-pin"));
  BOOST_TEST(officer.code() == Code::pin_incorrect);
  BOOST_TEST(officer.error().detail == "the SO PIN of the SoftHSM2 token");
  BOOST_TEST(list_tokens(settings().home).empty());
}

BOOST_AUTO_TEST_CASE(a_damaged_object_is_reported_and_the_others_come) {
  if (!available()) return;
  for (const auto& entry : fs::directory_iterator(token())) {
    if (entry.path().extension() != ".object" || entry.path().filename() == "token.object") continue;
    fs::resize_file(entry.path(), 20);
    break;
  }
  const auto report = import_softhsm(settings(), token(), pin(old_user_pin), pin(old_so_pin));
  BOOST_REQUIRE(report.ok());
  BOOST_TEST(report->imported == 6u);
  BOOST_TEST(report->skipped.size() == 1u);
}

BOOST_AUTO_TEST_CASE(strange_bytes_are_no_object) {
  const Bytes zeros(7);
  BOOST_TEST(softhsm::parse_object_file("x", zeros).code() == Code::store_corrupt);
  Bytes huge(24, 0xff);
  huge[15] = 3;
  BOOST_TEST(softhsm::parse_object_file("x", huge).code() == Code::store_corrupt);
  BOOST_TEST(softhsm::parse_native_array(zeros).code() == Code::store_corrupt);
  BOOST_TEST(softhsm::parse_native_array({}).ok());
  BOOST_TEST(softhsm::unlock(zeros, pin("1234")).code() == Code::store_corrupt);
  BOOST_TEST(import_softhsm(settings(), path().parent_path(), pin("1"), pin("2")).code() == Code::not_found);
  BOOST_TEST(find_softhsm_tokens("/nowhere/at/all").code() == Code::not_found);
}

BOOST_AUTO_TEST_SUITE_END()

}  // namespace cardea::keystore
