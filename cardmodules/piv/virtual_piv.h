// A virtual PIV card in this process, for the tests of this folder.
#pragma once

#include <boost/test/unit_test.hpp>

#include "card/virtual_card.h"
#include "pcsc/memory_channel.h"
#include "piv/key_references.h"
#include "piv/piv_card.h"

namespace cardea::card::piv {

inline Pin pin_of(std::string_view text) {
  return Pin(view_of(text));
}

template <class T>
T good(Result<T> result) {
  if (!result) BOOST_FAIL(cardea::describe(result.error()));
  return std::move(*result);
}
inline void good(const Status& status) {
  if (!status) BOOST_FAIL(cardea::describe(status.error()));
}

inline constexpr ApduLimits extended_length{.command_data = 65535, .answer_data = 65536};

/// The card, recognised and selected, in one transaction.
class VirtualPiv {
 public:
  explicit VirtualPiv(vcard::PivProfile profile = {}, ApduLimits limits = {})
      : VirtualPiv(good(vcard::new_piv(profile)), limits) {}

  /// `atr`: instead of the virtual card's own.
  explicit VirtualPiv(vcard::PivState state, ApduLimits limits = {}, const Bytes& atr = {})
      : card_(vcard::CardState{std::move(state)}),
        channel_(std::make_shared<MemoryChannel>(
            atr.empty() ? card_.atr() : atr, limits,
            [this](ByteView command) -> Result<Bytes> { return card_.exchange(command); })),
        transaction_(good(CardTransaction::begin(channel_))) {
    Recognition recognition = good(recognise_piv(transaction_));
    BOOST_REQUIRE((recognition.match == Match::certain));
    module_ = std::move(recognition.module);
  }

  CardModule* operator->() { return module_.get(); }
  CardAdministrator& administrator() { return *module_->administrator(); }
  CardTransaction& transaction() { return transaction_; }
  vcard::PivState& state() { return std::get<vcard::PivState>(card_.state().content); }

  void log_in(std::string_view pin = "123456") { good(module_->verify(transaction_, PinRole::user, pin_of(pin))); }
  void authenticate() { good(administrator().authenticate(transaction_, administrator().factory_key())); }
  /// As a card that was reset and is selected again.
  void restart() {
    card_.reset();
    good(module_->select(transaction_));
  }
  /// A command past the module, as a reader's PIN pad sends it.
  Bytes exchange(ByteView command) { return card_.exchange(command); }
  /// APDUs that a piece of work takes.
  template <class Work>
  std::size_t count(Work work) {
    const std::size_t before = channel_->exchanges();
    work();
    return channel_->exchanges() - before;
  }
  /// A key pair, and its attestation for a certificate.
  Bytes generate(std::uint32_t reference, crypto::KeyAlgorithm algorithm, std::size_t bits = 0) {
    return good(administrator().generate(transaction_, *place_of(reference), {.algorithm = algorithm, .bits = bits}));
  }
  Bytes certify(std::uint32_t reference) {
    Bytes certificate = good(administrator().attest(transaction_, *place_of(reference)));
    good(administrator().write_certificate(transaction_, *place_of(reference), certificate));
    return certificate;
  }
  std::optional<Container> container(std::uint32_t reference) {
    return good(module_->read_container(transaction_, *place_of(reference)));
  }

 private:
  vcard::VirtualCard card_;
  std::shared_ptr<MemoryChannel> channel_;
  CardTransaction transaction_;
  std::unique_ptr<CardModule> module_;
};

}  // namespace cardea::card::piv
