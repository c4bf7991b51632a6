// A virtual GIDS card in this process, for the tests of this folder.
#pragma once

#include <boost/test/unit_test.hpp>

#include "card/virtual_card.h"
#include "crypto/key_der.h"
#include "crypto/key_encoding.h"
#include "gids/gids_card.h"
#include "pcsc/memory_channel.h"

namespace cardea::card::gids {

/// The card, recognised and in a transaction.
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

  void log_in() { BOOST_REQUIRE(module->verify(*transaction, PinRole::user, Pin(view_of("123456"))).ok()); }
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

inline crypto::AsymmetricKeyPtr key_of(ByteView key_info) {
  auto key = crypto::from_subject_public_key_info(key_info);
  BOOST_REQUIRE(key.ok());
  return *key;
}

/// Enough of a certificate to carry a key: nobody checks its signature here.
inline Bytes certificate_for(ByteView key_info, std::size_t padding) {
  using crypto::der;
  const Bytes name = der<Bytes>(crypto::der_sequence, {});
  const Bytes serial = crypto::der_integer<Bytes>(Bytes(padding, 0x5a));
  const Bytes body = der<Bytes>(crypto::der_sequence, {serial, name, name, name, name, key_info});
  const Bytes signature = der<Bytes>(crypto::der_bit_string, {Bytes(257)});
  return der<Bytes>(crypto::der_sequence, {body, name, signature});
}

}  // namespace cardea::card::gids
