// A card kind of the simplest sort for the tests of this folder, and readers in memory that hold such cards.
#pragma once

#include <stdlib.h>

#include <boost/test/unit_test.hpp>
#include <filesystem>
#include <map>
#include <ostream>

#include "base/config.h"
#include "base/testing_codes.h"
#include "cards/card_readers.h"
#include "cards/recognise.h"
#include "crypto/asymmetric_key.h"
#include "crypto/key_encoding.h"
#include "pcsc/memory_channel.h"

namespace cardea::card::test {

inline Pin pin(std::string_view text) {
  return Pin(view_of(text));
}

/// The card's side: what it holds and what it has been asked. Every command is one byte that names it (INS) and its
/// data. Another application, selected by `foreign`, knows no command but SELECT.
struct FakeCard {
  struct Slot {
    Bytes certificate;
    crypto::AsymmetricKeyPtr key;
  };

  Bytes serial{'4', '2'};
  std::string user_pin = "123456";
  Bytes admin_key = Bytes(16, 0x11);
  int tries = 3;
  std::string puk = "87654321";
  int puk_tries = 3;
  bool foreign = false;
  bool selected = false;
  bool verified = false;
  bool administered = false;
  bool pulled = false;
  std::map<std::uint32_t, Slot> slots;
  std::map<std::uint32_t, Bytes> files;
  std::map<Byte, int> counts;  ///< commands by INS
  int verifies = 0;

  enum Ins : Byte {
    select = 0xa4,
    verify = 0x20,
    change = 0x24,
    show_puk = 0x25,
    unblock = 0x2c,
    authenticate = 0x87,
    state = 0x21,
    read_serial = 0x30,
    read_slot = 0x31,
    read_key = 0x32,
    read_file = 0x33,
    sign = 0x2a,
    write_slot = 0xdb,
    write_file = 0xdc,
    generate = 0x47,
    remove = 0x48,
    close = 0x22
  };

  void power_on() { selected = verified = administered = false; }

  Result<Bytes> exchange(ByteView command) {
    if (pulled) return Code::device_removed;
    BOOST_REQUIRE_GE(command.size(), 4u);
    const Byte ins = command[1];
    ++counts[ins];
    ByteView data = command.subspan(4);
    if (!data.empty()) data = data.subspan(1).first(std::min<std::size_t>(data[0], data.size() - 1));
    if (ins == select) {
      foreign = false;
      selected = true;
      return answer({}, 0x9000);
    }
    if (foreign || !selected) return answer({}, ins == read_file || ins == read_slot ? 0x6a82 : 0x6d00);
    return run(static_cast<Ins>(ins), command[3], data);
  }

 private:
  static Bytes answer(ByteView data, std::uint16_t status) {
    Bytes out = to_bytes(data);
    out.push_back(static_cast<Byte>(status >> 8));
    out.push_back(static_cast<Byte>(status));
    return out;
  }
  static Bytes answer_or_missing(const Bytes& data) { return data.empty() ? answer({}, 0x6a82) : answer(data, 0x9000); }

  Bytes run(Ins ins, Byte p2, ByteView data) {
    switch (ins) {
      case verify:
        ++verifies;
        if (tries == 0) return answer({}, 0x6983);
        verified = text_of(data) == user_pin;
        tries = verified ? 3 : tries - 1;
        return answer({}, verified ? 0x9000 : tries == 0 ? 0x6983 : static_cast<std::uint16_t>(0x63c0 + tries));
      case change:
        (p2 == 1 ? puk : user_pin) = text_of(data);
        return answer({}, 0x9000);
      case show_puk:
      case unblock:
        if (puk_tries == 0) return answer({}, 0x6983);
        if (!text_of(data).starts_with(puk)) return answer({}, static_cast<std::uint16_t>(0x63c0 + --puk_tries));
        puk_tries = 3;
        if (ins == unblock) user_pin = text_of(data.subspan(puk.size()));
        return answer({}, 0x9000);
      case state:
        if (p2 == 1) return answer({}, static_cast<std::uint16_t>(0x63c0 + puk_tries));
        return answer({}, tries == 0 ? 0x6983 : static_cast<std::uint16_t>(0x63c0 + tries));
      case authenticate:
        administered = same_bytes(data, admin_key);
        return answer({}, administered ? 0x9000 : 0x63c2);
      case close:
        verified = administered = false;
        return answer({}, 0x9000);
      case read_serial:
        return answer(serial, 0x9000);
      case read_slot:
        return answer_or_missing(slots[p2].certificate);
      case read_key:
        return slots[p2].key ? answer(*crypto::subject_public_key_info(*slots[p2].key), 0x9000) : answer({}, 0x6a82);
      case read_file:
        if (p2 == 2 && !verified) return answer({}, 0x6982);
        return answer_or_missing(files[p2]);
      default:
        return run_protected(ins, p2, data);
    }
  }
  Bytes run_protected(Ins ins, Byte p2, ByteView data) {
    if (ins == sign) {
      if (!verified && p2 != 3) return answer({}, 0x6982);
      Bytes out(64);
      BOOST_REQUIRE(slots[p2].key->ecdsa_sign(data, out).ok());
      return answer(out, 0x9000);
    }
    if (!administered) return answer({}, 0x6982);
    switch (ins) {
      case write_slot:
        slots[p2].certificate = to_bytes(data);
        return answer({}, 0x9000);
      case write_file:
        files[p2] = to_bytes(data);
        return answer({}, 0x9000);
      case generate:
        slots[p2].key = *crypto::AsymmetricKey::generate(crypto::KeyAlgorithm::p256);
        return answer({}, 0x9000);
      case remove:
        slots[p2].key = nullptr;
        return answer({}, 0x9000);
      default:
        return answer({}, 0x6d00);
    }
  }
};

/// Its module. Places 1, 2 (always asks for the PIN) and 3 (never does); files 1 and 2 (needs the PIN).
class FakeModule final : public CardModule, public CardAdministrator {
 public:
  static Result<Recognition> recognise(CardTransaction& transaction) {
    auto module = std::make_unique<FakeModule>();
    if (!module->select(transaction)) return Recognition{};
    return Recognition{Match::certain, std::move(module)};
  }

  Status select(CardTransaction& transaction) override { return send(transaction, FakeCard::select, 0); }
  Result<CardDescription> describe(CardTransaction& transaction) override {
    CARDEA_ASSIGN(const Response serial, transaction.call({.ins = FakeCard::read_serial}));
    CardDescription description;
    description.label = "fake";
    description.serial = text_of(serial.data);
    description.identity = serial.data;
    description.can_generate = description.can_import = true;
    return description;
  }
  Result<std::vector<ContainerPlace>> places(CardTransaction&) override {
    return std::vector<ContainerPlace>{
        {1, {1}, "one", PinPolicy::once}, {2, {2}, "two", PinPolicy::always}, {3, {3}, "three", PinPolicy::never}};
  }
  Result<std::optional<Container>> read_container(CardTransaction& transaction, const ContainerPlace& place) override {
    Container container;
    container.place = place;
    CARDEA_ASSIGN(const Response certificate, transaction.transmit(command(FakeCard::read_slot, place.index)));
    CARDEA_ASSIGN(const Response key, transaction.transmit(command(FakeCard::read_key, place.index)));
    if (certificate.ok()) container.certificate = certificate.data;
    if (certificate.ok() && certificate.data.size() == 1) return Code::data_invalid;
    if (key.ok()) container.public_key = key.data;
    container.has_key = key.ok();
    container.signs = true;
    container.local = true;
    container.primitives = static_cast<Primitives>(Primitive::ecdsa_sign);
    if (!certificate.ok() && !key.ok()) return std::optional<Container>();
    return std::optional<Container>(std::move(container));
  }
  Result<std::vector<FileEntry>> files(CardTransaction&) override {
    FileEntry open{.name = "open", .application = "fake", .object_id = {}, .reference = 1};
    FileEntry closed{.name = "closed", .application = "fake", .object_id = {}, .reference = 2, .needs_pin = true};
    return std::vector<FileEntry>{open, closed};
  }
  Result<Bytes> read_file(CardTransaction& transaction, const FileEntry& file) override {
    CARDEA_ASSIGN(const Response response, transaction.call(command(FakeCard::read_file, file.reference)));
    return response.data;
  }
  Status verify(CardTransaction& transaction, PinRole, const Pin& given) override {
    return send(transaction, FakeCard::verify, 0, given.view());
  }
  Status verify_on_pad(CardTransaction&, PinPad& pad, PinRole) override {
    return outcome(pad.verify({.ins = FakeCard::verify, .padded_length = 0}));
  }
  Status change_pin_on_pad(CardTransaction& transaction, PinPad& pad, PinRole role) override {
    CARDEA_TRY(verify_on_pad(transaction, pad, role));
    return outcome(pad.modify({.ins = FakeCard::change, .padded_length = 0}, PinPad::Change::new_alone));
  }
  Result<PinState> pin_state(CardTransaction& transaction, PinRole role) override {
    const std::uint32_t which = role == PinRole::unblock ? 1 : 0;
    CARDEA_ASSIGN(const Response response, transaction.transmit(command(FakeCard::state, which)));
    PinState state;
    state.initialized = true;
    state.locked = response.status == 0x6983;
    state.retry_limit = 3;
    state.retries_left = state.locked ? 0 : response.status & 0x0f;
    return state;
  }
  Status change_pin(CardTransaction& transaction, PinRole role, const Pin& old_pin, const Pin& new_pin) override {
    if (role == PinRole::unblock) {
      CARDEA_TRY(confirm_puk(transaction, old_pin));
      return send(transaction, FakeCard::change, 1, new_pin.view());
    }
    CARDEA_TRY(verify(transaction, PinRole::user, old_pin));
    return send(transaction, FakeCard::change, 0, new_pin.view());
  }
  Status unblock(CardTransaction& transaction, const Pin& puk, const Pin& new_pin) override {
    Bytes both = to_bytes(puk.view());
    both.insert(both.end(), new_pin.view().begin(), new_pin.view().end());
    return send(transaction, FakeCard::unblock, 0, both);
  }
  Status confirm_puk(CardTransaction& transaction, const Pin& puk) override {
    if (puk.size() != 8) return Code::function_not_supported;
    return send(transaction, FakeCard::show_puk, 0, puk.view());
  }
  bool deauthenticate(CardTransaction& transaction) override { return send(transaction, FakeCard::close, 0).ok(); }
  Result<std::size_t> perform(CardTransaction& transaction, const Container& container, const PrimitiveRequest&,
                              ByteView input, MutableBytes out) override {
    Command sign = command(FakeCard::sign, container.place.index);
    sign.data = input;
    CARDEA_ASSIGN(const Response response, transaction.call(sign));
    std::copy(response.data.begin(), response.data.end(), out.begin());
    return response.data.size();
  }
  CardAdministrator* administrator() override { return this; }

  Status authenticate(CardTransaction& transaction, const SecretBytes& key) override {
    return send(transaction, FakeCard::authenticate, 0, key.view());
  }
  Result<Bytes> challenge(CardTransaction&) override { return Code::function_not_supported; }
  Status answer_challenge(CardTransaction&, ByteView) override { return Code::function_not_supported; }
  Status set_key(CardTransaction&, const SecretBytes&) override { return Code::function_not_supported; }
  SecretBytes factory_key() const override { return SecretBytes(Bytes(16, 0x11)); }
  Result<Bytes> generate(CardTransaction& transaction, const ContainerPlace& place,
                         const KeyRequest& request) override {
    if (request.algorithm != crypto::KeyAlgorithm::p256) return Code::curve_not_supported;
    CARDEA_TRY(send(transaction, FakeCard::generate, place.index));
    CARDEA_ASSIGN(const Response key, transaction.call(command(FakeCard::read_key, place.index)));
    return key.data;
  }
  Status import_key(CardTransaction&, const ContainerPlace&, const SecretBytes&, const KeyRequest&) override {
    return Code::function_not_supported;
  }
  Status delete_key(CardTransaction& transaction, const ContainerPlace& place) override {
    return send(transaction, FakeCard::remove, place.index);
  }
  Status write_certificate(CardTransaction& transaction, const ContainerPlace& place, ByteView der) override {
    return send(transaction, FakeCard::write_slot, place.index, der);
  }
  Status write_file(CardTransaction& transaction, const FileEntry& file, ByteView content) override {
    return send(transaction, FakeCard::write_file, file.reference, content);
  }
  Status set_user_pin(CardTransaction& transaction, const Pin& new_pin) override {
    return send(transaction, FakeCard::change, 0, new_pin.view());
  }

 private:
  static Status outcome(const Result<std::uint16_t>& status) {
    if (!status) return status.error();
    if (*status != 0x9000) return status_error(*status);
    return {};
  }
  static Command command(FakeCard::Ins ins, std::uint32_t p2) {
    return Command{.ins = ins, .p2 = static_cast<Byte>(p2)};
  }
  static Status send(CardTransaction& transaction, FakeCard::Ins ins, std::uint32_t p2, ByteView data = {}) {
    Command sent = command(ins, p2);
    sent.data = data;
    sent.expects_data = false;
    CARDEA_TRY(transaction.call(sent));
    return {};
  }
};

inline constexpr CardKind fake_kinds[] = {{"fake", FakeModule::recognise}};

/// Readers in memory. Cards are put in and taken out by the test.
class FakeReaders final : public CardReaders {
 public:
  std::vector<ReaderStatus> readers() override { return {status_}; }
  CardChannelPtr open(const std::string&) override { return channel_; }
  void listen(ChangeListener listener) override { listener_ = std::move(listener); }

  void insert(FakeCard& card) {
    card.pulled = false;
    card.power_on();
    ++insertions_;
    status_.insertion = insertions_;
    status_.insertion_identity = {static_cast<Byte>(insertions_)};
    channel_ = std::make_shared<MemoryChannel>(Bytes{0x3b, 0x00}, ApduLimits{},
                                               [&card](ByteView command) { return card.exchange(command); });
    if (listener_) listener_();
  }
  void pull(FakeCard& card) {
    card.pulled = true;
    status_.insertion = 0;
    status_.insertion_identity.clear();
    if (listener_) listener_();
  }
  /// The same insertion, as another process sees it.
  void reopen(FakeCard& card) {
    channel_ = std::make_shared<MemoryChannel>(channel_->atr(), channel_->limits(),
                                               [&card](ByteView command) { return card.exchange(command); });
  }
  MemoryChannel& channel() { return *channel_; }
  ReaderStatus& status() { return status_; }

 private:
  ReaderStatus status_{.name = "Fake reader 00 00", .vendor = "Fake", .insertion_identity = {}};
  std::uint64_t insertions_ = 0;
  std::shared_ptr<MemoryChannel> channel_;
  ChangeListener listener_;
};

/// Directories of its own for cache and shared state, removed at the end.
struct Directories {
  Directories() {
    std::string pattern = (std::filesystem::temp_directory_path() / "cardea-cards-XXXXXX").string();
    BOOST_REQUIRE(mkdtemp(pattern.data()) != nullptr);
    root = pattern;
    settings.cache_directory = root / "cache";
    settings.runtime_directory = root / "run";
  }
  ~Directories() {
    std::error_code ignored;
    std::filesystem::remove_all(root, ignored);
  }
  Directories(const Directories&) = delete;
  Directories& operator=(const Directories&) = delete;

  std::filesystem::path root;
  Settings settings;
};

}  // namespace cardea::card::test
