// Recognition and use of a virtual GIDS card.
#include "gids/virtual_gids.h"

namespace cardea::card::gids {
namespace {

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

BOOST_AUTO_TEST_SUITE_END()

}  // namespace
}  // namespace cardea::card::gids
