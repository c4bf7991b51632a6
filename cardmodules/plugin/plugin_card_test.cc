// The whole way through the example plug-in to its virtual card.
#include "plugin/plugin_card.h"

#include <dlfcn.h>

#include <boost/test/unit_test.hpp>

#include "cardmodules/module_rig.h"
#include "crypto/key_encoding.h"
#include "crypto/symmetric_key.h"
#include "plugin/plugins.h"

namespace cardea::card::plugin {
namespace {

// Past the rules for folders, which the build folder need not fulfil.
Plugin sample_plugin() {
  void* const library = ::dlopen(CARDEA_SAMPLE_PLUGIN, RTLD_NOW | RTLD_LOCAL);
  BOOST_REQUIRE(library != nullptr);
  const auto entry = reinterpret_cast<cardea_plugin_entry>(::dlsym(library, CARDEA_PLUGIN_ENTRY));
  BOOST_REQUIRE(entry != nullptr);
  BOOST_TEST(entry((CARDEA_PLUGIN_ABI_MAJOR + 1) << 16) == nullptr);
  auto plugin = check_table(entry(CARDEA_PLUGIN_ABI_VERSION), CARDEA_SAMPLE_PLUGIN);
  BOOST_REQUIRE(plugin.ok());
  return *plugin;
}

struct Rig : ModuleRig {
  Rig()
      : ModuleRig(vcard::CardState{vcard::new_sample()}, ApduLimits{},
                  [](CardTransaction& card) { return recognise(card, {sample_plugin()}, {}); }) {
    BOOST_TEST((match == Match::certain));
  }

  crypto::AsymmetricKeyPtr generate(std::size_t index, const KeyRequest& request) {
    const auto made = administrator->generate(*transaction, place(index), request);
    BOOST_REQUIRE_MESSAGE(made.ok(), (made.ok() ? "" : cardea::describe(made.error())));
    auto key = crypto::from_subject_public_key_info(*made);
    BOOST_REQUIRE(key.ok());
    return *key;
  }
};

BOOST_AUTO_TEST_SUITE(sample_card)

BOOST_AUTO_TEST_CASE(it_is_recognised_and_described) {
  Rig rig;
  const auto description = rig.module->describe(*rig.transaction);
  BOOST_REQUIRE(description.ok());
  BOOST_TEST(description->label == "Sample card");
  BOOST_TEST(description->serial.size() == 16u);
  BOOST_TEST(description->max_pin_length == 12u);
  BOOST_TEST((description->can_generate && description->can_import && description->user_writes));
  const auto places = rig.module->places(*rig.transaction);
  BOOST_REQUIRE(places.ok());
  BOOST_TEST(places->size() == 8u);
  BOOST_TEST(!rig.module->read_container(*rig.transaction, places->front())->has_value());
  const auto space = rig.module->free_space(*rig.transaction);
  BOOST_REQUIRE(space.ok());
  BOOST_TEST((*space == std::size_t{32768}));
}

BOOST_AUTO_TEST_CASE(another_card_is_left_alone) {
  const auto channel = std::make_shared<MemoryChannel>(Bytes(), ApduLimits{}, [](ByteView) {
    return Result<Bytes>(Bytes{0x6a, 0x82});
  });
  auto transaction = CardTransaction::begin(channel);
  BOOST_REQUIRE(transaction.ok());
  const auto recognition = recognise(*transaction, {sample_plugin(), sample_plugin()}, {});
  BOOST_REQUIRE(recognition.ok());
  BOOST_TEST((recognition->match == Match::none));
  BOOST_TEST(channel->exchanges() == 2u);
}

BOOST_AUTO_TEST_CASE(keys_are_made_and_used) {
  Rig rig;
  rig.log_in();
  const auto curve = rig.generate(0, {.algorithm = crypto::KeyAlgorithm::p256});
  const auto rsa = rig.generate(1, {.algorithm = crypto::KeyAlgorithm::rsa, .bits = 2048});
  const Bytes digest(32, 0x21);
  Bytes out(64);
  BOOST_REQUIRE(
      rig.module->perform(*rig.transaction, rig.container(0), {.primitive = Primitive::ecdsa_sign}, digest, out).ok());
  BOOST_TEST(curve->ecdsa_verify(digest, out).ok());

  const auto peer = crypto::AsymmetricKey::generate(crypto::KeyAlgorithm::p256);
  BOOST_REQUIRE(peer.ok());
  Bytes theirs(32);
  BOOST_REQUIRE((*peer)->derive(*curve->public_value(), theirs).ok());
  Bytes ours(32);
  const auto agreed = rig.module->perform(*rig.transaction, rig.container(0), {.primitive = Primitive::ecdh},
                                          *(*peer)->public_value(), ours);
  BOOST_REQUIRE(agreed.ok());
  BOOST_TEST(*agreed == 32u);
  BOOST_TEST(ours == theirs);

  Bytes block(256, 0x42);
  block[0] = 0;
  Bytes cryptogram(256);
  Bytes plain(256);
  BOOST_REQUIRE(rsa->rsa_public_raw(block, cryptogram).ok());
  BOOST_REQUIRE(
      rig.module->perform(*rig.transaction, rig.container(1), {.primitive = Primitive::rsa_raw}, cryptogram, plain)
          .ok());
  BOOST_TEST(plain == block);
}

BOOST_AUTO_TEST_CASE(keys_come_from_outside_and_go) {
  Rig rig;
  rig.log_in();
  const auto key = crypto::AsymmetricKey::generate(crypto::KeyAlgorithm::p384);
  BOOST_REQUIRE(key.ok());
  const auto pkcs8 = crypto::private_key_info(**key);
  BOOST_REQUIRE(pkcs8.ok());
  const KeyRequest request{.algorithm = crypto::KeyAlgorithm::p384, .pin = PinPolicy::always};
  BOOST_REQUIRE(rig.administrator->import_key(*rig.transaction, rig.place(3), *pkcs8, request).ok());
  const Container container = rig.container(3);
  BOOST_TEST(container.public_key == *crypto::subject_public_key_info(**key));
  BOOST_TEST((container.place.pin == PinPolicy::always));
  BOOST_TEST(container.place.label.size() == 36u);
  BOOST_TEST((container.signs && container.derives && !container.decrypts));

  const Bytes der = certificate_for(container.public_key);
  BOOST_REQUIRE(rig.administrator->write_certificate(*rig.transaction, rig.place(3), der).ok());
  BOOST_TEST(rig.container(3).certificate == der);
  BOOST_REQUIRE(rig.administrator->write_certificate(*rig.transaction, rig.place(3), {}).ok());
  BOOST_TEST(rig.container(3).certificate.empty());
  BOOST_REQUIRE(rig.administrator->write_certificate(*rig.transaction, rig.place(3), der).ok());
  BOOST_REQUIRE(rig.administrator->delete_key(*rig.transaction, rig.place(3)).ok());
  BOOST_TEST(!rig.module->read_container(*rig.transaction, rig.place(3))->has_value());
  BOOST_TEST((rig.administrator->delete_key(*rig.transaction, rig.place(3)).code() == Code::not_found));
  for (const FileEntry& file : rig.files()) BOOST_TEST(!file.name.starts_with("mscp/kxc"));
}

BOOST_AUTO_TEST_CASE(the_host_keeps_the_minidrivers_books) {
  Rig rig;
  rig.log_in();
  (void)rig.generate(0, {.algorithm = crypto::KeyAlgorithm::p256});
  (void)rig.generate(1, {.algorithm = crypto::KeyAlgorithm::p256});
  BOOST_REQUIRE(rig.administrator->set_default(*rig.transaction, rig.place(1)).ok());
  std::map<std::string, Bytes> contents;
  for (const FileEntry& file : rig.files()) {
    const auto content = rig.module->read_file(*rig.transaction, file);
    BOOST_REQUIRE(content.ok());
    contents[file.name] = *content;
    BOOST_TEST(!file.writable);
    BOOST_TEST((rig.administrator->write_file(*rig.transaction, file, Bytes(3)).code() == Code::action_prohibited));
  }
  BOOST_REQUIRE((contents.contains("cardcf") && contents.contains("mscp/cmapfile")));
  BOOST_TEST(to_hex(contents["cardcf"]) == "000003000300");
  const auto records = parse_container_map(contents["mscp/cmapfile"]);
  BOOST_REQUIRE(records.size() == 2u);
  BOOST_TEST(records[0].flags == container_valid);
  BOOST_TEST(records[1].flags == (container_valid | container_default));
}

BOOST_AUTO_TEST_CASE(files_are_written_and_removed) {
  Rig rig;
  rig.log_in();
  const Bytes roots(3000, 'r');
  const FileEntry file{.name = "mscp/msroots"};
  BOOST_REQUIRE(rig.administrator->write_file(*rig.transaction, file, roots).ok());
  const auto read = rig.module->read_file(*rig.transaction, file);
  BOOST_REQUIRE(read.ok());
  BOOST_TEST(*read == roots);
  const Bytes large(10'000, 'l');
  const FileEntry other{.name = "large"};
  BOOST_REQUIRE(rig.administrator->write_file(*rig.transaction, other, large).ok());
  BOOST_TEST(*rig.module->read_file(*rig.transaction, other) == large);
  BOOST_TEST((rig.administrator->write_file(*rig.transaction, other, Bytes(40'000)).code() == Code::device_memory));
  BOOST_REQUIRE(rig.administrator->write_file(*rig.transaction, file, {}).ok());
  BOOST_TEST((rig.module->read_file(*rig.transaction, file).code() == Code::not_found));
}

BOOST_AUTO_TEST_CASE(pins_count_change_and_unblock) {
  Rig rig;
  const Status wrong = rig.module->verify(*rig.transaction, PinRole::user, Pin(view_of("000000")));
  BOOST_REQUIRE(!wrong.ok());
  BOOST_TEST((wrong.code() == Code::pin_incorrect));
  BOOST_TEST((wrong.error().retries_left == 2));
  const auto state = rig.module->pin_state(*rig.transaction, PinRole::user);
  BOOST_REQUIRE(state.ok());
  BOOST_TEST((state->retries_left == 2));
  BOOST_TEST(state->retry_limit == 3);
  BOOST_REQUIRE(
      rig.module->change_pin(*rig.transaction, PinRole::user, Pin(view_of("123456")), Pin(view_of("2468"))).ok());
  for (int i = 0; i < 3; ++i) (void)rig.module->verify(*rig.transaction, PinRole::user, Pin(view_of("0000")));
  BOOST_TEST((rig.module->verify(*rig.transaction, PinRole::user, Pin(view_of("2468"))).code() == Code::pin_locked));
  BOOST_REQUIRE(rig.module->unblock(*rig.transaction, Pin(view_of("12345678")), Pin(view_of("1357"))).ok());
  BOOST_REQUIRE(rig.module->verify(*rig.transaction, PinRole::user, Pin(view_of("1357"))).ok());
  BOOST_TEST(rig.module->deauthenticate(*rig.transaction));
  BOOST_TEST(
      (rig.administrator->generate(*rig.transaction, rig.place(0), {.algorithm = crypto::KeyAlgorithm::p256}).code() ==
       Code::user_not_logged_in));
}

SecretBytes admin_key() {
  SecretBytes key(32);
  for (std::size_t i = 0; i < key.size(); ++i) key.data()[i] = static_cast<Byte>(i);
  return key;
}

BOOST_AUTO_TEST_CASE(the_administrator_is_challenged) {
  Rig rig;
  const auto challenge = rig.administrator->challenge(*rig.transaction);
  BOOST_REQUIRE(challenge.ok());
  auto cipher = crypto::SymmetricKey::make(admin_key())->cipher(crypto::Cipher::aes_ecb, crypto::Direction::encrypt);
  BOOST_REQUIRE(cipher.ok());
  BOOST_REQUIRE(cipher->start({}).ok());
  Bytes answer(challenge->size() + 16);
  BOOST_REQUIRE(cipher->update(*challenge, answer).ok());
  answer.resize(challenge->size());
  BOOST_REQUIRE(rig.administrator->answer_challenge(*rig.transaction, answer).ok());
  BOOST_REQUIRE(rig.administrator->set_user_pin(*rig.transaction, Pin(view_of("1357"))).ok());
  BOOST_TEST(rig.module->verify(*rig.transaction, PinRole::user, Pin(view_of("1357"))).ok());
}

BOOST_AUTO_TEST_CASE(the_administrators_key_changes) {
  Rig rig;
  const Status wrong = rig.administrator->authenticate(*rig.transaction, SecretBytes(32));
  BOOST_REQUIRE(!wrong.ok());
  BOOST_TEST((wrong.code() == Code::pin_incorrect));
  BOOST_TEST((wrong.error().retries_left == 4));
  BOOST_REQUIRE(rig.administrator->authenticate(*rig.transaction, admin_key()).ok());
  BOOST_REQUIRE(rig.administrator->set_key(*rig.transaction, SecretBytes(Bytes(32, 9))).ok());
  BOOST_TEST(!rig.administrator->authenticate(*rig.transaction, admin_key()).ok());
  BOOST_TEST(rig.administrator->authenticate(*rig.transaction, SecretBytes(Bytes(32, 9))).ok());
}

BOOST_AUTO_TEST_CASE(after_a_reset_it_is_selected_again) {
  Rig rig;
  rig.card.reset();
  BOOST_TEST(!rig.module->pin_state(*rig.transaction, PinRole::user).ok());
  BOOST_REQUIRE(rig.module->select(*rig.transaction).ok());
  BOOST_TEST(rig.module->pin_state(*rig.transaction, PinRole::user).ok());
}

BOOST_AUTO_TEST_SUITE_END()

}  // namespace
}  // namespace cardea::card::plugin
