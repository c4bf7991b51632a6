// Keys, certificates and files written to a virtual GIDS card.
#include "gids/virtual_gids.h"

namespace cardea::card::gids {
namespace {

BOOST_AUTO_TEST_SUITE(gids_write)

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
