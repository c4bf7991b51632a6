#include "cards/card_objects.h"

#include "crypto/certificate.h"
#include "crypto/digest.h"
#include "crypto/key_encoding.h"
#include "token/key_attributes.h"
#include "token/object_rules.h"

namespace cardea::card {
namespace {

/// CKA_UNIQUE_ID: the same for the same object of the same card wherever and whenever it is seen, in the form of a
/// UUID whose bytes are a digest (RFC 9562, 5.8).
std::string unique_id(const CardContents& card, Part part, std::uint32_t reference) {
  Bytes name = card.description.identity;
  name.push_back(static_cast<Byte>(part));
  for (int shift = 24; shift >= 0; shift -= 8) name.push_back(static_cast<Byte>(reference >> shift));
  Result<Bytes> digest = crypto::digest(Hash::sha256, name);
  if (!digest) return {};
  Bytes& uuid = *digest;
  uuid.resize(16);
  uuid[6] = static_cast<Byte>((uuid[6] & 0x0f) | 0x80);
  uuid[8] = static_cast<Byte>((uuid[8] & 0x3f) | 0x80);
  std::string text = to_hex(uuid);
  for (const std::size_t dash : {8U, 13U, 18U, 23U}) text.insert(dash, 1, '-');
  return text;
}

AttributeSet common(const CardContents& card, CK_OBJECT_CLASS object_class, Part part, std::uint32_t reference) {
  AttributeSet attributes;
  attributes.set_ulong(CKA_CLASS, object_class);
  attributes.set_bool(CKA_TOKEN, true);
  attributes.set_bool(CKA_PRIVATE, false);
  // Labels and ids follow from the place on the card; there is nothing that could be changed and kept.
  attributes.set_bool(CKA_MODIFIABLE, false);
  attributes.set_bool(CKA_COPYABLE, false);
  attributes.set_bool(CKA_DESTROYABLE, card.writable);
  attributes.set_text(CKA_UNIQUE_ID, unique_id(card, part, reference));
  return attributes;
}

AttributeSet common(const CardContents& card, CK_OBJECT_CLASS object_class, Part part, const Container& container) {
  AttributeSet attributes = common(card, object_class, part, container.place.index);
  attributes.set_text(CKA_LABEL, container.place.label);
  attributes.set(CKA_ID, container.place.id);
  return attributes;
}

CK_MECHANISM_TYPE generation_mechanism(CK_KEY_TYPE type) {
  switch (type) {
    case CKK_RSA:
      return CKM_RSA_PKCS_KEY_PAIR_GEN;
    case CKK_EC:
      return CKM_EC_KEY_PAIR_GEN;
    case CKK_EC_EDWARDS:
      return CKM_EC_EDWARDS_KEY_PAIR_GEN;
    case CKK_EC_MONTGOMERY:
      return CKM_EC_MONTGOMERY_KEY_PAIR_GEN;
    default:
      return CK_UNAVAILABLE_INFORMATION;
  }
}

/// What both halves of a key have.
Status add_key(const Container& container, AttributeSet& attributes) {
  const Bytes info = key_info_of(container);
  if (info.empty()) return Code::not_found;
  CARDEA_ASSIGN(const crypto::AsymmetricKeyPtr key, crypto::from_subject_public_key_info(info));
  const CK_KEY_TYPE type = key_type_of(key->algorithm());
  attributes.set_ulong(CKA_KEY_TYPE, type);
  CARDEA_TRY(describe_public(*key, attributes));
  attributes.set_bool(CKA_LOCAL, container.local);
  attributes.set_ulong(CKA_KEY_GEN_MECHANISM,
                       container.local ? generation_mechanism(type) : CK_UNAVAILABLE_INFORMATION);
  if (!container.certificate.empty()) {
    if (const auto parts = crypto::certificate_parts(container.certificate)) {
      attributes.set(CKA_SUBJECT, parts->subject);
    }
  }
  return {};
}

Result<AttributeSet> private_key_attributes(const CardContents& card, const Container& container) {
  if (!container.has_key) return Code::not_found;
  AttributeSet attributes = common(card, CKO_PRIVATE_KEY, Part::private_key, container);
  CARDEA_TRY(add_key(container, attributes));
  const bool rsa = attributes.get_ulong(CKA_KEY_TYPE) == CKK_RSA;
  attributes.erase(CKA_MODULUS_BITS);
  attributes.set_bool(CKA_PRIVATE, is_private(container.place));
  attributes.set_bool(CKA_SENSITIVE, true);
  attributes.set_bool(CKA_EXTRACTABLE, false);
  // No card of ours lets a key out, whatever happened to it before it came in.
  attributes.set_bool(CKA_ALWAYS_SENSITIVE, container.local);
  attributes.set_bool(CKA_NEVER_EXTRACTABLE, container.local);
  attributes.set_bool(CKA_ALWAYS_AUTHENTICATE, container.place.pin == PinPolicy::always);
  attributes.set_bool(CKA_SIGN, container.signs);
  attributes.set_bool(CKA_SIGN_RECOVER, container.signs && rsa);
  attributes.set_bool(CKA_DECRYPT, container.decrypts);
  attributes.set_bool(CKA_UNWRAP, container.decrypts);
  attributes.set_bool(CKA_DERIVE, container.derives);
  complete_attributes(attributes);
  return attributes;
}

Result<AttributeSet> public_key_attributes(const CardContents& card, const Container& container) {
  AttributeSet attributes = common(card, CKO_PUBLIC_KEY, Part::public_key, container);
  CARDEA_TRY(add_key(container, attributes));
  const bool rsa = attributes.get_ulong(CKA_KEY_TYPE) == CKK_RSA;
  // It is nothing of its own: it comes and goes with the private key or the certificate.
  attributes.set_bool(CKA_DESTROYABLE, false);
  attributes.set_bool(CKA_VERIFY, container.signs);
  attributes.set_bool(CKA_VERIFY_RECOVER, container.signs && rsa);
  attributes.set_bool(CKA_ENCRYPT, container.decrypts);
  attributes.set_bool(CKA_WRAP, container.decrypts);
  attributes.set_bool(CKA_DERIVE, false);
  complete_attributes(attributes);
  return attributes;
}

Result<AttributeSet> certificate_attributes(const CardContents& card, const Container& container) {
  if (container.certificate.empty()) return Code::not_found;
  CARDEA_ASSIGN(const crypto::CertificateParts parts, crypto::certificate_parts(container.certificate));
  AttributeSet attributes = common(card, CKO_CERTIFICATE, Part::certificate, container);
  attributes.set_ulong(CKA_CERTIFICATE_TYPE, CKC_X_509);
  attributes.set_ulong(CKA_CERTIFICATE_CATEGORY, CK_CERTIFICATE_CATEGORY_TOKEN_USER);
  attributes.set(CKA_VALUE, container.certificate);
  attributes.set(CKA_SUBJECT, parts.subject);
  attributes.set(CKA_ISSUER, parts.issuer);
  attributes.set(CKA_SERIAL_NUMBER, parts.serial);
  attributes.set(CKA_PUBLIC_KEY_INFO, parts.key_info);
  // PKCS#11 3.2, 4.6.2: the first three bytes of the SHA-1 of the value.
  CARDEA_ASSIGN(const Bytes digest, crypto::digest(Hash::sha1, container.certificate));
  attributes.set(CKA_CHECK_VALUE, ByteView(digest).first(3));
  complete_attributes(attributes);
  return attributes;
}

}  // namespace

ObjectId ObjectNumbers::number_of(ObjectOrigin origin) {
  const auto [place, fresh] = numbers_.try_emplace(origin, next_);
  if (fresh) origins_.emplace(next_++, origin);
  return place->second;
}

std::optional<ObjectOrigin> ObjectNumbers::origin_of(ObjectId id) const {
  const auto found = origins_.find(id);
  if (found == origins_.end()) return std::nullopt;
  return found->second;
}

void ObjectNumbers::retire(ObjectOrigin origin) {
  const auto found = numbers_.find(origin);
  if (found == numbers_.end()) return;
  origins_.erase(found->second);
  numbers_.erase(found);
}

Bytes key_info_of(const Container& container) {
  if (!container.public_key.empty() || container.certificate.empty()) return container.public_key;
  const auto parts = crypto::certificate_parts(container.certificate);
  return parts ? to_bytes(parts->key_info) : Bytes{};
}

Result<AttributeSet> attributes_of(const CardContents& card, const Container& container, Part part) {
  switch (part) {
    case Part::private_key:
      return private_key_attributes(card, container);
    case Part::public_key:
      return public_key_attributes(card, container);
    case Part::certificate:
      return certificate_attributes(card, container);
    case Part::file:
      break;
  }
  return Code::not_found;
}

AttributeSet attributes_of(const CardContents& card, const FileEntry& file) {
  AttributeSet attributes = common(card, CKO_DATA, Part::file, file.reference);
  attributes.set_text(CKA_LABEL, file.name);
  attributes.set_text(CKA_APPLICATION, file.application);
  attributes.set(CKA_OBJECT_ID, file.object_id);
  attributes.set_bool(CKA_PRIVATE, file.needs_pin);
  attributes.set_bool(CKA_DESTROYABLE, card.writable && file.writable);
  complete_attributes(attributes);
  attributes.erase(CKA_VALUE);
  return attributes;
}

}  // namespace cardea::card
