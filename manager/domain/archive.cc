#include "domain/archive.h"

#include <fmt/format.h>

#include <algorithm>
#include <charconv>

#include "crypto/aead.h"
#include "crypto/asymmetric_key.h"
#include "crypto/digest.h"
#include "crypto/key_der.h"
#include "crypto/key_encoding.h"
#include "crypto/random.h"
#include "domain/audit_log.h"
#include "domain/key_proof.h"
#include "x509/request.h"

namespace cardea::manager {

namespace {

// What both the data key and the sealed key are bound to: a row whose person, policy or public key was exchanged does
// not open.
Bytes binding(Id person, std::string_view policy, ByteView spki) {
  std::string text = fmt::format("cardea archived key 1\n{}\n{}\n{}\n", person, policy.size(), policy);
  Bytes out = to_bytes(view_of(text));
  out.insert(out.end(), spki.begin(), spki.end());
  return out;
}

Result<crypto::AsymmetricKeyPtr> generate(std::string_view algorithm) {
  constexpr Byte exponent[] = {1, 0, 1};
  if (algorithm == "rsa:2048") return crypto::AsymmetricKey::generate_rsa(2048, exponent);
  if (algorithm == "rsa:3072") return crypto::AsymmetricKey::generate_rsa(3072, exponent);
  if (algorithm == "rsa:4096") return crypto::AsymmetricKey::generate_rsa(4096, exponent);
  if (algorithm == "ec:P-256") return crypto::AsymmetricKey::generate(crypto::KeyAlgorithm::p256);
  if (algorithm == "ec:P-384") return crypto::AsymmetricKey::generate(crypto::KeyAlgorithm::p384);
  if (algorithm == "ec:P-521") return crypto::AsymmetricKey::generate(crypto::KeyAlgorithm::p521);
  return error(Code::arguments_bad, fmt::format("no decryption key is generated for '{}'", algorithm));
}

}  // namespace

Result<FreshKey> generate_decryption_key(std::string_view algorithm) {
  CARDEA_ASSIGN(const crypto::AsymmetricKeyPtr key, generate(algorithm));
  FreshKey fresh;
  CARDEA_ASSIGN(fresh.pkcs8, crypto::private_key_info(*key));
  CARDEA_ASSIGN(fresh.spki, crypto::subject_public_key_info(*key));
  return fresh;
}

Result<Bytes> request_for_key(const SecretBytes& pkcs8) {
  CARDEA_ASSIGN(const crypto::AsymmetricKeyPtr key, crypto::from_private_key_info(pkcs8.view()));
  CARDEA_ASSIGN(const Bytes spki, crypto::subject_public_key_info(*key));
  const bool rsa = key->facts().family == crypto::KeyFamily::rsa;
  const auto sign = [&](ByteView message) -> Result<Bytes> {
    CARDEA_ASSIGN(const Bytes digest, crypto::digest(Hash::sha256, message));
    Bytes out(key->output_size());
    if (rsa) {
      CARDEA_ASSIGN(const std::size_t size, key->sign_pkcs1(digest_info_of(Hash::sha256, digest), out));
      out.resize(size);
      return out;
    }
    CARDEA_ASSIGN(const std::size_t size, key->ecdsa_sign(digest, out));
    const ByteView flat = ByteView(out).first(size);
    const Bytes r = crypto::der_integer<Bytes>(flat.first(size / 2));
    const Bytes s = crypto::der_integer<Bytes>(flat.last(size / 2));
    return crypto::der<Bytes>(crypto::der_sequence, {r, s});
  };
  // A request names somebody; authorities are told whom apart from it.
  x509::RequestSpec spec;
  spec.subject = "CN=archived decryption key";
  return x509::make_request(spec, spki, rsa ? x509::Scheme::rsa_pkcs1 : x509::Scheme::ecdsa, Hash::sha256, sign);
}

Result<ArchivedKey> seal_for_archive(KeyToken& keys, Id person, std::string_view policy, const FreshKey& key,
                                     Time now) {
  ArchivedKey row;
  row.person = person;
  row.policy = policy;
  row.public_key = key.spki;
  row.archive_key = manager_key::archive;
  row.created = now;
  CARDEA_ASSIGN(row.public_key_hash, crypto::digest(Hash::sha256, key.spki));
  const Bytes bound = binding(person, policy, key.spki);
  SecretBytes data_key(crypto::aead_key_size);
  CARDEA_TRY(crypto::random_bytes(data_key.mutable_view()));
  // A data key seals one thing, so its nonce could be fixed; a random one costs nothing and needs no such argument.
  Bytes nonce(crypto::aead_nonce_size);
  CARDEA_TRY(crypto::random_bytes(nonce));
  CARDEA_ASSIGN(const Bytes sealed, crypto::aead_seal(data_key.view(), nonce, bound, key.pkcs8.view()));
  CARDEA_ASSIGN(row.wrapped_data_key, keys.wrap(row.archive_key, data_key, bound));
  row.sealed_key = nonce;
  row.sealed_key.insert(row.sealed_key.end(), sealed.begin(), sealed.end());
  return row;
}

Result<SecretBytes> open_archived_key(KeyToken& keys, const ArchivedKey& key) {
  if (key.sealed_key.size() <= crypto::aead_nonce_size)
    return error(Code::encrypted_data_invalid, fmt::format("the archived key {} is damaged", key.id));
  const Bytes bound = binding(key.person, key.policy, key.public_key);
  auto data_key = keys.unwrap(key.archive_key, key.wrapped_data_key, bound);
  if (!data_key) return std::move(data_key).error();
  const ByteView sealed(key.sealed_key);
  auto pkcs8 = crypto::aead_open(data_key->view(), sealed.first(crypto::aead_nonce_size), bound,
                                 sealed.subspan(crypto::aead_nonce_size));
  if (!pkcs8) return error(Code::encrypted_data_invalid, fmt::format("the archived key {} was changed", key.id));
  return std::move(*pkcs8);
}

Status record_key_read(Transaction& store, const ArchivedKey& key, const Actor& actor, Time now, std::string_view why) {
  return audit(store, actor, now, AuditAction::key_read, fmt::format("archived_key:{}", key.id),
               {{"person", key.person}, {"why", std::string(why)}});
}

Result<KeyStorage> recovery_storage(Transaction& store, const ArchivedKey& key) {
  if (key.policy.empty()) return KeyStorage::both;
  CARDEA_ASSIGN(const CertificatePolicy policy, store.policy_by_name(key.policy));
  CARDEA_ASSIGN(const PolicyRules rules, read_policy(policy.document));
  return rules.recovery_storage;
}

Result<std::vector<ArchivedKey>> key_history(Transaction& store, Id person, std::size_t depth) {
  Filter filter;
  filter.person = person;
  filter.limit = 1000;
  std::vector<ArchivedKey> keys;
  do {
    CARDEA_ASSIGN(auto page, store.archived_keys(filter));
    std::move(page.items.begin(), page.items.end(), std::back_inserter(keys));
    filter.cursor = page.cursor;
  } while (!filter.cursor.empty());
  // Keys made by jobs that were taken back have no certificate; nothing can have been encrypted to them.
  std::erase_if(keys, [](const ArchivedKey& key) { return !key.certificate; });
  std::sort(keys.begin(), keys.end(), [](const ArchivedKey& a, const ArchivedKey& b) {
    return a.created != b.created ? a.created > b.created : a.id > b.id;
  });
  if (keys.size() > depth) keys.resize(depth);
  return keys;
}

}  // namespace cardea::manager
