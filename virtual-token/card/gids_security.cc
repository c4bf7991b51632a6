// MANAGE SECURITY ENVIRONMENT and PERFORM SECURITY OPERATION (GIDS 2.0; ISO/IEC 7816-8, 11).
#include "card/digest_info.h"
#include "card/gids_applet.h"

namespace cardea::vcard {

namespace {

constexpr Byte authentication = 0xA4;
constexpr Byte signature = 0xB6;
constexpr Byte confidentiality = 0xB8;
constexpr Byte triple_des = 0x02;
constexpr Byte padding_mask = 0xF0;

// Whether the key file has a control reference template of that purpose for that algorithm.
bool allows(const GidsFile& file, Byte purpose, Byte algorithm) {
  const auto templates = find_tlv(file.control_parameters, {0x62, 0xA5});
  if (!templates) return false;
  TlvReader reader(*templates);
  while (const auto use = reader.next()) {
    const auto known = use->tag == purpose ? find_tlv(use->value, 0x80) : std::nullopt;
    if (known && known->size() == 1 && known->front() == algorithm) return true;
  }
  return false;
}

std::optional<Byte> one_byte(ByteView data, std::uint32_t tag) {
  const auto value = find_tlv(data, tag);
  if (!value || value->size() != 1) return std::nullopt;
  return value->front();
}

// r and s as numbers of the field's length, one after the other.
Result<Bytes> plain_signature(ByteView der, std::size_t size) {
  const auto numbers = find_tlv(der, 0x30);
  if (!numbers) return Code::device_error;
  Bytes out;
  TlvReader reader(*numbers);
  while (const auto number = reader.next()) {
    ByteView value = number->value;
    while (value.size() > size) value = value.subspan(1);
    out.insert(out.end(), size - value.size(), 0);
    out.insert(out.end(), value.begin(), value.end());
  }
  return out;
}

Response answer(Result<Bytes> result) {
  if (result) return std::move(*result);
  return result.code() == Code::data_length ? sw::wrong_length : sw::wrong_data;
}

}  // namespace

Response GidsApplet::manage_security_environment(const Command& command) {
  constexpr Byte restore = 0xF3;
  if (command.p1 == restore) {
    security_.environment.reset();
    return sw::ok;
  }
  if (!is_tlv_sequence(command.data)) return sw::data_invalid;
  constexpr Byte external = 0x81;
  constexpr Byte external_and_internal = 0xC1;
  if (command.p1 != external && command.p1 != external_and_internal) return set_environment(command);
  const auto reference = one_byte(command.data, 0x83);
  const GidsFile* file = reference ? key_file(*reference) : nullptr;
  if (!file || command.p2 != authentication || !allows(*file, authentication, triple_des)) return sw::data_invalid;
  if (const StatusWord refused = check_file(*file, Access::use_key); refused != sw::ok) return refused;
  security_.admin_key = *reference;
  return sw::ok;
}

Response GidsApplet::set_environment(const Command& command) {
  constexpr Byte computation = 0x41;
  if (command.p1 != computation) return sw::function_not_supported;
  if (command.p2 != signature && command.p2 != confidentiality) return sw::wrong_p1_p2;
  const auto algorithm = one_byte(command.data, 0x80);
  const auto reference = one_byte(command.data, 0x84);
  const GidsFile* file = reference ? key_file(*reference) : nullptr;
  if (!algorithm || !file || !allows(*file, command.p2, *algorithm)) return sw::data_invalid;
  if (const StatusWord refused = check_file(*file, Access::use_key); refused != sw::ok) return refused;
  security_.environment = Environment{*reference, *algorithm, command.p2};
  return sw::ok;
}

Response GidsApplet::perform_security_operation(const Command& command) {
  constexpr std::uint16_t compute_signature = 0x9E9A;
  constexpr std::uint16_t decipher_cryptogram = 0x8086;
  const bool signs = command.p1p2() == compute_signature;
  if (!signs && command.p1p2() != decipher_cryptogram) return sw::wrong_p1_p2;
  const auto& environment = security_.environment;
  if (!environment || environment->purpose != (signs ? signature : confidentiality))
    return sw::conditions_not_satisfied;
  const GidsFile* file = key_file(environment->key);
  if (!file || !file->key) return sw::conditions_not_satisfied;
  // Asked again: the user may have logged out since the environment was set.
  if (const StatusWord refused = check_file(*file, Access::use_key); refused != sw::ok) return refused;
  const CardKey& key = *file->key;
  if (gids::key_type(environment->algorithm) != key.type()) return sw::conditions_not_satisfied;
  return signs ? sign(key, environment->algorithm, command.data) : decipher(key, environment->algorithm, command.data);
}

// Padding by the high half of the algorithm (table 28): 1 none, 5 PKCS#1 around what the host sends.
Response GidsApplet::sign(const CardKey& key, Byte algorithm, ByteView input) {
  if (!is_rsa(key.type())) {
    if (input.empty() || input.size() > hash_size(HashType::sha512)) return sw::wrong_length;
    const auto der = key.sign_digest(input);
    return der ? answer(plain_signature(*der, field_size(key.type()))) : Response(sw::wrong_data);
  }
  switch (algorithm & padding_mask) {
    case 0x10:
      return answer(key.raw_rsa(input));
    case 0x50:
      break;
    default:
      return sw::function_not_supported;
  }
  const auto block = pkcs1_signature_block(input, field_size(key.type()));
  return block ? answer(key.raw_rsa(*block)) : Response(sw::wrong_length);
}

// Padding by the high half of the algorithm (table 27): 0 none, 4 PKCS#1, 8 OAEP with SHA-1.
Response GidsApplet::decipher(const CardKey& key, Byte algorithm, ByteView cryptogram) {
  if (!is_rsa(key.type())) return sw::function_not_supported;
  switch (algorithm & padding_mask) {
    case 0x00:
      return answer(key.raw_rsa(cryptogram));
    case 0x40: {
      const auto block = key.raw_rsa(cryptogram);
      return block ? answer(pkcs1_encryption_content(*block)) : answer(block);
    }
    case 0x80:
      return answer(key.decrypt_oaep(cryptogram));
    default:
      return sw::function_not_supported;
  }
}

}  // namespace cardea::vcard
