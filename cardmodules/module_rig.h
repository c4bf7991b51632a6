// A card module on a virtual card in this process, for the tests of the modules' folders.
#pragma once

#include <boost/test/unit_test.hpp>

#include "card/virtual_card.h"
#include "cardmodules/card_module.h"
#include "crypto/key_der.h"
#include "pcsc/memory_channel.h"

namespace cardea::card {

/// The card, recognised and in a transaction.
struct ModuleRig {
  template <class Recognise>
  ModuleRig(vcard::CardState state, ApduLimits limits, Recognise recognise)
      : card(std::move(state)), channel(std::make_shared<MemoryChannel>(card.atr(), limits, [this](ByteView command) {
          return Result<Bytes>(card.exchange(command));
        })) {
    auto begun = CardTransaction::begin(channel);
    BOOST_REQUIRE(begun.ok());
    transaction.emplace(std::move(*begun));
    auto recognition = recognise(*transaction);
    BOOST_REQUIRE_MESSAGE(recognition.ok(), (recognition.ok() ? "" : cardea::describe(recognition.error())));
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
  std::vector<FileEntry> files() {
    auto found = module->files(*transaction);
    BOOST_REQUIRE(found.ok());
    return std::move(*found);
  }

  vcard::VirtualCard card;
  std::shared_ptr<MemoryChannel> channel;
  std::optional<CardTransaction> transaction;
  Match match = Match::none;
  std::unique_ptr<CardModule> module;
  CardAdministrator* administrator = nullptr;
};

/// Enough of a certificate to carry a key: nobody checks its signature here. `padding` makes it longer.
inline Bytes certificate_for(ByteView key_info, std::size_t padding = 9) {
  using crypto::der;
  const Bytes name = der<Bytes>(crypto::der_sequence, {});
  const Bytes serial = crypto::der_integer<Bytes>(Bytes(padding, 0x5a));
  const Bytes body = der<Bytes>(crypto::der_sequence, {serial, name, name, name, name, key_info});
  const Bytes signature = der<Bytes>(crypto::der_bit_string, {Bytes(257)});
  return der<Bytes>(crypto::der_sequence, {body, name, signature});
}

}  // namespace cardea::card
