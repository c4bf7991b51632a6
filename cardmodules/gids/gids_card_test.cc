// The whole way to a virtual GIDS card in this process.
#include "gids/gids_card.h"

#include <array>

#include <boost/test/unit_test.hpp>

#include "card/virtual_card.h"
#include "crypto/key_der.h"
#include "crypto/key_encoding.h"
#include "crypto/random.h"
#include "crypto/symmetric_key.h"
#include "pcsc/memory_channel.h"

namespace cardea::card::gids {
namespace {

const auto user_pin_value = [] { return Pin(view_of("123456")); };

SecretBytes initial_admin_key() {
  SecretBytes key(24);
  for (std::size_t i = 0; i < key.size(); ++i) key.data()[i] = static_cast<Byte>(i % 8 + 1);
  return key;
}

// A card, recognised and in a transaction.
struct Rig {
  explicit Rig(bool initialised = true, ApduLimits limits = {.command_data = 65535, .answer_data = 65536})
      : card(vcard::CardState{initialised ? vcard::new_initialised_gids() : vcard::new_gids()}),
        channel(std::make_shared<MemoryChannel>(
            card.atr(), limits, [this](ByteView command) { return Result<Bytes>(card.exchange(command)); })) {
    auto begun = CardTransaction::begin(channel);
    BOOST_REQUIRE(begun.ok());
    transaction.emplace(std::move(*begun));
    auto recognition = recognise_gids(*transaction);
    BOOST_REQUIRE(recognition.ok());
    match = recognition->match;
    module = std::move(recognition->module);
    BOOST_REQUIRE(module != nullptr);
    administrator = module->administrator();
    BOOST_REQUIRE(administrator != nullptr);
  }

  void log_in() { BOOST_REQUIRE(module->verify(*transaction, PinRole::user, user_pin_value()).ok()); }
  ContainerPlace place(std::size_t index) {
    const auto places = module->places(*transaction);
    BOOST_REQUIRE(places.ok());
    BOOST_REQUIRE(index < places->size());
    return (*places)[index];
  }
  Container container(std::size_t index) {
    const auto read = module->read_container(*transaction, place(index));
    BOOST_REQUIRE(read.ok());
    BOOST_REQUIRE(read->has_value());
    return **read;
  }
  Bytes generate(std::size_t index, crypto::KeyAlgorithm algorithm, std::size_t bits = 0) {
    log_in();
    const auto made = administrator->generate(*transaction, place(index), {.algorithm = algorithm, .bits = bits});
    BOOST_REQUIRE_MESSAGE(made.ok(), (made.ok() ? "" : describe(made.error())));
    return *made;
  }
  std::vector<FileEntry> files() {
    auto found = module->files(*transaction);
    BOOST_REQUIRE(found.ok());
    return std::move(*found);
  }
  Bytes file(std::string_view name) {
    for (const FileEntry& entry : files()) {
      if (entry.name != name) continue;
      const auto content = module->read_file(*transaction, entry);
      BOOST_REQUIRE(content.ok());
      return *content;
    }
    BOOST_FAIL("no such file");
    return {};
  }
  CacheCounters counters() { return *parse_cache_file(file("cardcf")); }

  vcard::VirtualCard card;
  std::shared_ptr<MemoryChannel> channel;
  std::optional<CardTransaction> transaction;
  Match match = Match::none;
  std::unique_ptr<CardModule> module;
  CardAdministrator* administrator = nullptr;
};

crypto::AsymmetricKeyPtr key_of(ByteView key_info) {
  auto key = crypto::from_subject_public_key_info(key_info);
  BOOST_REQUIRE(key.ok());
  return *key;
}

// Enough of a certificate to carry a key: nobody checks its signature here.
Bytes certificate_for(ByteView key_info, std::size_t padding) {
  using crypto::der;
  const Bytes name = der<Bytes>(crypto::der_sequence, {});
  const Bytes serial = crypto::der_integer<Bytes>(Bytes(padding, 0x5a));
  const Bytes body = der<Bytes>(crypto::der_sequence, {serial, name, name, name, name, key_info});
  const Bytes signature = der<Bytes>(crypto::der_bit_string, {Bytes(257)});
  return der<Bytes>(crypto::der_sequence, {body, name, signature});
}

BOOST_AUTO_TEST_SUITE(gids_card)

BOOST_AUTO_TEST_CASE(an_initialised_card_is_recognised_and_described) {
  Rig rig;
  BOOST_TEST((rig.match == Match::certain));
  const auto description = rig.module->describe(*rig.transaction);
  BOOST_REQUIRE(description.ok());
  BOOST_TEST(description->initialized);
  BOOST_TEST(description->serial.size() == 16u);
  BOOST_TEST(description->user_writes);
  BOOST_TEST(description->problems.empty());
  const auto places = rig.module->places(*rig.transaction);
  BOOST_REQUIRE(places.ok());
  BOOST_TEST(places->size() == 30u);
  const auto free = rig.module->read_container(*rig.transaction, places->front());
  BOOST_REQUIRE(free.ok());
  BOOST_TEST(!free->has_value());
}

BOOST_AUTO_TEST_CASE(an_empty_card_says_so) {
  Rig rig(false);
  const auto description = rig.module->describe(*rig.transaction);
  BOOST_REQUIRE(description.ok());
  BOOST_TEST(!description->initialized);
  BOOST_TEST(description->problems.size() == 1u);
  BOOST_TEST(rig.module->places(*rig.transaction)->empty());
  BOOST_TEST(rig.module->files(*rig.transaction)->empty());
}

BOOST_AUTO_TEST_CASE(another_card_is_not_recognised) {
  const auto channel = std::make_shared<MemoryChannel>(Bytes(), ApduLimits{}, [](ByteView) {
    return Result<Bytes>(Bytes{0x6a, 0x82});
  });
  auto transaction = CardTransaction::begin(channel);
  BOOST_REQUIRE(transaction.ok());
  const auto recognition = recognise_gids(*transaction);
  BOOST_REQUIRE(recognition.ok());
  BOOST_TEST((recognition->match == Match::none));
  BOOST_TEST(channel->exchanges() == 1u);
}

BOOST_AUTO_TEST_CASE(an_rsa_key_signs_and_decrypts) {
  Rig rig;
  const Bytes key_info = rig.generate(0, crypto::KeyAlgorithm::rsa, 2048);
  const Container container = rig.container(0);
  BOOST_TEST(container.public_key == key_info);
  BOOST_TEST((container.signs && container.decrypts && container.has_key));
  const auto key = key_of(key_info);

  const Bytes digest_info(51, 0x30);
  Bytes out(256);
  const auto signed_size =
      rig.module->perform(*rig.transaction, container, {.primitive = Primitive::rsa_pkcs1_sign}, digest_info, out);
  BOOST_REQUIRE(signed_size.ok());
  BOOST_TEST(*signed_size == 256u);
  BOOST_TEST(key->verify_pkcs1(digest_info, out).ok());

  Bytes block(256, 0x42);
  block[0] = 0;
  Bytes cryptogram(256);
  BOOST_REQUIRE(key->rsa_public_raw(block, cryptogram).ok());
  const auto raw = rig.module->perform(*rig.transaction, container, {.primitive = Primitive::rsa_raw}, cryptogram, out);
  BOOST_REQUIRE(raw.ok());
  BOOST_TEST(out == block);
  BOOST_TEST(
      (rig.module->perform(*rig.transaction, container, {.primitive = Primitive::ecdsa_sign}, block, out).code() ==
       Code::mechanism_invalid));
}

BOOST_AUTO_TEST_CASE(curves_sign) {
  for (const auto curve : {crypto::KeyAlgorithm::p256, crypto::KeyAlgorithm::p384}) {
    Rig rig;
    const auto key = key_of(rig.generate(2, curve));
    const Container container = rig.container(2);
    BOOST_TEST(!container.decrypts);
    const Bytes digest(32, 0x21);
    Bytes out(crypto::facts_of(curve).output_size);
    const auto size =
        rig.module->perform(*rig.transaction, container, {.primitive = Primitive::ecdsa_sign}, digest, out);
    BOOST_REQUIRE(size.ok());
    BOOST_TEST(*size == out.size());
    BOOST_TEST(key->ecdsa_verify(digest, out).ok());
  }
}

BOOST_AUTO_TEST_CASE(a_key_that_only_pads_on_the_card_decrypts_without_an_oracle) {
  Rig rig;
  const auto key = key_of(rig.generate(0, crypto::KeyAlgorithm::rsa, 2048));
  // The same container as a card that hides its key's file would show it.
  Container container = rig.container(0);
  container.primitives = primitives_of(usual_key_use(KeyKind::rsa_2048, true), KeyKind::rsa_2048);
  const PrimitiveRequest request{.primitive = Primitive::rsa_pkcs1_decrypt};
  const Bytes message(20, 0x77);
  Bytes cryptogram(256);
  BOOST_REQUIRE(key->encrypt_pkcs1(message, cryptogram).ok());
  Bytes out(256);
  const auto right = rig.module->perform(*rig.transaction, container, request, cryptogram, out);
  BOOST_REQUIRE(right.ok());
  BOOST_TEST(to_hex(ByteView(out).first(*right)) == to_hex(message));

  Bytes wrong_block(256, 0x13);
  wrong_block[0] = 0;
  BOOST_REQUIRE(key->rsa_public_raw(wrong_block, cryptogram).ok());
  const auto first = rig.module->perform(*rig.transaction, container, request, cryptogram, out);
  BOOST_REQUIRE(first.ok());
  const Bytes answer(out.begin(), out.begin() + static_cast<std::ptrdiff_t>(*first));
  const auto second = rig.module->perform(*rig.transaction, container, request, cryptogram, out);
  BOOST_REQUIRE(second.ok());
  BOOST_TEST(answer == Bytes(out.begin(), out.begin() + static_cast<std::ptrdiff_t>(*second)));
}

BOOST_AUTO_TEST_CASE(oaep_on_the_card_knows_sha_1_only) {
  Rig rig;
  const auto key = key_of(rig.generate(0, crypto::KeyAlgorithm::rsa, 2048));
  Container container = rig.container(0);
  container.primitives = static_cast<Primitives>(Primitive::rsa_oaep_decrypt);
  Bytes cryptogram(256);
  BOOST_REQUIRE(key->encrypt_oaep(Hash::sha1, Hash::sha1, {}, Bytes(20, 0x77), cryptogram).ok());
  Bytes out(256);
  PrimitiveRequest request{.primitive = Primitive::rsa_oaep_decrypt, .hash = Hash::sha1, .mgf_hash = Hash::sha1};
  const auto plain = rig.module->perform(*rig.transaction, container, request, cryptogram, out);
  BOOST_REQUIRE(plain.ok());
  BOOST_TEST(to_hex(ByteView(out).first(*plain)) == to_hex(Bytes(20, 0x77)));
  request.hash = Hash::sha256;
  BOOST_TEST((rig.module->perform(*rig.transaction, container, request, cryptogram, out).code() ==
              Code::mechanism_param_invalid));
}

BOOST_AUTO_TEST_CASE(keys_are_imported_from_pkcs8) {
  Rig rig;
  rig.log_in();
  const auto rsa = crypto::AsymmetricKey::generate_rsa(2048, Bytes{1, 0, 1});
  const auto ec = crypto::AsymmetricKey::generate(crypto::KeyAlgorithm::p256);
  BOOST_REQUIRE((rsa.ok() && ec.ok()));
  std::size_t index = 0;
  for (const auto& key : {*rsa, *ec}) {
    const auto pkcs8 = crypto::private_key_info(*key);
    BOOST_REQUIRE(pkcs8.ok());
    const Status imported = rig.administrator->import_key(*rig.transaction, rig.place(index), *pkcs8,
                                                          {.algorithm = key->algorithm(), .bits = key->size()});
    BOOST_REQUIRE_MESSAGE(imported.ok(), (imported.ok() ? "" : describe(imported.error())));
    BOOST_TEST(rig.container(index).public_key == *crypto::subject_public_key_info(*key));
    ++index;
  }
  Bytes out(256);
  const Bytes digest_info(51, 0x30);
  BOOST_REQUIRE(
      rig.module
          ->perform(*rig.transaction, rig.container(0), {.primitive = Primitive::rsa_pkcs1_sign}, digest_info, out)
          .ok());
  BOOST_TEST((*rsa)->verify_pkcs1(digest_info, out).ok());
}

BOOST_AUTO_TEST_CASE(what_windows_expects_is_there_after_generation) {
  Rig rig;
  const CacheCounters before = rig.counters();
  rig.generate(0, crypto::KeyAlgorithm::rsa, 2048);
  const auto records = parse_container_map(rig.file("mscp/cmapfile"));
  BOOST_REQUIRE(records.size() == 1u);
  BOOST_TEST(records[0].label().size() == 36u);
  BOOST_TEST(records[0].flags == (container_valid | container_default));
  BOOST_TEST(records[0].exchange_bits == 2048u);
  const auto key_map = get_object(*rig.transaction, key_map_place);
  BOOST_REQUIRE(key_map.ok());
  BOOST_TEST(to_hex(*key_map) == "0101000000079a81b0ffff0000");
  BOOST_TEST(rig.counters().containers == before.containers + 1);
  BOOST_TEST(rig.counters().files == before.files + 1);
}

BOOST_AUTO_TEST_CASE(names_are_unique_and_kept) {
  Rig rig;
  rig.log_in();
  for (std::size_t index = 0; index < 2; ++index) {
    ContainerPlace place = rig.place(index);
    place.label = "My key";
    BOOST_REQUIRE(rig.administrator->generate(*rig.transaction, place, {.algorithm = crypto::KeyAlgorithm::p256}).ok());
  }
  BOOST_TEST(rig.place(0).label == "My key");
  BOOST_TEST(rig.place(1).label.size() == 36u);
}

BOOST_AUTO_TEST_CASE(pin_policies_reach_the_key) {
  Rig rig;
  rig.log_in();
  const KeyRequest request{.algorithm = crypto::KeyAlgorithm::p256, .pin = PinPolicy::never};
  BOOST_REQUIRE(rig.administrator->generate(*rig.transaction, rig.place(0), request).ok());
  BOOST_TEST((rig.container(0).place.pin == PinPolicy::never));
  BOOST_REQUIRE(rig.module->deauthenticate(*rig.transaction));
  Bytes out(64);
  BOOST_TEST(
      rig.module->perform(*rig.transaction, rig.container(0), {.primitive = Primitive::ecdsa_sign}, Bytes(32, 1), out)
          .ok());
}

BOOST_AUTO_TEST_CASE(without_the_pin_nothing_is_done) {
  Rig rig;
  rig.generate(0, crypto::KeyAlgorithm::p256);
  const Container container = rig.container(0);
  BOOST_REQUIRE(rig.module->deauthenticate(*rig.transaction));
  Bytes out(64);
  BOOST_TEST(
      (rig.module->perform(*rig.transaction, container, {.primitive = Primitive::ecdsa_sign}, Bytes(32), out).code() ==
       Code::user_not_logged_in));
  BOOST_TEST(
      (rig.administrator->generate(*rig.transaction, rig.place(1), {.algorithm = crypto::KeyAlgorithm::p256}).code() ==
       Code::user_not_logged_in));
  BOOST_TEST((rig.administrator->delete_key(*rig.transaction, rig.place(0)).code() == Code::user_not_logged_in));
  BOOST_TEST(rig.container(0).public_key == container.public_key);
}

BOOST_AUTO_TEST_CASE(a_certificate_is_written_read_replaced_and_removed) {
  Rig rig;
  const Bytes key_info = rig.generate(0, crypto::KeyAlgorithm::rsa, 2048);
  for (const std::size_t size : {20u, 2000u}) {
    const Bytes der = certificate_for(key_info, size);
    const CacheCounters before = rig.counters();
    BOOST_REQUIRE(rig.administrator->write_certificate(*rig.transaction, rig.place(0), der).ok());
    BOOST_TEST(rig.counters().files == before.files + 1);
    const Container container = rig.container(0);
    BOOST_TEST(container.certificate == der);
    BOOST_TEST(container.public_key == key_info);
  }
  const auto entries = parse_master_file(*get_object(*rig.transaction, master_file_place));
  BOOST_REQUIRE(entries.ok());
  BOOST_TEST((find_entry(*entries, "mscp", "kxc00") != nullptr));
  for (const FileEntry& file : rig.files()) BOOST_TEST(file.name != "mscp/kxc00");
  BOOST_REQUIRE(rig.administrator->write_certificate(*rig.transaction, rig.place(0), {}).ok());
  BOOST_TEST(rig.container(0).certificate.empty());
  BOOST_REQUIRE(rig.administrator->write_certificate(*rig.transaction, rig.place(0), {}).ok());
  BOOST_TEST(
      (rig.administrator->write_certificate(*rig.transaction, rig.place(1), key_info).code() == Code::not_found));
}

BOOST_AUTO_TEST_CASE(a_damaged_certificate_is_left_out) {
  Rig rig;
  const Bytes key_info = rig.generate(0, crypto::KeyAlgorithm::p256);
  BOOST_REQUIRE(
      rig.administrator->write_certificate(*rig.transaction, rig.place(0), certificate_for(key_info, 9)).ok());
  const auto entries = parse_master_file(*get_object(*rig.transaction, master_file_place));
  const DirectoryEntry* entry = find_entry(*entries, "mscp", "ksc00");
  BOOST_REQUIRE(entry != nullptr);
  for (const std::string_view damage : {"0100ffff", "01000500789c", "3005", "ff"}) {
    Bytes content;
    BOOST_REQUIRE(from_hex(damage, content));
    BOOST_REQUIRE(put_object(*rig.transaction, entry->place, content).ok());
    const Container container = rig.container(0);
    BOOST_TEST(container.certificate.empty());
    BOOST_TEST(container.public_key == key_info);
  }
}

BOOST_AUTO_TEST_CASE(a_key_is_deleted_with_its_certificate_and_its_place_used_again) {
  Rig rig;
  const Bytes first = rig.generate(0, crypto::KeyAlgorithm::p256);
  BOOST_REQUIRE(rig.administrator->write_certificate(*rig.transaction, rig.place(0), certificate_for(first, 9)).ok());
  BOOST_REQUIRE(rig.administrator->delete_key(*rig.transaction, rig.place(0)).ok());
  BOOST_TEST(!rig.module->read_container(*rig.transaction, rig.place(0))->has_value());
  BOOST_TEST((rig.administrator->delete_key(*rig.transaction, rig.place(0)).code() == Code::not_found));
  rig.generate(0, crypto::KeyAlgorithm::rsa, 2048);
  BOOST_TEST(rig.container(0).certificate.empty());
  // And over a key that is there.
  const Bytes last = rig.generate(0, crypto::KeyAlgorithm::p384);
  BOOST_TEST(rig.container(0).public_key == last);
}

BOOST_AUTO_TEST_CASE(a_left_over_key_file_is_no_obstacle) {
  Rig rig;
  rig.log_in();
  const Bytes parameters = key_file(0x81, KeyKind::rsa_2048, true, PinPolicy::once);
  BOOST_REQUIRE(create_key_file(*rig.transaction, 0x81, parameters).ok());
  rig.generate(0, crypto::KeyAlgorithm::p256);
  BOOST_TEST(rig.container(0).signs);
}

BOOST_AUTO_TEST_CASE(a_kind_of_key_that_the_card_lacks_leaves_nothing_behind) {
  Rig rig;
  rig.log_in();
  BOOST_TEST(
      !rig.administrator->generate(*rig.transaction, rig.place(0), {.algorithm = crypto::KeyAlgorithm::p521}).ok());
  BOOST_TEST(!rig.module->read_container(*rig.transaction, rig.place(0))->has_value());
  BOOST_TEST((delete_key_file(*rig.transaction, 0x81).code() == Code::not_found));
}

BOOST_AUTO_TEST_CASE(the_default_container_moves) {
  Rig rig;
  rig.generate(0, crypto::KeyAlgorithm::p256);
  rig.generate(1, crypto::KeyAlgorithm::p256);
  BOOST_REQUIRE(rig.administrator->set_default(*rig.transaction, rig.place(1)).ok());
  const auto records = parse_container_map(rig.file("mscp/cmapfile"));
  BOOST_REQUIRE(records.size() == 2u);
  BOOST_TEST(records[0].flags == container_valid);
  BOOST_TEST(records[1].flags == (container_valid | container_default));
  BOOST_TEST((rig.administrator->set_default(*rig.transaction, rig.place(2)).code() == Code::not_found));
}

BOOST_AUTO_TEST_CASE(files_are_written_and_removed) {
  Rig rig;
  rig.log_in();
  const Bytes roots(3000, 'r');
  FileEntry file{.name = "mscp/msroots"};
  BOOST_REQUIRE(rig.administrator->write_file(*rig.transaction, file, roots).ok());
  BOOST_TEST(rig.file("mscp/msroots") == roots);
  FileEntry secret{.name = "mscp/note", .needs_pin = true};
  BOOST_REQUIRE(rig.administrator->write_file(*rig.transaction, secret, view_of("for me")).ok());
  BOOST_TEST(rig.file("mscp/note") == to_bytes(view_of("for me")));
  BOOST_REQUIRE(rig.module->deauthenticate(*rig.transaction));
  for (const FileEntry& entry : rig.files()) {
    if (entry.name == "mscp/note") {
      BOOST_TEST(entry.needs_pin);
      BOOST_TEST((rig.module->read_file(*rig.transaction, entry).code() == Code::user_not_logged_in));
    }
  }
  rig.log_in();
  BOOST_REQUIRE(rig.administrator->write_file(*rig.transaction, file, {}).ok());
  for (const FileEntry& entry : rig.files()) BOOST_TEST(entry.name != "mscp/msroots");
  BOOST_TEST(
      (rig.administrator->write_file(*rig.transaction, {.name = "else/where"}, roots).code() == Code::not_found));
  BOOST_TEST((rig.administrator->write_file(*rig.transaction, {.name = "mscp/toolongname"}, roots).code() ==
              Code::arguments_bad));
  BOOST_TEST((rig.administrator->write_file(*rig.transaction, {.name = "mscp/cmapfile"}, roots).code() ==
              Code::action_prohibited));
}

BOOST_AUTO_TEST_CASE(pins_count_and_change) {
  Rig rig;
  const auto fresh = rig.module->pin_state(*rig.transaction, PinRole::user);
  BOOST_REQUIRE(fresh.ok());
  BOOST_TEST((fresh->retries_left == 3));
  BOOST_TEST(fresh->retry_limit == 3);
  const Status wrong = rig.module->verify(*rig.transaction, PinRole::user, Pin(view_of("654321")));
  BOOST_REQUIRE(!wrong.ok());
  BOOST_TEST((wrong.code() == Code::pin_incorrect));
  BOOST_TEST((wrong.error().retries_left == 2));
  BOOST_TEST((rig.module->verify(*rig.transaction, PinRole::user, Pin(view_of("123"))).code() == Code::pin_length));
  BOOST_TEST((rig.module->pin_state(*rig.transaction, PinRole::user)->retries_left == 2));
  const CacheCounters before = rig.counters();
  BOOST_REQUIRE(
      rig.module->change_pin(*rig.transaction, PinRole::user, user_pin_value(), Pin(view_of("87654321"))).ok());
  BOOST_TEST(rig.counters().pins == before.pins + 1);
  BOOST_TEST(rig.module->verify(*rig.transaction, PinRole::user, Pin(view_of("87654321"))).ok());
  BOOST_TEST(
      (rig.module->verify(*rig.transaction, PinRole::admin, user_pin_value()).code() == Code::function_not_supported));
}

BOOST_AUTO_TEST_CASE(a_locked_pin_is_set_anew_by_the_administrator) {
  Rig rig;
  for (int i = 0; i < 3; ++i)
    BOOST_TEST(!rig.module->verify(*rig.transaction, PinRole::user, Pin(view_of("0000"))).ok());
  BOOST_TEST((rig.module->verify(*rig.transaction, PinRole::user, user_pin_value()).code() == Code::pin_locked));
  BOOST_TEST(rig.module->pin_state(*rig.transaction, PinRole::user)->locked);
  BOOST_TEST(
      (rig.administrator->set_user_pin(*rig.transaction, Pin(view_of("2468"))).code() == Code::user_not_logged_in));
  BOOST_REQUIRE(rig.administrator->authenticate(*rig.transaction, initial_admin_key()).ok());
  BOOST_REQUIRE(rig.administrator->set_user_pin(*rig.transaction, Pin(view_of("2468"))).ok());
  BOOST_TEST(rig.module->verify(*rig.transaction, PinRole::user, Pin(view_of("2468"))).ok());
}

BOOST_AUTO_TEST_CASE(the_puk_unblocks_where_there_is_one) {
  Rig rig;
  BOOST_TEST((rig.module->pin_state(*rig.transaction, PinRole::unblock).code() == Code::function_not_supported));
  auto& state = std::get<vcard::GidsState>(rig.card.state().content);
  state.puk.emplace().set(view_of("12345678"));
  const auto tries = rig.module->pin_state(*rig.transaction, PinRole::unblock);
  BOOST_REQUIRE(tries.ok());
  BOOST_TEST((tries->retries_left == 3));
  BOOST_REQUIRE(rig.module->unblock(*rig.transaction, Pin(view_of("12345678")), Pin(view_of("2468"))).ok());
  BOOST_TEST(rig.module->verify(*rig.transaction, PinRole::user, Pin(view_of("2468"))).ok());
}

BOOST_AUTO_TEST_CASE(a_wrong_administrators_key_is_wrong) {
  Rig rig;
  BOOST_TEST(
      (rig.administrator->authenticate(*rig.transaction, SecretBytes(Bytes(24, 7))).code() == Code::pin_incorrect));
  BOOST_TEST((rig.administrator->authenticate(*rig.transaction, SecretBytes(16)).code() == Code::key_size_range));
}

BOOST_AUTO_TEST_CASE(the_administrators_key_answers_from_elsewhere_and_changes) {
  Rig rig;
  const auto challenge = rig.administrator->challenge(*rig.transaction);
  BOOST_REQUIRE(challenge.ok());
  BOOST_REQUIRE(challenge->size() == 8u);
  const auto key = crypto::SymmetricKey::make(initial_admin_key());
  auto cipher = key->cipher(crypto::Cipher::triple_des_ecb, crypto::Direction::encrypt);
  BOOST_REQUIRE(cipher.ok());
  BOOST_REQUIRE(cipher->start({}).ok());
  Bytes answer(16);
  BOOST_REQUIRE(cipher->update(*challenge, answer).ok());
  answer.resize(8);
  BOOST_REQUIRE(rig.administrator->answer_challenge(*rig.transaction, answer).ok());
  BOOST_TEST((rig.administrator->answer_challenge(*rig.transaction, answer).code() == Code::operation_not_initialized));
  const SecretBytes next(Bytes{9, 8, 7, 6, 5, 4, 3, 2, 1, 9, 8, 7, 6, 5, 4, 3, 2, 1, 9, 8, 7, 6, 5, 4});
  BOOST_REQUIRE(rig.administrator->set_key(*rig.transaction, next).ok());
  BOOST_TEST(!rig.administrator->authenticate(*rig.transaction, initial_admin_key()).ok());
  BOOST_TEST(rig.administrator->authenticate(*rig.transaction, next).ok());
}

BOOST_AUTO_TEST_CASE(the_first_signature_takes_few_commands) {
  for (const bool extended : {true, false}) {
    Rig rig(true, extended ? ApduLimits{.command_data = 65535, .answer_data = 65536} : ApduLimits{});
    for (const std::size_t index : {0u, 1u}) {
      const Bytes key_info = rig.generate(index, crypto::KeyAlgorithm::rsa, 2048);
      // Random bytes stand for a signature and names, which do not compress.
      Bytes der = certificate_for(key_info, 300);
      BOOST_REQUIRE(rig.administrator->write_certificate(*rig.transaction, rig.place(index), der).ok());
    }
    rig.transaction.reset();
    rig.card.reset();
    const std::size_t before = rig.channel->exchanges();
    auto begun = CardTransaction::begin(rig.channel);
    BOOST_REQUIRE(begun.ok());
    rig.transaction.emplace(std::move(*begun));
    auto recognition = recognise_gids(*rig.transaction);
    BOOST_REQUIRE(recognition.ok());
    rig.module = std::move(recognition->module);
    BOOST_REQUIRE(rig.module->describe(*rig.transaction).ok());
    const auto places = rig.module->places(*rig.transaction);
    BOOST_REQUIRE(places.ok());
    std::vector<Container> containers;
    for (const ContainerPlace& place : *places) {
      const auto read = rig.module->read_container(*rig.transaction, place);
      BOOST_REQUIRE(read.ok());
      if (read->has_value()) containers.push_back(**read);
    }
    BOOST_REQUIRE(containers.size() == 2u);
    rig.log_in();
    Bytes out(256);
    const PrimitiveRequest request{.primitive = Primitive::rsa_pkcs1_sign};
    BOOST_REQUIRE(rig.module->perform(*rig.transaction, containers[1], request, Bytes(51, 0x30), out).ok());
    const std::size_t first = rig.channel->exchanges() - before;
    BOOST_TEST(first <= (extended ? 12u : 16u));
    BOOST_REQUIRE(rig.module->perform(*rig.transaction, containers[1], request, Bytes(51, 0x30), out).ok());
    BOOST_TEST(rig.channel->exchanges() - before - first <= 2u);
  }
}

BOOST_AUTO_TEST_CASE(another_application_in_between_is_not_taken_for_an_answer) {
  Rig rig;
  const Bytes key_info = rig.generate(0, crypto::KeyAlgorithm::rsa, 2048);
  BOOST_REQUIRE(
      rig.administrator->write_certificate(*rig.transaction, rig.place(0), certificate_for(key_info, 9)).ok());
  const Container container = rig.container(0);
  // A module that has read nothing itself, as after a start from cached contents.
  auto recognition = recognise_gids(*rig.transaction);
  BOOST_REQUIRE(recognition.ok());
  rig.module = std::move(recognition->module);
  rig.card.reset();
  Bytes out(256);
  BOOST_TEST(!rig.module->read_container(*rig.transaction, container.place).ok());
  const PrimitiveRequest raw{.primitive = Primitive::rsa_raw};
  const auto lost = rig.module->perform(*rig.transaction, container, raw, Bytes(256, 1), out);
  BOOST_REQUIRE(!lost.ok());
  BOOST_TEST((lost.code() == Code::function_not_supported));
  BOOST_TEST(!rig.module->files(*rig.transaction).ok());
  BOOST_REQUIRE(rig.module->select(*rig.transaction).ok());
  BOOST_TEST(rig.files().size() == 4u);
  rig.log_in();
  BOOST_TEST(rig.module->perform(*rig.transaction, container, raw, Bytes(256, 1), out).ok());
}

BOOST_AUTO_TEST_CASE(free_space_is_told) {
  Rig rig;
  const auto space = rig.module->free_space(*rig.transaction);
  BOOST_REQUIRE(space.ok());
  BOOST_REQUIRE(space->has_value());
  BOOST_TEST(**space > 0u);
}

BOOST_AUTO_TEST_SUITE_END()

}  // namespace
}  // namespace cardea::card::gids
