// Tokens of each kind as devices, fresh for every test: virtual cards in this process, a keystore in a folder of its
// own, a virtual card in a software TPM. CARDEA_TOKEN_KIND names the kind.
#pragma once

#include <stdlib.h>

#include <boost/test/unit_test.hpp>
#include <filesystem>
#include <fstream>
#include <memory>

#include "agent/card_device.h"
#include "agent/key_use.h"
#include "agent/pkcs11_device.h"
#include "base/testing_codes.h"
#include "base/testing_folder.h"
#include "card/certificate.h"
#include "card/virtual_card.h"
#include "cardmodules/module_rig.h"
#include "crypto/digest.h"
#include "crypto/key_encoding.h"
#include "crypto/mac.h"
#include "crypto/symmetric_key.h"
#include "pcsc/memory_channel.h"
#include "swtpm/swtpm.h"

namespace cardea::agent::test {

using cardea::testing::Folder;

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

/// Administrator and user in one person, who knows everything.
class Everybody final : public Authority {
 public:
  Result<Pin> user_pin(bool refused) override {
    ++asked;
    if (refused) return error(Code::function_canceled, "the PIN was refused");
    return Pin(view_of(pin));
  }
  Result<Pin> last_user_pin() override {
    if (!takes_last_try) return error(Code::pin_incorrect, "only one try is left");
    return Pin(view_of(pin));
  }
  Result<Bytes> answer(const AdminChallenge& challenge, int attempt) override {
    if (static_cast<std::size_t>(attempt) >= keys.size()) return error(Code::pin_incorrect, "no further key");
    const SecretBytes key(keys[static_cast<std::size_t>(attempt)]);
    if (challenge.algorithm == "hmac-sha256") return tpm_answer(key, challenge.bytes);
    const bool des = challenge.algorithm == "3des";
    const crypto::SymmetricKeyPtr ready = crypto::SymmetricKey::make(key.copy());
    CARDEA_ASSIGN(
        crypto::CipherContext cipher,
        ready->cipher(des ? crypto::Cipher::triple_des_cbc : crypto::Cipher::aes_cbc, crypto::Direction::encrypt));
    const Bytes iv(des ? 8 : 16);
    CARDEA_TRY(cipher.start(iv));
    Bytes out(challenge.bytes.size() + iv.size());
    CARDEA_ASSIGN(const std::size_t size, cipher.update(challenge.bytes, out));
    out.resize(size);
    return out;
  }
  Result<Pin> unblocking_secret() override { return Pin(view_of(puk)); }
  Result<SecretBytes> admin_key() override { return SecretBytes(keys.front()); }

  std::string pin = "592037";
  std::string puk;
  std::vector<Bytes> keys;
  int asked = 0;
  bool takes_last_try = false;

 private:
  static Result<Bytes> tpm_answer(const SecretBytes& key, ByteView challenge) {
    Bytes text = to_bytes(challenge);
    text.insert(text.end(), 4, 0);
    CARDEA_ASSIGN(const Bytes digest, crypto::digest(Hash::sha256, text));
    CARDEA_ASSIGN(const SecretBytes mac, crypto::hmac(Hash::sha256, key.view(), digest));
    return to_bytes(mac.view());
  }
};

/// The key 0102…08 three times, which new cards have.
inline Bytes factory_key() {
  Bytes key;
  for (int i = 0; i < 24; ++i) key.push_back(static_cast<Byte>(i % 8 + 1));
  return key;
}

/// A token of one kind, as new.
class DeviceRig {
 public:
  virtual ~DeviceRig() = default;
  Device& operator*() { return *device; }
  Device* operator->() { return device.get(); }
  /// As if the token had been taken out and put back.
  virtual void reopen() = 0;
  virtual bool is_card() const { return false; }
  /// The first user PIN is `everybody.pin`.
  void begin() { good(device->set_first_pin(everybody, pin_of(everybody.pin))); }

  std::unique_ptr<Device> device;
  Everybody everybody;
};

/// A virtual card that forgets what was proved when it is reset, as real ones do, and can be pulled.
class PulledChannel final : public card::CardChannel {
 public:
  explicit PulledChannel(vcard::VirtualCard& card) : card_(card) {}

  Bytes atr() const override { return atr_.empty() ? card_.atr() : atr_; }
  /// Another maker's answer to reset.
  void pretend(Bytes atr) { atr_ = std::move(atr); }
  card::ApduLimits limits() const override { return {.command_data = 65535, .answer_data = 65536}; }
  void learn(const card::ApduLimits&) override {}
  Result<card::CardState> begin() override {
    if (pulled_) return Code::device_removed;
    return std::exchange(state_, card::CardState::undisturbed);
  }
  void end(card::AtEnd action) noexcept override {
    if (action != card::AtEnd::reset) return;
    card_.reset();
    state_ = card::CardState::reset;
  }
  Result<Bytes> exchange(ByteView command, std::chrono::milliseconds) override {
    pulled_ = pulled_ || (pull_at_ > 0 && exchanges_ + 1 >= pull_at_);
    if (pulled_) return Code::device_removed;
    ++exchanges_;
    return card_.exchange(command);
  }

  std::size_t exchanges() const { return exchanges_; }
  void pull_at(std::size_t command) { pull_at_ = exchanges_ + command; }

 private:
  vcard::VirtualCard& card_;
  card::CardState state_ = card::CardState::reset;
  Bytes atr_;
  std::size_t exchanges_ = 0;
  std::size_t pull_at_ = 0;
  bool pulled_ = false;
};

class CardRig final : public DeviceRig {
 public:
  explicit CardRig(const std::string& kind)
      : card_(kind == "piv" ? vcard::CardState{good(vcard::new_piv({}))}
                            : vcard::CardState{vcard::new_initialised_gids()}) {
    everybody.puk = "12345678";
    everybody.keys = {factory_key()};
    reopen();
  }
  /// A PIV card in this state that answers so to a reset.
  CardRig(vcard::PivState state, std::string_view atr) : card_(vcard::CardState{std::move(state)}), atr_(atr) {
    everybody.puk = "12345678";
    everybody.keys = {factory_key()};
    reopen();
  }
  /// A generic minidriver card in this state.
  explicit CardRig(vcard::GidsState state) : card_(vcard::CardState{std::move(state)}) {
    everybody.keys = {factory_key()};
    reopen();
  }
  bool is_card() const override { return true; }
  void reopen() override {
    card_.reset();
    channel = std::make_shared<PulledChannel>(card_);
    channel->pretend(to_bytes(view_of(std::string_view(atr_))));
    device = good(CardDevice::open(channel));
  }
  /// The card is pulled at the n-th command from now on.
  void pull_at(std::size_t command) { channel->pull_at(command); }

  std::shared_ptr<PulledChannel> channel;

 private:
  vcard::VirtualCard card_;
  std::string atr_;
};

/// The module with settings of its own, before it is loaded.
class MadeRig final : public DeviceRig {
 public:
  explicit MadeRig(MadeKind kind) : kind_(kind) {
    std::string settings = "[card]\nenabled = false\n";
    if (kind == MadeKind::tpm) {
      tpm_ = std::make_unique<tpm::Swtpm>();
      settings += "[keystore]\nenabled = false\n[tpm]\ntcti = \"" + tpm_->tcti() + "\"\n";
    } else {
      settings += "[tpm]\nenabled = false\n";
    }
    const auto file = folder_.path / "cardea.toml";
    std::ofstream(file) << settings;
    setenv("CARDEA_HOME", folder_.path.c_str(), 1);
    setenv("CARDEA_CONF", file.c_str(), 1);
    const char* const module = std::getenv("CARDEA_MODULE");
    BOOST_REQUIRE(module != nullptr);
    module_ = good(p11client::Module::load(module));
    everybody.puk = "12345678901234";
    everybody.keys = {Bytes(32, 0xaa)};
    make();
  }
  ~MadeRig() override { device.reset(); }
  void reopen() override { device = good(Pkcs11Device::open(module_, kind_, serial)); }
  void make() {
    NewToken token;
    token.label = "job 7";
    token.so_pin = pin_of(everybody.puk);
    token.puk = pin_of(everybody.puk);
    token.admin_key = SecretBytes(ByteView(everybody.keys.front()));
    auto made = good(Pkcs11Device::create(module_, kind_, token));
    serial = made->serial();
    device = std::move(made);
  }

  std::string serial;

 private:
  const MadeKind kind_;
  Folder folder_;
  std::unique_ptr<tpm::Swtpm> tpm_;
  Pkcs11Device::ModulePtr module_;
};

inline std::string kind_under_test() {
  const char* const kind = std::getenv("CARDEA_TOKEN_KIND");
  return kind == nullptr ? "piv" : kind;
}

inline std::unique_ptr<DeviceRig> new_token() {
  const std::string kind = kind_under_test();
  if (kind == "keystore") return std::make_unique<MadeRig>(MadeKind::keystore);
  if (kind == "tpm") return std::make_unique<MadeRig>(MadeKind::tpm);
  return std::make_unique<CardRig>(kind);
}

/// A key from elsewhere and a certificate that carries it.
inline ArchivedKey archived_key(std::string_view word = "ec:P-256") {
  const KeySpec spec = good(parse_key_spec(word));
  constexpr Byte f4[]{1, 0, 1};
  const crypto::AsymmetricKeyPtr key = good(spec.bits > 0 ? crypto::AsymmetricKey::generate_rsa(spec.bits, f4)
                                                          : crypto::AsymmetricKey::generate(spec.algorithm));
  return {good(crypto::private_key_info(*key)), card::certificate_for(good(crypto::subject_public_key_info(*key)))};
}

/// Whether the signature over the text is the key's.
inline bool verifies(ByteView key_info, const KeySignature& signature, ByteView text) {
  const crypto::AsymmetricKeyPtr key = good(crypto::from_subject_public_key_info(key_info));
  const Bytes digest = good(crypto::digest(Hash::sha256, text));
  if (signature.mechanism == "rsa-pkcs1-sha256") {
    // DigestInfo of SHA-256 (RFC 8017, 9.2, notes 1).
    Bytes info{0x30, 0x31, 0x30, 0x0d, 0x06, 0x09, 0x60, 0x86, 0x48, 0x01,
               0x65, 0x03, 0x04, 0x02, 0x01, 0x05, 0x00, 0x04, 0x20};
    info.insert(info.end(), digest.begin(), digest.end());
    return key->verify_pkcs1(info, signature.signature).ok();
  }
  BOOST_REQUIRE(signature.mechanism == "ecdsa-sha256");
  crypto::DerReader outer(signature.signature);
  const auto parts = outer.take(crypto::der_sequence);
  BOOST_REQUIRE(parts.has_value());
  crypto::DerReader numbers(*parts);
  Bytes raw;
  for (int i = 0; i < 2; ++i) {
    const auto number = numbers.take_unsigned();
    BOOST_REQUIRE(number.has_value());
    raw.insert(raw.end(), 32 - number->size(), 0);
    raw.insert(raw.end(), number->begin(), number->end());
  }
  return key->ecdsa_verify(digest, raw).ok();
}

inline const Bytes text_to_sign = to_bytes(view_of("a text that is signed"));

/// Null when there is none of that name.
inline const DeviceContainer* container_of(const DeviceDescription& about, const std::string& name) {
  for (const DeviceContainer& container : about.containers) {
    if (container.name == name) return &container;
  }
  return nullptr;
}

inline Bytes certify(DeviceRig& token, const std::string& container, ByteView key_info, std::size_t variant = 9) {
  return good(token->write_certificate(token.everybody, container, card::certificate_for(key_info, variant)));
}

/// The certificate of an authority that stands alone.
inline Bytes authority(std::string_view name) {
  const vcard::CardKey key = good(vcard::CardKey::generate(vcard::KeyType::p256));
  const Bytes subject = vcard::common_name(name);
  return good(vcard::issue_certificate(key, subject, subject, key.public_key_der(), {vcard::basic_constraints(true)}));
}

}  // namespace cardea::agent::test
