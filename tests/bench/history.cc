// How many commands a history of 20 decryption keys takes onto a new PIV card, and how many bytes go over the wire.
#include <fmt/format.h>

#include <cstdio>
#include <cstdlib>

#include "agent/card_device.h"
#include "agent/key_use.h"
#include "card/virtual_card.h"
#include "crypto/key_der.h"
#include "crypto/key_encoding.h"
#include "crypto/symmetric_key.h"
#include "pcsc/memory_channel.h"

namespace {

using namespace cardea;

/// The administrator of a new card.
class Factory final : public agent::Authority {
 public:
  Result<Pin> user_pin(bool) override { return Code::user_not_logged_in; }
  Result<Pin> unblocking_secret() override { return Code::user_not_logged_in; }
  Result<SecretBytes> admin_key() override { return Code::user_not_logged_in; }
  Result<Bytes> answer(const agent::AdminChallenge& challenge, int) override {
    SecretBytes key(24);
    for (std::size_t i = 0; i < key.size(); ++i) key.data()[i] = static_cast<Byte>(i % 8 + 1);
    const auto ready = crypto::SymmetricKey::make(std::move(key));
    CARDEA_ASSIGN(auto cipher, ready->cipher(crypto::Cipher::aes_ecb, crypto::Direction::encrypt));
    CARDEA_TRY(cipher.start({}));
    Bytes out(2 * challenge.bytes.size());
    CARDEA_ASSIGN(const std::size_t size, cipher.update(challenge.bytes, out));
    out.resize(size);
    return out;
  }
};

/// As long as an issued certificate usually is.
Bytes certificate_for(ByteView key_info) {
  using crypto::der;
  constexpr std::size_t extensions = 700;
  const Bytes name = der<Bytes>(crypto::der_sequence, {});
  const Bytes serial = crypto::der_integer<Bytes>(Bytes(extensions, 0x5a));
  const Bytes body = der<Bytes>(crypto::der_sequence, {serial, name, name, name, name, key_info});
  return der<Bytes>(crypto::der_sequence, {body, name, der<Bytes>(crypto::der_bit_string, {Bytes(257)})});
}

Result<std::vector<agent::ArchivedKey>> make_keys(std::string_view word) {
  constexpr std::size_t keys_in_history = 20;
  constexpr Byte f4[]{1, 0, 1};
  CARDEA_ASSIGN(const agent::KeySpec spec, agent::parse_key_spec(word));
  std::vector<agent::ArchivedKey> keys(keys_in_history);
  for (agent::ArchivedKey& key : keys) {
    CARDEA_ASSIGN(const auto made, spec.bits > 0 ? crypto::AsymmetricKey::generate_rsa(spec.bits, f4)
                                                 : crypto::AsymmetricKey::generate(spec.algorithm));
    CARDEA_ASSIGN(key.pkcs8, crypto::private_key_info(*made));
    CARDEA_ASSIGN(const Bytes key_info, crypto::subject_public_key_info(*made));
    key.certificate = certificate_for(key_info);
  }
  return keys;
}

Status measure(std::string_view word, const card::ApduLimits& limits, std::string_view lengths) {
  CARDEA_ASSIGN(const auto keys, make_keys(word));
  CARDEA_ASSIGN(vcard::PivState state, vcard::new_piv({}));
  vcard::VirtualCard card(vcard::CardState{std::move(state)});
  std::size_t bytes = 0;
  const auto channel =
      std::make_shared<card::MemoryChannel>(card.atr(), limits, [&](ByteView command) -> Result<Bytes> {
        Bytes answer = card.exchange(command);
        bytes += command.size() + answer.size();
        return answer;
      });
  CARDEA_ASSIGN(const auto device, agent::CardDevice::open(channel));
  Factory factory;
  bytes = 0;
  const std::size_t before = channel->exchanges();
  CARDEA_ASSIGN(const agent::HistoryReport report, device->write_history(factory, keys, {}));
  fmt::print("{:<10} {:<16} {:>4} keys {:>6} commands {:>8} bytes\n", word, lengths, report.written.size(),
             channel->exchanges() - before, bytes);
  return {};
}

}  // namespace

int main() {
  for (const std::string_view word : {"ec:P-256", "rsa:2048"}) {
    const Status extended = measure(word, {.command_data = 65535, .answer_data = 65536}, "extended length");
    const Status brief = measure(word, {}, "short length");
    if (extended && brief) continue;
    fmt::print(stderr, "{}\n", describe(extended ? brief.error() : extended.error()));
    return EXIT_FAILURE;
  }
  return EXIT_SUCCESS;
}
