#include "piv/security_object.h"

#include <map>

#include "base/tlv.h"
#include "crypto/cms.h"
#include "crypto/digest.h"
#include "crypto/key_der.h"
#include "piv/chuid.h"

namespace cardea::card::piv {
namespace {

using crypto::DerReader;

constexpr std::uint32_t tag_mapping = 0xba;
constexpr std::uint32_t tag_signed_data = 0xbb;
constexpr std::size_t mapping_entry = 3;  // data group number, container id
constexpr std::size_t most_groups = 16;   // Doc 9303 numbers data groups from 1 to 16

Error malformed(const char* detail) {
  return error(Code::data_invalid, detail);
}

Result<std::map<Byte, std::uint16_t>> read_mapping(ByteView mapping) {
  if (mapping.size() % mapping_entry != 0 || mapping.size() / mapping_entry > most_groups) {
    return malformed("the security object's list of containers has a wrong length");
  }
  std::map<Byte, std::uint16_t> containers;
  for (; !mapping.empty(); mapping = mapping.subspan(mapping_entry)) {
    const auto container = static_cast<std::uint16_t>(mapping[1] << 8 | mapping[2]);
    if (!containers.emplace(mapping[0], container).second) {
      return malformed("the security object names a data group twice");
    }
  }
  return containers;
}

// The hash that an AlgorithmIdentifier's content names.
Result<Hash> read_hash(ByteView algorithm) {
  const auto oid = DerReader(algorithm).take(crypto::der_oid);
  if (!oid) return malformed("the security object names no hash");
  constexpr std::string_view sha1("\x2b\x0e\x03\x02\x1a", 5);
  constexpr std::string_view nist_arc("\x60\x86\x48\x01\x65\x03\x04\x02", 8);
  const std::string_view name = text_of(*oid);
  if (name == sha1) return Hash::sha1;
  if (name.size() == nist_arc.size() + 1 && name.starts_with(nist_arc)) {
    for (const Hash hash : {Hash::sha224, Hash::sha256, Hash::sha384, Hash::sha512}) {
      if (crypto::hash_nist_arc(hash) == static_cast<Byte>(name.back())) return hash;
    }
  }
  return error(Code::mechanism_invalid, "the security object uses an unknown hash");
}

Status read_hashes(SecurityObject& object, ByteView encoded, const std::map<Byte, std::uint16_t>& containers) {
  DerReader outer(encoded);
  const auto content = outer.take(crypto::der_sequence);
  if (!content || !outer.at_end()) return malformed("the security object's hashes are damaged");
  DerReader fields(*content);
  const bool has_version = fields.take(crypto::der_integer_tag).has_value();
  const auto algorithm = fields.take(crypto::der_sequence);
  const auto list = fields.take(crypto::der_sequence);
  if (!has_version || !algorithm || !list) return malformed("the security object's hashes are damaged");
  CARDEA_ASSIGN(object.hash, read_hash(*algorithm));
  for (DerReader entries(*list); !entries.at_end();) {
    const auto entry = entries.take(crypto::der_sequence);
    if (!entry) return malformed("the security object's hashes are damaged");
    DerReader parts(*entry);
    const auto group = parts.take_unsigned();
    const auto digest = parts.take(crypto::der_octet_string);
    if (!group || group->size() != 1 || !digest || !parts.at_end()) {
      return malformed("the security object's hashes are damaged");
    }
    const auto container = containers.find((*group)[0]);
    if (container == containers.end()) return malformed("the security object hashes an object that it does not name");
    if (digest->size() != crypto::hash_size(object.hash))
      return malformed("a hash in the security object has a wrong length");
    object.entries.push_back({container->second, to_bytes(*digest)});
    if (object.entries.size() > most_groups) return malformed("the security object has too many hashes");
  }
  return {};
}

}  // namespace

Result<SecurityObject> parse_security_object(ByteView content) {
  CARDEA_ASSIGN(const ByteView mapping, require_tlv(content, tag_mapping));
  CARDEA_ASSIGN(const ByteView message, require_tlv(content, tag_signed_data));
  CARDEA_ASSIGN(const auto containers, read_mapping(mapping));
  CARDEA_ASSIGN(const crypto::SignedData inside, crypto::read_signed_data(message));
  SecurityObject object;
  object.signature = to_bytes(message);
  CARDEA_TRY(read_hashes(object, inside.content, containers));
  return object;
}

Status verify_security_object(const SecurityObject& object, ByteView issuer, const std::vector<Bytes>& others) {
  return crypto::verify_signed_data(object.signature, {}, issuer, content_signing, others);
}

Status check_digest(const SecurityObject& object, const SecurityObject::Entry& entry, ByteView content) {
  CARDEA_ASSIGN(const Bytes digest, crypto::digest(object.hash, content));
  if (!same_bytes(digest, entry.digest)) return error(Code::signature_invalid, "the content is not what was signed");
  return {};
}

}  // namespace cardea::card::piv
