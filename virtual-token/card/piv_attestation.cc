// Yubico's attestation: a certificate, signed with the card's key F9, that a key was generated on this card.
#include <string>

#include "card/certificate.h"
#include "card/piv_applet.h"
#include "card/piv_attestation.h"

namespace cardea::vcard {

namespace {

constexpr Byte attestation_slot = 0xF9;
constexpr std::uint32_t attestation_object = 0x5FFF01;
constexpr std::uint32_t certificate_tag = 0x70;

// Yubico's arc 1.3.6.1.4.1.41482.3, then: 3 firmware version, 7 serial number, 8 policies, 9 form factor.
Bytes yubico_extension(Byte last) {
  return {0x2B, 0x06, 0x01, 0x04, 0x01, 0x82, 0xC4, 0x0A, 0x03, last};
}

Bytes serial_integer(std::uint32_t serial) {
  Bytes number = {0, static_cast<Byte>(serial >> 24), static_cast<Byte>(serial >> 16), static_cast<Byte>(serial >> 8),
                  static_cast<Byte>(serial)};
  while (number.size() > 1 && number[0] == 0 && number[1] < 0x80) number.erase(number.begin());
  return make_tlv(0x02, number);
}

std::vector<CertificateExtension> extensions(const PivState& state, const PivKey& entry) {
  constexpr Byte no_form_factor = 0;
  return {basic_constraints(false),
          {yubico_extension(3), false, to_bytes(piv::firmware)},
          {yubico_extension(7), false, serial_integer(state.serial)},
          {yubico_extension(8), false, {static_cast<Byte>(entry.pin_policy), static_cast<Byte>(entry.touch_policy)}},
          {yubico_extension(9), false, {no_form_factor}}};
}

}  // namespace

Status add_attestation_key(PivState& state) {
  CARDEA_ASSIGN(CardKey key, CardKey::generate(KeyType::p256));
  const Bytes name = common_name("Cardea virtual PIV attestation");
  CARDEA_ASSIGN(const Bytes certificate,
                issue_certificate(key, name, name, key.public_key_der(), {basic_constraints(true)}));
  constexpr Byte uncompressed[] = {0x00};
  Bytes object = make_tlv(certificate_tag, certificate);
  append_tlv(object, 0x71, uncompressed);
  append_tlv(object, 0xFE, {});
  state.objects[attestation_object] = std::move(object);
  state.keys.insert_or_assign(attestation_slot,
                              PivKey{std::move(key), PinPolicy::never, TouchPolicy::never, KeyOrigin::generated});
  return {};
}

// P1 names the key; only keys made on the card are vouched for.
Response PivApplet::attest(const Command& command) {
  if (command.p2 != 0x00 || command.p1 == attestation_slot || !piv::is_key_slot(command.p1, true)) {
    return sw::wrong_p1_p2;
  }
  const auto entry = state_.keys.find(command.p1);
  const auto issuer = state_.keys.find(attestation_slot);
  const auto object = state_.objects.find(attestation_object);
  if (entry == state_.keys.end() || issuer == state_.keys.end() || object == state_.objects.end()) {
    return sw::reference_not_found;
  }
  if (entry->second.origin != KeyOrigin::generated) return sw::wrong_data;
  const auto certificate = find_tlv(object->second, certificate_tag);
  const auto issuer_name = certificate ? certificate_subject(*certificate) : Result<Bytes>(Code::data_invalid);
  if (!issuer_name) return sw::wrong_data;
  const Byte slot[] = {command.p1};
  const Bytes subject = common_name("Cardea virtual PIV attestation " + to_hex(slot));
  auto attested = issue_certificate(issuer->second.key, *issuer_name, subject, entry->second.key.public_key_der(),
                                    extensions(state_, entry->second));
  if (!attested) return sw::unknown_failure;
  return std::move(*attested);
}

}  // namespace cardea::vcard
