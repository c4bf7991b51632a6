#include "cards/card_token.h"

#include "cards/card_slot.h"
#include "cards/card_source.h"
#include "cards/fake_card.h"
#include "crypto/digest.h"
#include "pcsc/typing_pad.h"

namespace cardea::card::test {
namespace {

/// A card with a key in places 1 to 3, in a reader.
struct Bench : Directories {
  Bench() : readers(std::make_shared<FakeReaders>()) {
    for (const std::uint32_t place : {1U, 2U, 3U})
      card.slots[place].key = *crypto::AsymmetricKey::generate(crypto::KeyAlgorithm::p256);
    card.files[1] = {'h', 'e', 'l', 'l', 'o'};
    card.files[2] = {'s', 'e', 'c', 'r', 'e', 't'};
    readers->insert(card);
    token = open();
  }
  std::shared_ptr<CardToken> open() {
    auto opened = CardToken::open(settings, readers->status(), readers->open({}), fake_kinds);
    BOOST_REQUIRE(opened.ok());
    return *opened;
  }
  /// As another process would: nothing in memory, the same card as it is.
  std::shared_ptr<CardToken> open_elsewhere() {
    readers->reopen(card);
    return open();
  }
  std::vector<ObjectPtr> find(CardToken& where, const AttributeSet& match = {}, bool include_private = false) {
    std::vector<ObjectPtr> found;
    BOOST_REQUIRE(where.find(Query{match, include_private}, [&](const ObjectPtr& o) { found.push_back(o); }).ok());
    return found;
  }
  static AttributeSet key_query(Byte id) {
    AttributeSet match;
    match.set_ulong(CKA_CLASS, CKO_PRIVATE_KEY);
    match.set(CKA_ID, Bytes{id});
    return match;
  }
  ObjectPtr private_key(CardToken& where, Byte id) {
    const auto found = find(where, key_query(id), true);
    BOOST_REQUIRE_EQUAL(found.size(), 1u);
    return found.front();
  }
  static Result<std::size_t> sign(const KeyPtr& key, Bytes& signature) {
    const auto digest = crypto::digest(Hash::sha256, view_of("message"));
    signature.resize(64);
    return dynamic_cast<const PrivateKey&>(*key).perform({.primitive = Primitive::ecdsa_sign}, *digest, signature);
  }
  void check_signs(CardToken& where, Byte id) {
    const auto key = where.key(*private_key(where, id));
    BOOST_REQUIRE(key.ok());
    Bytes signature;
    const auto written = sign(*key, signature);
    BOOST_REQUIRE_MESSAGE(written.ok(), cardea::describe(written ? error(Code::internal) : written.error()));
    const auto digest = crypto::digest(Hash::sha256, view_of("message"));
    BOOST_TEST(card.slots[id].key->ecdsa_verify(*digest, signature).ok());
  }

  FakeCard card;
  std::shared_ptr<FakeReaders> readers;
  std::shared_ptr<CardToken> token;
};

}  // namespace

BOOST_FIXTURE_TEST_SUITE(card_token, Bench)

BOOST_AUTO_TEST_CASE(shows_containers_as_objects) {
  const auto open_objects = find(*token);
  // Public keys of three places, the private key that needs no PIN, one public file.
  BOOST_TEST(open_objects.size() == 5u);
  const auto all = find(*token, {}, true);
  BOOST_TEST(all.size() == 8u);
  BOOST_TEST(std::is_sorted(all.begin(), all.end(), [](const auto& a, const auto& b) { return a->id < b->id; }));
  const ObjectPtr key = private_key(*token, 2);
  BOOST_TEST(key->attributes.get_bool(CKA_SENSITIVE));
  BOOST_TEST(key->attributes.get_bool(CKA_ALWAYS_SENSITIVE));
  BOOST_TEST(key->attributes.get_bool(CKA_NEVER_EXTRACTABLE));
  BOOST_TEST(!key->attributes.get_bool(CKA_EXTRACTABLE, true));
  BOOST_TEST(key->attributes.get_bool(CKA_ALWAYS_AUTHENTICATE));
  BOOST_TEST(key->attributes.get_bool(CKA_PRIVATE));
  BOOST_TEST(text_of(*key->attributes.get(CKA_LABEL)) == "two");
  BOOST_TEST(key->attributes.get_ulong(CKA_KEY_TYPE, 0) == CKK_EC);
  BOOST_TEST(token->object(key->id).ok());
  BOOST_TEST(token->object(999).code() == Code::object_handle_invalid);
}

BOOST_AUTO_TEST_CASE(reads_only_what_a_search_can_find) {
  const int before = card.counts[FakeCard::read_slot];
  find(*token, key_query(1), true);
  BOOST_TEST(card.counts[FakeCard::read_slot] == before + 1);
  BOOST_TEST(card.counts[FakeCard::read_file] == 0);
  find(*token, key_query(1), true);
  BOOST_TEST(card.counts[FakeCard::read_slot] == before + 1);
  AttributeSet secret_keys;
  secret_keys.set_ulong(CKA_CLASS, CKO_SECRET_KEY);
  BOOST_TEST(find(*token, secret_keys, true).empty());
  BOOST_TEST(card.counts[FakeCard::read_slot] == before + 1);
}

BOOST_AUTO_TEST_CASE(file_values_are_read_on_demand) {
  AttributeSet data;
  data.set_ulong(CKA_CLASS, CKO_DATA);
  BOOST_TEST(find(*token, data).size() == 1u);
  BOOST_REQUIRE(token->login(Role::user, pin("123456")).ok());
  const auto found = find(*token, data, true);
  BOOST_REQUIRE_EQUAL(found.size(), 2u);
  for (const ObjectPtr& object : found) {
    auto secrets = token->secrets(*object);
    BOOST_REQUIRE(secrets.ok());
    BOOST_TEST(text_of((*secrets)[CKA_VALUE].view()) == (object->is_private() ? "secret" : "hello"));
  }
}

BOOST_AUTO_TEST_CASE(a_second_process_reads_nothing_again) {
  find(*token);
  const auto other = open_elsewhere();
  BOOST_TEST(find(*other).size() == 5u);
  BOOST_TEST(other->describe().serial == "42");
  // Only the state of the PIN had not been asked for.
  BOOST_TEST(readers->channel().exchanges() == 2u);
  const auto third = open_elsewhere();
  BOOST_TEST(third->describe().user_pin.initialized);
  BOOST_TEST(readers->channel().exchanges() == 0u);
}

BOOST_AUTO_TEST_CASE(a_new_insertion_is_read_anew) {
  find(*token);
  readers->pull(card);
  card.slots[1].key = nullptr;
  readers->insert(card);
  BOOST_TEST(find(*open(), key_query(1), true).empty());
}

BOOST_AUTO_TEST_CASE(junk_in_the_cache_is_no_cache) {
  find(*token);
  for (const auto& file : std::filesystem::directory_iterator(settings.cache_directory / "cards")) {
    std::filesystem::resize_file(file, std::filesystem::file_size(file) - 1);
  }
  const auto other = open_elsewhere();
  BOOST_TEST(readers->channel().exchanges() > 0u);
  BOOST_TEST(find(*other).size() == 5u);
}

BOOST_AUTO_TEST_CASE(works_where_nothing_can_be_written) {
  settings.cache_directory = "/proc/cardea";
  settings.runtime_directory = "/proc/cardea";
  const auto other = open();
  BOOST_REQUIRE(other->login(Role::user, pin("123456")).ok());
  check_signs(*other, 1);
  other->logout();
  BOOST_TEST(!card.verified);
}

BOOST_AUTO_TEST_CASE(who_did_not_log_in_does_not_sign) {
  BOOST_REQUIRE(token->login(Role::user, pin("123456")).ok());
  check_signs(*token, 1);
  const auto other = open_elsewhere();
  const ObjectPtr key = private_key(*other, 1);
  BOOST_TEST(other->key(*key).code() == Code::user_not_logged_in);
  check_signs(*other, 3);
}

BOOST_AUTO_TEST_CASE(further_signatures_cost_one_command) {
  BOOST_REQUIRE(token->login(Role::user, pin("123456")).ok());
  const auto key = token->key(*private_key(*token, 1));
  Bytes signature;
  BOOST_REQUIRE(sign(*key, signature).ok());
  const std::size_t before = readers->channel().exchanges();
  BOOST_REQUIRE(sign(*key, signature).ok());
  BOOST_TEST(readers->channel().exchanges() == before + 1);
}

BOOST_AUTO_TEST_CASE(the_last_one_out_closes_the_card) {
  const auto other = open_elsewhere();
  BOOST_REQUIRE(token->login(Role::user, pin("123456")).ok());
  BOOST_REQUIRE(other->login(Role::user, pin("123456")).ok());
  token->logout();
  BOOST_TEST(card.verified);
  check_signs(*other, 1);
  other->logout();
  BOOST_TEST(!card.verified);
}

BOOST_AUTO_TEST_CASE(a_failed_login_leaves_the_others_alone) {
  const auto other = open_elsewhere();
  BOOST_REQUIRE(token->login(Role::user, pin("123456")).ok());
  const Status wrong = other->login(Role::user, pin("000000"));
  BOOST_TEST(wrong.code() == Code::pin_incorrect);
  BOOST_TEST(wrong.error().retries_left.value_or(-1) == 2);
  check_signs(*token, 1);
  token->logout();
  BOOST_TEST(!card.verified);
}

BOOST_AUTO_TEST_CASE(verifies_again_after_a_reset_or_another_application) {
  BOOST_REQUIRE(token->login(Role::user, pin("123456")).ok());
  check_signs(*token, 1);
  card.power_on();
  readers->channel().reset();
  check_signs(*token, 1);
  card.power_on();
  card.foreign = true;  // and nobody told us
  check_signs(*token, 1);
  card.verified = false;
  check_signs(*token, 1);
}

BOOST_AUTO_TEST_CASE(another_applications_silence_is_not_taken_for_emptiness) {
  card.foreign = true;
  card.selected = false;
  BOOST_TEST(find(*token, key_query(1), true).size() == 1u);
}

BOOST_AUTO_TEST_CASE(a_refused_pin_is_never_sent_again) {
  BOOST_REQUIRE(token->login(Role::user, pin("123456")).ok());
  const auto key = token->key(*private_key(*token, 1));
  card.user_pin = "654321";
  card.verified = false;
  Bytes signature;
  BOOST_TEST(sign(*key, signature).code() == Code::user_not_logged_in);
  const int after = card.verifies;
  BOOST_TEST(sign(*key, signature).code() == Code::user_not_logged_in);
  BOOST_TEST(card.verifies == after);
  BOOST_TEST(card.tries == 2);
}

BOOST_AUTO_TEST_CASE(the_last_try_is_left_to_who_types_it) {
  BOOST_REQUIRE(token->login(Role::user, pin("123456")).ok());
  const auto key = token->key(*private_key(*token, 1));
  card.verified = false;
  card.tries = 1;
  const int before = card.verifies;
  Bytes signature;
  BOOST_TEST(sign(*key, signature).code() == Code::user_not_logged_in);
  BOOST_TEST(card.verifies == before);
  BOOST_TEST(token->authenticate_again(pin("123456")).ok());
  BOOST_TEST(sign(*key, signature).ok());
}

BOOST_AUTO_TEST_CASE(pin_states_follow_the_tries) {
  BOOST_TEST(token->describe().user_pin.retries_left.value_or(-1) == 3);
  BOOST_TEST(token->login(Role::user, pin("bad")).code() == Code::pin_incorrect);
  BOOST_TEST(token->describe().user_pin.retries_left.value_or(-1) == 2);
  BOOST_REQUIRE(token->login(Role::user, pin("123456")).ok());
  BOOST_TEST(token->describe().user_pin.retries_left.value_or(-1) == 3);
}

BOOST_AUTO_TEST_CASE(a_pin_that_another_program_unlocked_is_not_said_to_be_locked) {
  for (int i = 0; i < 3; ++i) BOOST_TEST(!token->login(Role::user, pin("bad")).ok());
  BOOST_TEST(token->describe().user_pin.locked);
  card.tries = 3;
  BOOST_TEST(!token->describe().user_pin.locked);
  BOOST_TEST(token->describe().user_pin.retries_left.value_or(-1) == 3);
  BOOST_TEST(token->login(Role::user, pin("123456")).ok());
}

BOOST_AUTO_TEST_CASE(changes_the_pin) {
  BOOST_REQUIRE(token->login(Role::user, pin("123456")).ok());
  BOOST_TEST(token->change(Role::user, pin("111111"), pin("222222")).code() == Code::pin_incorrect);
  BOOST_REQUIRE(token->change(Role::user, pin("123456"), pin("222222")).ok());
  card.verified = false;
  check_signs(*token, 1);
}

/// The reader has a PIN pad.
struct BenchWithPad : Bench {
  BenchWithPad() {
    readers->insert(card);
    readers->channel().attach(pad);
    token = open();
  }

  TypingPad reader{[this](ByteView command) { return *card.exchange(command); }};
  ReaderPinPad pad = reader.pad();
};

BOOST_FIXTURE_TEST_CASE(changes_the_pin_on_the_readers_pad, BenchWithPad) {
  BOOST_TEST(token->describe().protected_authentication_path);
  reader.typed = {"123456", "222222", "222222"};
  BOOST_REQUIRE(token->change(Role::user, pin(""), pin("")).ok());
  BOOST_TEST(card.user_pin == "222222");
  BOOST_TEST(!readers->channel().kept());  // nobody is logged in
  reader.typed = {"123456"};
  const Status wrong = token->change(Role::user, pin(""), pin(""));
  BOOST_TEST(wrong.code() == Code::pin_incorrect);
  BOOST_TEST((wrong.error().retries_left == 2));
  BOOST_TEST(token->describe().user_pin.retries_left.value_or(-1) == 2);
  reader.cancels = true;
  BOOST_TEST(token->change(Role::user, pin(""), pin("")).code() == Code::function_canceled);
  BOOST_TEST(card.tries == 2);
  BOOST_TEST(card.user_pin == "222222");
}

BOOST_FIXTURE_TEST_CASE(a_pin_that_a_pad_replaced_is_not_shown_again, BenchWithPad) {
  BOOST_REQUIRE(token->login(Role::user, pin("123456")).ok());
  reader.typed = {"123456", "222222", "222222"};
  BOOST_REQUIRE(token->change(Role::user, pin(""), pin("")).ok());
  BOOST_TEST(readers->channel().kept());
  check_signs(*token, 1);
  const auto key = token->key(*private_key(*token, 1));
  card.verified = false;
  const int before = card.verifies;
  Bytes signature;
  BOOST_TEST(sign(*key, signature).code() == Code::user_not_logged_in);
  BOOST_TEST(card.verifies == before);
  token->logout();
  BOOST_TEST(!readers->channel().kept());
}

BOOST_FIXTURE_TEST_CASE(a_typed_change_does_not_trouble_the_pad, BenchWithPad) {
  BOOST_REQUIRE(token->change(Role::user, pin("123456"), pin("222222")).ok());
  BOOST_TEST(reader.entries == 0);
  BOOST_TEST(card.user_pin == "222222");
}

BOOST_AUTO_TEST_CASE(the_administrator_logs_in_with_the_key) {
  BOOST_TEST(token->login(Role::security_officer, pin("no hex")).code() == Code::pin_incorrect);
  BOOST_TEST(token->login(Role::security_officer, pin("001122")).code() == Code::pin_incorrect);
  BOOST_REQUIRE(token->login(Role::security_officer, pin("11111111111111111111111111111111")).ok());
  BOOST_TEST(token->set_user_pin(pin("999999")).ok());
  BOOST_TEST(card.user_pin == "999999");
  BOOST_TEST(token->key(*private_key(*token, 1)).code() == Code::user_not_logged_in);
}

BOOST_AUTO_TEST_CASE(the_puk_sets_the_user_pin_where_the_card_wants_that) {
  const Status wrong = token->login(Role::security_officer, pin("00000000"));
  BOOST_TEST(wrong.code() == Code::pin_incorrect);
  BOOST_TEST((wrong.error().retries_left == 2));
  card.tries = 0;
  BOOST_REQUIRE(token->login(Role::security_officer, pin("87654321")).ok());
  BOOST_REQUIRE(token->set_user_pin(pin("999999")).ok());
  BOOST_TEST(card.user_pin == "999999");
  BOOST_REQUIRE(token->change(Role::security_officer, pin("87654321"), pin("22222222")).ok());
  BOOST_REQUIRE(token->set_user_pin(pin("888888")).ok());
  // Knowing the PUK makes nobody an administrator.
  BOOST_TEST(token->destroy(private_key(*token, 1)->id).code() == Code::user_not_logged_in);
  token->logout();
  BOOST_TEST(token->set_user_pin(pin("777777")).code() == Code::user_not_logged_in);
  BOOST_TEST(card.user_pin == "888888");
}

BOOST_AUTO_TEST_CASE(a_puk_that_another_changed_costs_one_try_and_never_the_last) {
  BOOST_REQUIRE(token->login(Role::security_officer, pin("87654321")).ok());
  card.puk = "11111111";
  BOOST_TEST(token->set_user_pin(pin("999999")).code() == Code::user_not_logged_in);
  BOOST_TEST(card.puk_tries == 2);
  BOOST_TEST(token->set_user_pin(pin("999999")).code() == Code::user_not_logged_in);
  BOOST_TEST(card.puk_tries == 2);
  token->logout();
  BOOST_REQUIRE(token->login(Role::security_officer, pin("11111111")).ok());
  card.puk_tries = 1;
  BOOST_TEST(token->set_user_pin(pin("999999")).code() == Code::user_not_logged_in);
  BOOST_TEST(card.puk_tries == 1);
  BOOST_TEST(card.user_pin == "123456");
}

BOOST_AUTO_TEST_CASE(the_user_writes_only_with_a_configured_key) {
  AttributeSet public_half;
  AttributeSet private_half;
  public_half.set(CKA_EC_PARAMS, view_of(crypto::facts_of(crypto::KeyAlgorithm::p256).oid));
  private_half.set(CKA_ID, Bytes{1});
  const ObjectPtr old_key = private_key(*token, 1);
  BOOST_REQUIRE(token->login(Role::user, pin("123456")).ok());
  BOOST_TEST(token->destroy(old_key->id).code() == Code::user_not_logged_in);
  token->logout();
  settings.card.factory_admin_key = true;
  const auto writer = open();
  BOOST_REQUIRE(writer->login(Role::user, pin("123456")).ok());
  const auto generate = [&] { return writer->generate(CKM_EC_KEY_PAIR_GEN, public_half, private_half); };
  BOOST_TEST(generate().code() == Code::exists);
  const ObjectId old_id = private_key(*writer, 1)->id;
  BOOST_REQUIRE(writer->destroy(old_id).ok());
  BOOST_TEST(writer->object(old_id).code() == Code::object_handle_invalid);
  const auto pair = generate();
  BOOST_REQUIRE(pair.ok());
  BOOST_TEST((*pair)[1]->id != old_id);
  check_signs(*writer, 1);
  // The first token learns of it.
  const ObjectPtr seen = private_key(*token, 1);
  BOOST_TEST(same_bytes(*seen->attributes.get(CKA_PUBLIC_KEY_INFO), *(*pair)[1]->attributes.get(CKA_PUBLIC_KEY_INFO)));
  BOOST_TEST(!same_bytes(*seen->attributes.get(CKA_PUBLIC_KEY_INFO), *old_key->attributes.get(CKA_PUBLIC_KEY_INFO)));
  BOOST_TEST(seen->id != old_key->id);
  BOOST_TEST(token->object(old_key->id).code() == Code::object_handle_invalid);
}

BOOST_AUTO_TEST_CASE(writes_files) {
  settings.card.factory_admin_key = true;
  const auto writer = open();
  BOOST_REQUIRE(writer->login(Role::user, pin("123456")).ok());
  const auto store = [&](std::string_view label, std::string_view value) {
    NewObject object;
    object.attributes.set_ulong(CKA_CLASS, CKO_DATA);
    object.attributes.set_text(CKA_LABEL, label);
    object.attributes.set_text(CKA_VALUE, value);
    std::vector<NewObject> one;
    one.push_back(std::move(object));
    return writer->create(std::move(one));
  };
  BOOST_TEST(store("unknown", "x").code() == Code::attribute_value_invalid);
  const auto stored = store("open", "world");
  BOOST_REQUIRE(stored.ok());
  BOOST_TEST(text_of(card.files[1]) == "world");
  auto secrets = writer->secrets(*stored->front());
  BOOST_REQUIRE(secrets.ok());
  BOOST_TEST(text_of((*secrets)[CKA_VALUE].view()) == "world");
  BOOST_REQUIRE(writer->destroy(stored->front()->id).ok());
  BOOST_TEST(card.files[1].empty());
  BOOST_TEST(writer->object(stored->front()->id).code() == Code::object_handle_invalid);
}

BOOST_AUTO_TEST_CASE(what_does_not_parse_is_left_out) {
  card.slots[1].certificate = {0x30};
  BOOST_TEST(find(*token, {}, true).size() == 6u);
  BOOST_REQUIRE_EQUAL(token->describe().problems.size(), 1u);
  BOOST_TEST(token->describe().problems[0].find("one") != std::string::npos);
}

BOOST_AUTO_TEST_CASE(a_pulled_card_ends_its_token) {
  BOOST_REQUIRE(token->login(Role::user, pin("123456")).ok());
  const auto key = token->key(*private_key(*token, 1));
  readers->pull(card);
  Bytes signature;
  BOOST_TEST(token->present());
  BOOST_TEST(sign(*key, signature).code() == Code::device_removed);
  BOOST_TEST(!token->present());
  BOOST_TEST(token->find(Query{}, [](const ObjectPtr&) {}).code() == Code::device_removed);
  token->logout();
}

BOOST_AUTO_TEST_CASE(slots_follow_the_readers) {
  settings.card.ignore_readers = {"Other*"};
  auto source = make_card_source(settings, readers, fake_kinds);
  const auto slots = source->slots();
  BOOST_REQUIRE_EQUAL(slots.size(), 1u);
  BOOST_TEST(source->slots().front() == slots.front());
  TokenSlot& slot = *slots.front();
  BOOST_TEST(slot.key() == "card:Fake reader 00 00");
  BOOST_TEST(slot.describe().removable);
  const std::uint64_t first = slot.occupant();
  BOOST_TEST(first != 0u);
  const auto inserted = slot.token();
  BOOST_REQUIRE(inserted.ok());
  BOOST_TEST(*slot.token() == *inserted);
  readers->pull(card);
  BOOST_TEST(slot.occupant() == 0u);
  BOOST_TEST(slot.token().code() == Code::token_absent);
  BOOST_TEST(!(*inserted)->present());
  readers->insert(card);
  BOOST_TEST(slot.occupant() != first);
  const auto again = slot.token();
  BOOST_REQUIRE(again.ok());
  BOOST_TEST(*again != *inserted);
  settings.card.ignore_readers = {"Fake*"};
  BOOST_TEST(make_card_source(settings, readers, fake_kinds)->slots().empty());
}

BOOST_AUTO_TEST_CASE(an_unknown_card_is_asked_once) {
  auto source = make_card_source(settings, readers, {});
  readers->insert(card);
  TokenSlot& slot = *source->slots().front();
  const auto refused = slot.token();
  BOOST_TEST(refused.code() == Code::token_not_recognized);
  BOOST_TEST(refused.error().detail.find("3b00") != std::string::npos);
  BOOST_TEST(slot.occupant() != 0u);
  readers->status().mute = true;
  BOOST_TEST(slot.token().code() == Code::token_not_recognized);
}

BOOST_AUTO_TEST_SUITE_END()

}  // namespace cardea::card::test
