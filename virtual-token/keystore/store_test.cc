// Objects on disk: created, changed, found, sealed, damaged.
#include <sys/stat.h>
#include <unistd.h>

#include <boost/test/unit_test.hpp>
#include <fstream>

#include "keystore/schema.h"
#include "keystore/test_home.h"

namespace cardea::keystore {

using namespace test;
namespace fs = std::filesystem;

namespace {

AttributeSet by_id(std::string_view id) {
  AttributeSet match;
  match.set_text(CKA_ID, id);
  return match;
}

AttributeSet by_label(std::string_view label) {
  AttributeSet match;
  match.set_text(CKA_LABEL, label);
  return match;
}

std::string value_of(Token& token, const Object& object) {
  const auto secrets = token.secrets(object);
  return secrets ? std::string(text_of(secrets->at(CKA_VALUE).view())) : "failed: " + describe(secrets.error());
}

/// Overwrites every place in a file where `what` stands; answers how many.
int overwrite(const fs::path& file, std::string_view what, std::string_view with) {
  std::fstream stream(file, std::ios::in | std::ios::out | std::ios::binary);
  std::string content{std::istreambuf_iterator<char>(stream), std::istreambuf_iterator<char>()};
  int times = 0;
  for (std::size_t at = 0; (at = content.find(what, at)) != std::string::npos; at += what.size(), ++times) {
    stream.clear();
    stream.seekp(static_cast<std::streamoff>(at));
    stream.write(with.data(), static_cast<std::streamsize>(with.size()));
  }
  return times;
}

}  // namespace

BOOST_FIXTURE_TEST_SUITE(store, Home)

BOOST_AUTO_TEST_CASE(objects_are_found_by_every_way) {
  const std::string serial = make_token();
  const auto token = open_for_user(serial);
  std::vector<NewObject> many;
  for (int i = 0; i < 700; ++i) {
    many.push_back(i % 2 == 0 ? data_object("label " + std::to_string(i), "value")
                              : secret_key("id " + std::to_string(i), "secret " + std::to_string(i)));
  }
  const auto created = token->create(std::move(many));
  BOOST_REQUIRE(created.ok());
  BOOST_TEST(created->size() == 700u);
  for (const bool warm : {false, true}) {
    const auto reader = open_for_user(serial);
    if (warm) BOOST_TEST(count(*reader) == 700u);
    BOOST_TEST(count(*reader, by_id("id 333")) == 1u);
    BOOST_TEST(count(*reader, by_label("label 334")) == 1u);
    BOOST_TEST(count(*reader, by_id("id 334")) == 0u);
    AttributeSet match;
    match.set_ulong(CKA_CLASS, CKO_DATA);
    BOOST_TEST(count(*reader, match) == 350u);
    match.set_text(CKA_LABEL, "label 2");
    BOOST_TEST(count(*reader, match) == 1u);
    match.set_text(CKA_VALUE, "other");
    BOOST_TEST(count(*reader, match) == 0u);
    const auto object = reader->object((*created)[333]->id);
    BOOST_REQUIRE(object.ok());
    BOOST_TEST(value_of(*reader, **object) == "secret 333");
    BOOST_TEST(reader->object(1'000'000).code() == Code::object_handle_invalid);
    std::vector<ObjectId> ids;
    BOOST_TEST(
        reader->find({.match = {}, .include_private = false}, [&](const ObjectPtr& o) { ids.push_back(o->id); }).ok());
    BOOST_TEST(ids.size() == 350u);
    BOOST_TEST(std::is_sorted(ids.begin(), ids.end()));
  }
}

BOOST_AUTO_TEST_CASE(many_single_questions_load_everything_once) {
  const std::string serial = make_token();
  const auto token = open_for_user(serial);
  for (int i = 0; i < 100; ++i) BOOST_REQUIRE(token->create(one(secret_key(std::to_string(i), "v"))).ok());
  const auto reader = open(serial);
  for (int round = 0; round < 2; ++round) {
    for (int i = 0; i < 100; ++i) BOOST_TEST(count(*reader, by_id(std::to_string(i))) == 1u);
  }
}

BOOST_AUTO_TEST_CASE(changes_show_in_every_process) {
  const std::string serial = make_token();
  const auto one_side = open_for_user(serial);
  for (const bool loaded : {false, true}) {
    const auto other_side = open_for_user(serial);
    if (loaded) count(*other_side);
    const std::uint64_t before = other_side->generation();
    const ObjectPtr object = (*one_side->create(one(secret_key("shared", "secret"))))[0];
    BOOST_TEST(other_side->generation() != before);
    BOOST_TEST(count(*other_side, by_id("shared")) == 1u);
    AttributeSet changed = object->attributes;
    changed.set_text(CKA_ID, "renamed");
    BOOST_REQUIRE(other_side->replace(object->id, changed).ok());
    BOOST_TEST(count(*one_side, by_id("shared")) == 0u);
    BOOST_TEST(count(*one_side, by_id("renamed")) == 1u);
    BOOST_TEST(value_of(*one_side, *object) == "secret");
    BOOST_REQUIRE(one_side->destroy(object->id).ok());
    BOOST_TEST(count(*other_side, by_id("renamed")) == 0u);
    BOOST_TEST(other_side->object(object->id).code() == Code::object_handle_invalid);
    BOOST_TEST(other_side->destroy(object->id).code() == Code::object_handle_invalid);
    BOOST_TEST(other_side->replace(object->id, changed).code() == Code::object_handle_invalid);
    BOOST_TEST(one_side->generation() == other_side->generation());
  }
}

BOOST_AUTO_TEST_CASE(who_slept_through_many_changes_reads_all_anew) {
  const std::string serial = make_token();
  const auto writer = open(serial);
  const auto sleeper = open(serial);
  const ObjectId kept = (*writer->create(one(data_object("kept", "v"))))[0]->id;
  const ObjectId doomed = (*writer->create(one(data_object("doomed", "v"))))[0]->id;
  BOOST_TEST(count(*sleeper) == 2u);
  BOOST_REQUIRE(writer->destroy(doomed).ok());
  // As after thousands of further changes: the tombstone is gone.
  run_sql(database(serial), "DELETE FROM tombstone; UPDATE meta SET tombstones_from = change");
  BOOST_REQUIRE(writer->create(one(data_object("new", "v"))).ok());
  BOOST_TEST(count(*sleeper) == 2u);
  BOOST_TEST(sleeper->object(kept).ok());
  BOOST_TEST(sleeper->object(doomed).code() == Code::object_handle_invalid);
}

BOOST_AUTO_TEST_CASE(a_writer_killed_in_its_commit_is_noticed) {
  const std::string serial = make_token();
  const auto reader = open(serial);
  BOOST_TEST(count(*reader) == 0u);
  // What is left when a writer dies after its commit and before it publishes: an odd counter.
  const auto raise = [&] { ChangeCounter::open(directory(serial) / counter_name, true).begin_write(); };
  raise();
  BOOST_TEST(count(*reader) == 0u);
  const ObjectPtr object = (*open(serial)->create(one(data_object("x", "v"))))[0];
  BOOST_TEST(count(*reader) == 1u);
  raise();
  const std::uint64_t before = reader->generation();
  run_sql(database(serial),
          "DELETE FROM object; UPDATE meta SET change = change + 1;"
          "INSERT INTO tombstone SELECT change, " +
              std::to_string(object->id) + " FROM meta");
  BOOST_TEST(reader->generation() != before);
  BOOST_TEST(count(*reader) == 0u);
  fs::remove(directory(serial) / counter_name);
  BOOST_TEST(count(*open(serial)) == 0u);
}

BOOST_AUTO_TEST_CASE(all_or_nothing) {
  const std::string serial = make_token();
  const auto token = open(serial);
  std::vector<NewObject> objects = one(data_object("first", "v"));
  objects.push_back(secret_key("second", "needs a login"));
  BOOST_TEST(token->create(std::move(objects)).code() == Code::user_not_logged_in);
  BOOST_TEST(count(*token) == 0u);
  BOOST_TEST(count(*open(serial)) == 0u);
  BOOST_TEST(token->create(one(data_object("first", "v"))).ok());
}

BOOST_AUTO_TEST_CASE(ids_are_never_used_again) {
  const std::string serial = make_token();
  const auto token = open_for_user(serial);
  ObjectId last = 0;
  for (int i = 0; i < 5; ++i) {
    const ObjectId id = (*token->create(one(data_object("x", "v"))))[0]->id;
    BOOST_TEST(id > last);
    last = id;
    BOOST_REQUIRE(token->destroy(id).ok());
  }
  BOOST_TEST((*open(serial)->create(one(data_object("x", "v"))))[0]->id > last);
}

BOOST_AUTO_TEST_CASE(an_edited_row_does_not_open) {
  const std::string serial = make_token();
  const auto token = open_for_user(serial);
  NewObject sensitive = secret_key("id", "the secret");
  sensitive.attributes.set_bool(CKA_EXTRACTABLE, false);
  const ObjectPtr first = (*token->create(one(std::move(sensitive))))[0];
  const ObjectPtr second = (*token->create(one(secret_key("id2", "another"))))[0];
  BOOST_TEST(value_of(*token, *first) == "the secret");
  const auto refused = [&](const ObjectPtr& object) {
    const auto reader = open_for_user(serial);
    return reader->secrets(*object).code() == Code::store_corrupt && reader->key(*object).code() == Code::store_corrupt;
  };
  const std::string id = std::to_string(first->id);
  // An attribute that would let the key out.
  AttributeSet edited = first->attributes;
  edited.set_bool(CKA_EXTRACTABLE, true);
  run_sql(database(serial), "UPDATE object SET attributes = x'" + to_hex(edited.serialised()) + "' WHERE id = " + id);
  BOOST_TEST(refused(first));
  run_sql(database(serial),
          "UPDATE object SET attributes = x'" + to_hex(first->attributes.serialised()) + "' WHERE id = " + id);
  BOOST_TEST(value_of(*open_for_user(serial), *first) == "the secret");
  // Another object's seal, no seal, a cut seal.
  run_sql(database(serial), "UPDATE object SET sealed = (SELECT sealed FROM object WHERE id = " +
                                std::to_string(second->id) + ") WHERE id = " + id);
  BOOST_TEST(refused(first));
  run_sql(database(serial), "UPDATE object SET sealed = NULL WHERE id = " + id);
  BOOST_TEST(refused(first));
  run_sql(database(serial), "UPDATE object SET sealed = x'00112233' WHERE id = " + id);
  BOOST_TEST(refused(first));
  BOOST_TEST(value_of(*open_for_user(serial), *second) == "another");
}

BOOST_AUTO_TEST_CASE(trust_cannot_be_written_into_the_file) {
  const std::string serial = make_token();
  const auto token = open(serial);
  NewObject object = data_object("label", "value");
  object.attributes.set_ulong(CKA_CLASS, CKO_PUBLIC_KEY);
  object.attributes.set_bool(CKA_TRUSTED, true);
  const ObjectPtr forged = (*token->create(one(std::move(object))))[0];
  BOOST_TEST(token->key(*forged).code() == Code::store_corrupt);
}

BOOST_AUTO_TEST_CASE(a_damaged_row_costs_that_object_only) {
  const std::string serial = make_token();
  const ObjectId id = [&] {
    const auto token = open_for_user(serial);
    BOOST_REQUIRE(token->create(one(secret_key("good", "v"))).ok());
    return (*token->create(one(secret_key("bad", "v"))))[0]->id;
  }();
  run_sql(database(serial), "UPDATE object SET attributes = x'0102' WHERE id = " + std::to_string(id));
  const auto reader = open_for_user(serial);
  BOOST_TEST(count(*reader) == 1u);
  BOOST_TEST(reader->object(id).code() == Code::object_handle_invalid);
  const auto problems = reader->describe().problems;
  BOOST_REQUIRE(problems.size() == 1u);
  BOOST_TEST(problems[0].starts_with("object " + std::to_string(id) + " is damaged"));
  const CheckReport report = check_keystore(settings());
  BOOST_TEST(report.tokens == 1u);
  BOOST_REQUIRE(report.findings.size() == 1u);
  BOOST_TEST(report.findings[0].subject == "token " + serial);
}

BOOST_AUTO_TEST_CASE(an_object_with_an_impossible_number_is_left_out) {
  const std::string serial = make_token();
  BOOST_REQUIRE(open_for_user(serial)->create(one(secret_key("good", "v"))).ok());
  for (const char* const number : {"0", "-1", "1099511627776", "9223372036854775807"}) {
    run_sql(database(serial),
            std::string("INSERT INTO object (id, change, class, attributes) VALUES (") + number + ", 1, 0, x'')");
    const auto reader = open_for_user(serial);
    BOOST_TEST(count(*reader) == 1u);
    const auto problems = reader->describe().problems;
    BOOST_REQUIRE(problems.size() == 1u);
    BOOST_TEST(problems[0].ends_with("its number is out of range"));
    run_sql(database(serial), std::string("DELETE FROM object WHERE id = ") + number);
  }
  run_sql(database(serial), "UPDATE meta SET next_id = 1099511627776");
  const auto writer = open_for_user(serial);
  BOOST_TEST(writer->create(one(secret_key("more", "v"))).code() == Code::store_corrupt);
  BOOST_TEST(count(*writer) == 1u);
}

BOOST_AUTO_TEST_CASE(a_damaged_page_leaves_the_other_objects) {
  const std::string serial = make_token();
  {
    const auto token = open(serial);
    for (int i = 0; i < 60; ++i) {
      BOOST_REQUIRE(token->create(one(data_object("label " + std::to_string(i), std::string(900, 'v')))).ok());
    }
  }
  // The header of the leaf page that holds one of the rows.
  std::fstream file(database(serial), std::ios::in | std::ios::out | std::ios::binary);
  const std::string content{std::istreambuf_iterator<char>(file), std::istreambuf_iterator<char>()};
  const std::size_t at = content.find("label 30");
  BOOST_REQUIRE(at != std::string::npos);
  file.clear();
  file.seekp(static_cast<std::streamoff>(at / 4096 * 4096));
  file.write("\xff\xff\xff\xff\xff\xff\xff\xff", 8);
  file.close();
  const auto reader = open(serial);
  const std::size_t left = count(*reader);
  BOOST_TEST(left < 60u);
  BOOST_TEST(left > 40u);
  BOOST_TEST(!reader->describe().problems.empty());
  BOOST_TEST(!check_keystore(settings()).findings.empty());
}

BOOST_AUTO_TEST_CASE(a_ruined_file_is_reported_and_other_tokens_work) {
  const std::string ruined = make_token();
  const std::string fine = make_token();
  std::ofstream(database(ruined), std::ios::trunc) << "this is no database at all, whatever it was before";
  const auto source = make_keystore_source(settings());
  int working = 0;
  int corrupt = 0;
  for (const TokenSlotPtr& slot : source->slots()) {
    const auto token = slot->token();
    if (token && (*token)->describe().serial == fine) ++working;
    if (!token && token.code() == Code::store_corrupt) {
      ++corrupt;
      BOOST_TEST(slot->describe().description == "Cardea keystore: the stored data is damaged");
    }
  }
  BOOST_TEST(working == 1);
  BOOST_TEST(corrupt == 1);
}

BOOST_AUTO_TEST_CASE(a_newer_store_is_refused_in_words) {
  const std::string serial = make_token();
  run_sql(database(serial), "PRAGMA user_version = 99");
  const auto token = KeystoreToken::open(settings(), serial);
  BOOST_REQUIRE(token.code() == Code::store_newer);
  BOOST_TEST(token.error().detail ==
             "its format is version 99, this program knows up to " + std::to_string(schema_version()));
}

BOOST_AUTO_TEST_CASE(a_foreign_database_is_no_store) {
  const std::string serial = make_token();
  fs::remove(database(serial));
  run_sql(database(serial), "CREATE TABLE x (y)");
  BOOST_TEST(KeystoreToken::open(settings(), serial).code() == Code::store_corrupt);
}

BOOST_AUTO_TEST_CASE(a_renamed_directory_is_refused) {
  const std::string serial = make_token();
  fs::rename(directory(serial), directory("0123456789abcdef"));
  BOOST_TEST(KeystoreToken::open(settings(), "0123456789abcdef").code() == Code::store_corrupt);
}

BOOST_AUTO_TEST_CASE(nothing_secret_stands_in_the_files) {
  const std::string serial = make_token();
  {
    const auto token = open_for_user(serial);
    BOOST_REQUIRE(token->create(one(secret_key("visible-id", "PLANTED-SECRET"))).ok());
    for (const auto& entry : fs::directory_iterator(directory(serial))) {
      BOOST_TEST(overwrite(entry.path(), "PLANTED-SECRET", "") == 0);
      BOOST_TEST(overwrite(entry.path(), user_pin, "") == 0);
    }
  }
  BOOST_TEST(overwrite(database(serial), "PLANTED-SECRET", "") == 0);
  BOOST_TEST(overwrite(database(serial), "visible-id", "visible-id") > 0);
}

BOOST_AUTO_TEST_SUITE_END()

}  // namespace cardea::keystore
