#include "piv/piv_card.h"

#include <algorithm>

#include "base/tlv.h"
#include "crypto/asymmetric_key.h"
#include "crypto/certificate.h"
#include "crypto/digest.h"
#include "crypto/key_encoding.h"
#include "pcsc/apdu_encoding.h"
#include "piv/data_objects.h"
#include "piv/virtual_piv.h"

namespace cardea::card::piv {
namespace {

using crypto::KeyAlgorithm;

crypto::AsymmetricKeyPtr public_key(const Container& container) {
  return good(crypto::from_subject_public_key_info(container.public_key));
}

Result<Bytes> perform(VirtualPiv& card, const Container& container, Primitive primitive, ByteView input) {
  Bytes out(512);
  CARDEA_ASSIGN(const std::size_t size,
                card->perform(card.transaction(), container, {.primitive = primitive}, input, out));
  out.resize(size);
  return out;
}

FileEntry file_named(VirtualPiv& card, std::uint32_t tag) {
  for (FileEntry& file : good(card->files(card.transaction()))) {
    if (file.reference == tag) return std::move(file);
  }
  BOOST_FAIL("no such file");
  return {};
}

BOOST_AUTO_TEST_SUITE(piv_card)

BOOST_AUTO_TEST_CASE(a_new_card_describes_itself) {
  VirtualPiv card;
  CardDescription description;
  BOOST_TEST(card.count([&] { description = good(card->describe(card.transaction())); }) == 1u);
  BOOST_TEST(description.model == "PIV-I or CIV");
  BOOST_TEST(description.serial.size() == 16u);
  BOOST_TEST(description.label == "PIV " + description.serial);
  BOOST_TEST(description.identity.size() == 32u);
  BOOST_TEST(description.problems.empty());
  VirtualPiv other;
  BOOST_TEST(good(other->describe(other.transaction())).identity != description.identity);
}

BOOST_AUTO_TEST_CASE(a_card_without_chuid_is_known_by_its_makers_serial) {
  VirtualPiv card;
  card.state().objects.erase(object::chuid);
  const CardDescription description = good(card->describe(card.transaction()));
  BOOST_TEST(description.serial == std::to_string(card.state().serial));
  BOOST_TEST(description.problems.size() == 1u);
}

BOOST_AUTO_TEST_CASE(a_damaged_chuid_is_a_problem_and_no_failure) {
  VirtualPiv card;
  card.state().objects[object::chuid] = Bytes{0x30, 0x7f, 0x00};
  const CardDescription description = good(card->describe(card.transaction()));
  BOOST_TEST(description.problems.size() == 1u);
  BOOST_TEST(!description.identity.empty());
}

BOOST_AUTO_TEST_CASE(another_application_is_not_recognised) {
  const auto channel = std::make_shared<MemoryChannel>(Bytes{0x3b}, ApduLimits{}, [](ByteView) -> Result<Bytes> {
    return Bytes{0x6a, 0x82};
  });
  CardTransaction transaction = good(CardTransaction::begin(channel));
  BOOST_TEST((good(recognise_piv(transaction)).match == Match::none));
  BOOST_TEST(channel->exchanges() == 1u);
}

// A command that did not get through must not look like an object that is not there.
BOOST_AUTO_TEST_CASE(a_failing_reader_is_no_empty_card) {
  bool broken = false;
  Bytes status{0x6f, 0x00};
  const auto channel =
      std::make_shared<MemoryChannel>(Bytes{0x3b}, ApduLimits{}, [&](ByteView command) -> Result<Bytes> {
        if (broken) return Code::device_error;
        constexpr Byte select = 0xa4;
        return command[1] == select ? Bytes{0x90, 0x00} : status;
      });
  CardTransaction transaction = good(CardTransaction::begin(channel));
  const Recognition recognition = good(recognise_piv(transaction));
  BOOST_TEST((recognition.match == Match::possible));
  CardModule& module = *recognition.module;
  // The card speaks, if only of errors: four places, nothing in them that could be read.
  BOOST_TEST(good(module.places(transaction)).size() == 4u);
  BOOST_TEST((module.read_container(transaction, *place_of(key_signature)).code() == Code::data_invalid));
  broken = true;
  BOOST_TEST((module.places(transaction).code() == Code::device_error));
  BOOST_TEST((module.describe(transaction).code() == Code::device_error));
  BOOST_TEST((module.read_container(transaction, *place_of(key_signature)).code() == Code::device_error));
}

BOOST_AUTO_TEST_CASE(an_empty_card_has_four_places_without_keys) {
  VirtualPiv card;
  const auto places = good(card->places(card.transaction()));
  BOOST_TEST(places.size() == 4u);
  for (const ContainerPlace& place : places) {
    BOOST_TEST(!good(card->read_container(card.transaction(), place)).has_value());
  }
}

BOOST_AUTO_TEST_CASE(rsa_signs_and_decrypts_as_its_public_key_says) {
  VirtualPiv card;
  card.authenticate();
  const Bytes key_info = card.generate(key_authentication, KeyAlgorithm::rsa, 2048);
  const Container container = *card.container(key_authentication);
  BOOST_TEST(container.public_key == key_info);
  BOOST_TEST(container.local);
  BOOST_TEST(container.certificate.empty());
  Bytes input(256, 0x5a);
  input[0] = 0;
  const auto refused = perform(card, container, Primitive::rsa_raw, input);
  BOOST_TEST((refused.code() == Code::user_not_logged_in));
  card.log_in();
  const Bytes output = good(perform(card, container, Primitive::rsa_raw, input));
  Bytes again(256);
  good(public_key(container)->rsa_public_raw(output, again));
  BOOST_TEST(again == input);
  BOOST_TEST((perform(card, container, Primitive::rsa_raw, ByteView(input).first(255)).code() == Code::data_length));
  BOOST_TEST((perform(card, container, Primitive::ecdsa_sign, input).code() == Code::mechanism_invalid));
}

BOOST_AUTO_TEST_CASE(ecdsa_answers_two_numbers) {
  for (const KeyAlgorithm algorithm : {KeyAlgorithm::p256, KeyAlgorithm::p384}) {
    VirtualPiv card;
    card.authenticate();
    card.generate(key_signature, algorithm);
    const Container container = *card.container(key_signature);
    BOOST_TEST((container.place.pin == PinPolicy::always));
    for (const Hash hash : {Hash::sha1, Hash::sha256, Hash::sha512}) {
      const Bytes digest = good(crypto::digest(hash, view_of("message")));
      card.log_in();
      const Bytes signature = good(perform(card, container, Primitive::ecdsa_sign, digest));
      BOOST_TEST(signature.size() == 2 * crypto::facts_of(algorithm).private_size);
      good(public_key(container)->ecdsa_verify(digest, signature));
      BOOST_TEST((perform(card, container, Primitive::ecdsa_sign, digest).code() == Code::user_not_logged_in));
    }
  }
}

BOOST_AUTO_TEST_CASE(ecdh_agrees_with_the_peer) {
  for (const KeyAlgorithm algorithm : {KeyAlgorithm::p256, KeyAlgorithm::p384, KeyAlgorithm::x25519}) {
    VirtualPiv card;
    card.authenticate();
    card.generate(key_management, algorithm);
    const Container container = *card.container(key_management);
    BOOST_TEST(container.derives);
    card.log_in();
    const auto peer = good(crypto::AsymmetricKey::generate(algorithm));
    const Bytes secret = good(perform(card, container, Primitive::ecdh, good(peer->public_value())));
    Bytes expected(peer->output_size());
    expected.resize(good(peer->derive(good(public_key(container)->public_value()), expected)));
    BOOST_TEST(secret == expected);
    const Bytes nonsense(65, 0x04);
    BOOST_TEST(!perform(card, container, Primitive::ecdh, nonsense).ok());
  }
}

BOOST_AUTO_TEST_CASE(keys_made_elsewhere_work_and_keep_their_policies) {
  const std::pair<KeyAlgorithm, std::size_t> kinds[]{{KeyAlgorithm::rsa, 2048},
                                                     {KeyAlgorithm::p256, 0},
                                                     {KeyAlgorithm::p384, 0},
                                                     {KeyAlgorithm::ed25519, 0},
                                                     {KeyAlgorithm::x25519, 0}};
  for (const auto& [algorithm, bits] : kinds) {
    VirtualPiv card;
    card.authenticate();
    const auto key = bits == 0 ? good(crypto::AsymmetricKey::generate(algorithm))
                               : good(crypto::AsymmetricKey::generate_rsa(bits, Bytes{1, 0, 1}));
    KeyRequest request{.algorithm = algorithm, .bits = bits};
    request.pin = PinPolicy::never;
    request.touch = TouchPolicy::cached;
    const SecretBytes encoded = good(crypto::private_key_info(*key));
    good(card.administrator().import_key(card.transaction(), *place_of(key_retired_first), encoded, request));
    const Container container = *card.container(key_retired_first);
    BOOST_TEST(container.public_key == good(crypto::subject_public_key_info(*key)));
    BOOST_TEST((container.place.pin == PinPolicy::never));
    BOOST_TEST((container.touch == TouchPolicy::cached));
    BOOST_TEST(!container.local);
  }
}

BOOST_AUTO_TEST_CASE(ed25519_signs_whole_messages) {
  VirtualPiv card;
  card.authenticate();
  card.generate(key_authentication, KeyAlgorithm::ed25519);
  const Container container = *card.container(key_authentication);
  BOOST_TEST(container.signs);
  card.log_in();
  const Bytes message(600, 0x77);
  const Bytes signature = good(perform(card, container, Primitive::eddsa_sign, message));
  BOOST_TEST(signature.size() == 64u);
  good(public_key(container)->verify_message({}, message, signature));
  Bytes room(64);
  const PrimitiveRequest prehashed{.primitive = Primitive::eddsa_sign, .prehash = true};
  BOOST_TEST(
      (card->perform(card.transaction(), container, prehashed, message, room).code() == Code::mechanism_param_invalid));
}

BOOST_AUTO_TEST_CASE(an_rsa_key_with_another_exponent_is_refused) {
  VirtualPiv card;
  card.authenticate();
  const auto key = good(crypto::AsymmetricKey::generate_rsa(2048, Bytes{3}));
  const SecretBytes encoded = good(crypto::private_key_info(*key));
  const Status refused = card.administrator().import_key(card.transaction(), *place_of(key_management), encoded, {});
  BOOST_TEST((refused.code() == Code::attribute_value_invalid));
}

BOOST_AUTO_TEST_CASE(certificates_come_back_whole_and_go_with_their_key) {
  VirtualPiv card;
  card.authenticate();
  card.generate(key_card_authentication, KeyAlgorithm::p256);
  const Bytes certificate = card.certify(key_card_authentication);
  const Container container = *card.container(key_card_authentication);
  BOOST_TEST(container.certificate == certificate);
  BOOST_TEST((container.place.pin == PinPolicy::never));
  good(perform(card, container, Primitive::ecdsa_sign, Bytes(32, 1)));
  card.generate(key_card_authentication, KeyAlgorithm::p256);
  BOOST_TEST(card.container(key_card_authentication)->certificate.empty());
  card.certify(key_card_authentication);
  good(card.administrator().write_certificate(card.transaction(), *place_of(key_card_authentication), {}));
  BOOST_TEST(card.container(key_card_authentication)->certificate.empty());
  const Bytes nonsense(100, 0x30);
  BOOST_TEST(!card.administrator().write_certificate(card.transaction(), *place_of(key_management), nonsense).ok());
}

BOOST_AUTO_TEST_CASE(retired_keys_show_through_the_key_history) {
  VirtualPiv card;
  card.authenticate();
  const auto shown = [&] { return good(card->places(card.transaction())).size() - 4; };
  for (const std::uint32_t reference : {0x82u, 0x83u, 0x84u}) {
    card.generate(reference, KeyAlgorithm::p256);
    card.certify(reference);
  }
  BOOST_TEST(shown() == 3u);
  good(card.administrator().write_certificate(card.transaction(), *place_of(0x83), {}));
  BOOST_TEST(shown() == 3u);
  good(card.administrator().write_certificate(card.transaction(), *place_of(0x84), {}));
  BOOST_TEST(shown() == 1u);
  BOOST_TEST(good(card->files(card.transaction())).size() == data_objects().size() - 19);
}

BOOST_AUTO_TEST_CASE(yubikeys_tell_of_retired_keys_without_a_key_history) {
  Bytes atr;
  BOOST_REQUIRE(from_hex("3bfd1300008131fe158073c021c057597562694b657940", atr));
  VirtualPiv card(good(vcard::new_piv({})), {}, atr);
  card.authenticate();
  card.generate(0x85, KeyAlgorithm::p256);
  const auto places = good(card->places(card.transaction()));
  BOOST_REQUIRE(places.size() == 5u);
  BOOST_TEST(places.back().index == 0x85u);
  const CardDescription description = good(card->describe(card.transaction()));
  BOOST_TEST(description.manufacturer == "Yubico");
  BOOST_TEST(description.serial == std::to_string(card.state().serial));
}

BOOST_AUTO_TEST_CASE(moving_takes_the_certificate_along) {
  VirtualPiv card;
  card.authenticate();
  const Bytes key_info = card.generate(key_management, KeyAlgorithm::p384);
  const Bytes certificate = card.certify(key_management);
  good(card.administrator().move_key(card.transaction(), *place_of(key_management), *place_of(0x82)));
  BOOST_TEST(!card.container(key_management).has_value());
  BOOST_TEST(card.container(0x82)->certificate == certificate);
  BOOST_TEST(card.container(0x82)->public_key == key_info);
  good(card.administrator().write_certificate(card.transaction(), *place_of(0x82), {}));
  good(card.administrator().delete_key(card.transaction(), *place_of(0x82)));
  BOOST_TEST(!card.container(0x82).has_value());
}

BOOST_AUTO_TEST_CASE(files_are_written_and_read_without_their_wrapping) {
  VirtualPiv card;
  card.authenticate();
  const FileEntry printed = file_named(card, object::printed_information);
  const Bytes content{0x01, 0x03, 'A', 'n', 'n', 0xfe, 0x00};
  good(card.administrator().write_file(card.transaction(), printed, content));
  BOOST_TEST((card->read_file(card.transaction(), printed).code() == Code::user_not_logged_in));
  card.log_in();
  BOOST_TEST(good(card->read_file(card.transaction(), printed)) == content);
  BOOST_TEST(good(card->explain(printed, content)).at(0).value == "Ann");
  const FileEntry iris = file_named(card, object::iris_images);
  BOOST_TEST((card->read_file(card.transaction(), iris).code() == Code::not_found));
  BOOST_TEST(!good(card->read_file(card.transaction(), file_named(card, object::discovery))).empty());
}

BOOST_AUTO_TEST_CASE(attestation_names_the_key) {
  VirtualPiv card;
  card.authenticate();
  const Bytes key_info = card.generate(key_signature, KeyAlgorithm::p256);
  const Bytes certificate = good(card.administrator().attest(card.transaction(), *place_of(key_signature)));
  BOOST_TEST(to_bytes(good(crypto::certificate_parts(certificate)).key_info) == key_info);
  ContainerPlace attestation;
  attestation.index = key_attestation;
  const Bytes issuer = good(card.administrator().attest(card.transaction(), attestation));
  BOOST_TEST(
      same_bytes(good(crypto::certificate_parts(issuer)).subject, good(crypto::certificate_parts(certificate)).issuer));
}

BOOST_AUTO_TEST_CASE(a_card_without_extensions_says_what_it_lacks) {
  VirtualPiv card(vcard::PivProfile{.vendor_extensions = false});
  card.authenticate();
  card.generate(key_authentication, KeyAlgorithm::p256);
  BOOST_TEST(!card.container(key_authentication).has_value());
  const auto key = good(crypto::AsymmetricKey::generate(KeyAlgorithm::p256));
  const SecretBytes encoded = good(crypto::private_key_info(*key));
  CardAdministrator& administrator = card.administrator();
  const ContainerPlace place = *place_of(key_authentication);
  BOOST_TEST((administrator.import_key(card.transaction(), place, encoded, {}).code() == Code::function_not_supported));
  BOOST_TEST((administrator.delete_key(card.transaction(), place).code() == Code::function_not_supported));
  BOOST_TEST((administrator.attest(card.transaction(), place).code() == Code::function_not_supported));
  BOOST_TEST((administrator.reset(card.transaction()).code() == Code::function_not_supported));
  // The refused reset has not touched the PIN.
  card.log_in();
}

BOOST_AUTO_TEST_CASE(a_first_signature_takes_few_commands) {
  struct Expectation {
    ApduLimits limits;
    std::size_t first;
    std::size_t further;
  };
  for (const Expectation& expected : {Expectation{{}, 14, 3}, Expectation{extended_length, 9, 1}}) {
    VirtualPiv card(vcard::PivProfile{}, expected.limits);
    card.authenticate();
    card.generate(key_authentication, KeyAlgorithm::rsa, 2048);
    card.certify(key_authentication);
    card.restart();
    std::optional<Container> container;
    const Bytes input(256, 0x11);
    constexpr std::size_t recognition = 1;
    const std::size_t first = recognition + card.count([&] {
      good(card->describe(card.transaction()));
      good(card->places(card.transaction()));
      container = card.container(key_authentication);
      card.log_in();
      good(perform(card, *container, Primitive::rsa_raw, input));
    });
    BOOST_TEST(first <= expected.first);
    BOOST_TEST(card.count([&] { good(perform(card, *container, Primitive::rsa_raw, input)); }) <= expected.further);
  }
}

BOOST_AUTO_TEST_SUITE_END()

}  // namespace
}  // namespace cardea::card::piv
