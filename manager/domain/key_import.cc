#include "domain/key_import.h"

#include <fmt/format.h>

#include <algorithm>

#include "crypto/asymmetric_key.h"
#include "crypto/certificate.h"
#include "crypto/digest.h"
#include "crypto/key_encoding.h"
#include "crypto/pkcs12.h"
#include "domain/archive.h"
#include "domain/audit_log.h"
#include "domain/certificates.h"
#include "x509/certificate_view.h"

namespace cardea::manager {

namespace {

// Bits of KeyUsage (RFC 5280, 4.2.1.3), the first of a BIT STRING being the highest of its first byte.
constexpr Byte decrypts = 0x20 | 0x10 | 0x08;  // keyEncipherment, dataEncipherment, keyAgreement
constexpr Byte key_usage_oid[] = {0x06, 0x03, 0x55, 0x1D, 0x0F};
constexpr Byte basic_constraints_oid[] = {0x06, 0x03, 0x55, 0x1D, 0x13};

// What was read of the file, checked as far as that needs nobody else.
struct Identity {
  FreshKey key;
  Bytes certificate;
  CertificateFacts facts;
};

Error in_file(std::string_view sentence) {
  return error(Code::arguments_bad, fmt::format("/pkcs12: {}", sentence));
}

// The same key may be written down in several ways; ours is the one that tokens and other rows are compared by.
Result<Bytes> plain_spki(ByteView spki) {
  CARDEA_ASSIGN(const crypto::AsymmetricKeyPtr key, crypto::from_subject_public_key_info(spki));
  return crypto::subject_public_key_info(*key);
}

Result<FreshKey> plain_key(const SecretBytes& private_key_info) {
  auto key = crypto::from_private_key_info(private_key_info.view());
  if (!key) return in_file("the private key in it is damaged, or of a kind that no token here holds");
  const crypto::KeyFamily family = (*key)->facts().family;
  if (family != crypto::KeyFamily::rsa && family != crypto::KeyFamily::ec)
    return in_file(fmt::format("it holds a key of the kind {}, and the archive is for decryption keys: RSA or ECDH",
                               (*key)->facts().name));
  FreshKey plain;
  CARDEA_ASSIGN(plain.pkcs8, crypto::private_key_info(**key));
  CARDEA_ASSIGN(plain.spki, crypto::subject_public_key_info(**key));
  return plain;
}

Result<Bytes> certificate_of(const std::vector<Bytes>& certificates, const Bytes& spki) {
  for (const Bytes& der : certificates) {
    const auto parts = crypto::certificate_parts(der);
    if (!parts) continue;
    const auto plain = plain_spki(parts->key_info);
    if (plain && *plain == spki) return der;
  }
  return in_file(certificates.empty() ? "it holds no certificate" : "no certificate in it belongs to its private key");
}

// A certificate that says nothing of what its key is for lets it be used for anything (RFC 5280, 4.2.1.3).
Status check_purpose(ByteView certificate) {
  const auto view = x509::view_certificate(certificate);
  if (!view) return in_file("its certificate is damaged, or not of version 3");
  if (const auto* basic = x509::find_extension(view->extensions, basic_constraints_oid)) {
    crypto::DerReader outer(basic->value);
    crypto::DerReader inner(outer.take(crypto::der_sequence).value_or(ByteView()));
    // What is malformed may be an authority to others; absent means that it is none (RFC 5280, 4.2.1.9).
    const auto authority = inner.next_tag() == x509::tag_boolean ? x509::take_boolean(inner) : std::optional(false);
    if (!outer.at_end() || !authority) return in_file("its certificate's basic constraints are malformed");
    if (*authority) return in_file("its certificate is a certification authority's");
  }
  const auto* usage = x509::find_extension(view->extensions, key_usage_oid);
  if (usage == nullptr) return {};
  crypto::DerReader outer(usage->value);
  // The first byte says how many bits of the last are not used.
  const ByteView bits = outer.take(x509::tag_bit_string).value_or(ByteView());
  if (bits.size() >= 2 && (bits[1] & decrypts) != 0) return {};
  return in_file(
      "its certificate's key usage is for signatures only: the archive is for decryption keys, since a copy of any "
      "other lets somebody sign as its person");
}

Result<Identity> read_identity(const KeyImport& wanted) {
  auto contents = crypto::read_pkcs12(wanted.pkcs12.view(), wanted.password);
  if (!contents && contents.code() == Code::encrypted_data_invalid)
    return error(Code::arguments_bad, "/password: " + contents.error().detail);
  if (!contents && (contents.code() == Code::data_invalid || contents.code() == Code::mechanism_invalid))
    return in_file(contents.error().detail);
  if (!contents) return std::move(contents).error();
  Identity identity;
  CARDEA_ASSIGN(identity.key, plain_key(contents->private_key_info));
  CARDEA_ASSIGN(identity.certificate, certificate_of(contents->certificates, identity.key.spki));
  CARDEA_TRY(check_purpose(identity.certificate));
  auto facts = certificate_facts(identity.certificate);
  if (!facts) return in_file(facts.error().detail);
  identity.facts = std::move(*facts);
  return identity;
}

Status check_place(Transaction& store, const Actor& actor, const KeyImport& wanted) {
  auto person = store.person(wanted.person);
  if (!person && person.code() == Code::not_found)
    return error(Code::arguments_bad, "/person: there is no such person");
  if (!person) return std::move(person).error();
  CARDEA_TRY(require(actor, Right::archive_import, *person));
  if (wanted.policy.empty()) return {};
  const auto policy = store.policy_by_name(wanted.policy);
  if (!policy && policy.code() == Code::not_found)
    return error(Code::arguments_bad, fmt::format("/policy: there is no certificate policy '{}'", wanted.policy));
  return policy ? Status() : policy.error();
}

Status check_new(Transaction& store, const Identity& identity, ByteView public_key_hash) {
  Filter filter;
  filter.text = identity.facts.serial;
  filter.limit = 1000;
  do {
    CARDEA_ASSIGN(const auto page, store.certificates(filter));
    for (const Certificate& one : page.items)
      if (one.der == identity.certificate)
        return error(Code::exists, fmt::format("certificate {} is this very one: it is here already", one.id));
    filter.cursor = page.cursor;
  } while (!filter.cursor.empty());
  CARDEA_ASSIGN(const auto archived, store.archived_key_by_public_key(public_key_hash));
  if (!archived) return {};
  return error(Code::exists, fmt::format("the archive has this key already, as number {}", archived->id));
}

Certificate certificate_row(const Identity& identity, const ArchivedKey& key, Time now) {
  Certificate row;
  row.policy = key.policy;
  row.serial = identity.facts.serial;
  row.subject = identity.facts.subject;
  row.issuer = identity.facts.issuer;
  row.person = key.person;
  row.der = identity.certificate;
  row.public_key_hash = key.public_key_hash;
  row.not_before = identity.facts.not_before;
  row.not_after = identity.facts.not_after;
  row.created = row.updated = now;
  // Nobody here was asked for it, so it begins where those that were issued here end up.
  row.state = identity.facts.not_after > now ? CertificateState::active : CertificateState::expired;
  return row;
}

}  // namespace

Result<ImportedKey> import_key(const Ports& ports, const Actor& actor, const KeyImport& wanted) {
  CARDEA_TRY(require(actor, Right::archive_import));
  CARDEA_TRY(ports.store.read([&](Transaction& store) { return check_place(store, actor, wanted); }));
  CARDEA_ASSIGN(const Identity identity, read_identity(wanted));
  const Time now = ports.clock.now();
  // The order of a person's keys is that of the times in which others encrypted to them.
  const Time used_since = std::min(now, identity.facts.not_before);
  ImportedKey imported;
  CARDEA_ASSIGN(const ArchivedKey sealed,
                seal_for_archive(ports.keys, wanted.person, wanted.policy, identity.key, used_since));
  CARDEA_TRY(ports.store.transact([&](Transaction& store) -> Status {
    CARDEA_TRY(check_place(store, actor, wanted));
    CARDEA_TRY(check_new(store, identity, sealed.public_key_hash));
    imported.key = sealed;
    imported.certificate = certificate_row(identity, sealed, now);
    CARDEA_ASSIGN(imported.certificate.id, store.insert(imported.certificate));
    imported.key.certificate = imported.certificate.id;
    CARDEA_ASSIGN(imported.key.id, store.insert(imported.key));
    CARDEA_ASSIGN(Certificate certificate, store.certificate(imported.certificate.id));
    certificate.archived_key = imported.key.id;
    CARDEA_TRY(store.update(certificate));
    CARDEA_ASSIGN(imported.certificate, store.certificate(certificate.id));
    return audit(store, actor, now, AuditAction::key_imported, fmt::format("archived_key:{}", imported.key.id),
                 {{"person", wanted.person},
                  {"certificate", certificate.id},
                  {"issuer", certificate.issuer},
                  {"serial", certificate.serial}});
  }));
  return imported;
}

}  // namespace cardea::manager
