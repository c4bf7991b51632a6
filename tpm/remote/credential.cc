// TPM2_MakeCredential without a TPM (TPM 2.0 Library, part 1, 24.4).
#include <array>

#include "crypto/digest.h"
#include "crypto/mac.h"
#include "crypto/random.h"
#include "tpm_remote/attestation.h"
#include "tpm_remote/derivation.h"

namespace cardea::tpm {
namespace {

constexpr std::size_t cipher_key_size = 16;       // bytes: endorsement keys of the low range use AES-128
constexpr std::size_t longest_secret = 32;        // bytes: a digest of the endorsement key's name algorithm
constexpr std::array<Byte, 16> no_iv{};           // each key is used once
constexpr std::uint32_t file_magic = 0xbadcc0de;  // of tpm2-tools
constexpr std::uint32_t file_version = 1;

Status check_endorsement_key(const PublicArea& area) {
  if (area.has(attribute::restricted | attribute::decrypt) && area.name_algorithm == number::sha256 &&
      area.cipher == number::aes && area.cipher_bits == cipher_key_size * 8 && area.cipher_mode == number::cfb) {
    return {};
  }
  return error(Code::data_invalid, "the key takes no credentials, or uses other algorithms than SHA-256 and AES-128");
}

struct Names {
  Bytes endorsement_key;
  Bytes attestation_key;
};

Result<Names> names_of(const AttestationStatement& statement) {
  CARDEA_ASSIGN(const PublicArea endorsement_key, parse_public_area(statement.endorsement_key));
  CARDEA_ASSIGN(const PublicArea attestation_key, parse_public_area(statement.attestation_key));
  Names names;
  CARDEA_ASSIGN(names.endorsement_key, object_name(endorsement_key.name_algorithm, endorsement_key.area));
  CARDEA_ASSIGN(names.attestation_key, object_name(attestation_key.name_algorithm, attestation_key.area));
  return names;
}

}  // namespace

Result<MadeChallenge> make_challenge(const AttestationStatement& statement) {
  CARDEA_TRY(verify_attestation(statement, {}, {}));
  CARDEA_ASSIGN(Names names, names_of(statement));
  SecretBytes secret(longest_secret);
  CARDEA_TRY(crypto::random_bytes(secret.mutable_view()));
  MadeChallenge made;
  CARDEA_ASSIGN(made.credential, make_credential(statement.endorsement_key, names.attestation_key, secret.view()));
  CARDEA_ASSIGN(Bytes digest, crypto::digest(Hash::sha256, secret.view()));
  made.kept = {std::move(names.endorsement_key), std::move(names.attestation_key), std::move(digest)};
  return made;
}

Status check_answer(const AttestationStatement& statement, const KeptChallenge& kept, ByteView answer) {
  CARDEA_ASSIGN(const Names names, names_of(statement));
  if (names.endorsement_key != kept.endorsement_key_name || names.attestation_key != kept.attestation_key_name) {
    return error(Code::signature_invalid, "the challenge was for other keys than the statement's");
  }
  CARDEA_ASSIGN(const Bytes digest, crypto::digest(Hash::sha256, answer));
  if (digest == kept.answer_digest) return {};
  return error(Code::signature_invalid, "the answer to the challenge is wrong");
}

Result<Credential> make_credential(ByteView endorsement_key, ByteView attestation_key_name, ByteView secret) {
  if (secret.empty() || secret.size() > longest_secret) return Code::data_length;
  CARDEA_ASSIGN(const PublicArea area, parse_public_area(endorsement_key));
  CARDEA_TRY(check_endorsement_key(area));
  CARDEA_ASSIGN(SharedSecret seed, share_secret(*area.key, "IDENTITY"));
  CARDEA_ASSIGN(const SecretBytes cipher_key,
                kdf_a(seed.secret.view(), "STORAGE", attestation_key_name, {}, cipher_key_size));
  CARDEA_ASSIGN(const SecretBytes mac_key, kdf_a(seed.secret.view(), "INTEGRITY", {}, {}, 32));
  SecretBytes identity = SecretWriter(2 + secret.size()).put_sized(secret).take();
  CARDEA_TRY(cfb(crypto::Direction::encrypt, cipher_key.view(), no_iv, identity.mutable_view()));
  Bytes named = to_bytes(identity.view());
  named.insert(named.end(), attestation_key_name.begin(), attestation_key_name.end());
  CARDEA_ASSIGN(const SecretBytes mac, crypto::hmac(Hash::sha256, mac_key.view(), named));
  Credential credential;
  append_sized(credential.id_object, mac.view());
  credential.id_object.insert(credential.id_object.end(), identity.view().begin(), identity.view().end());
  credential.encrypted_secret = std::move(seed.encrypted);
  return credential;
}

Bytes credential_file(const Credential& credential) {
  Bytes file;
  append_number(file, file_magic, 4);
  append_number(file, file_version, 4);
  append_sized(file, credential.id_object);
  append_sized(file, credential.encrypted_secret);
  return file;
}

Result<Credential> parse_credential_file(ByteView bytes) {
  StructureReader reader(bytes);
  const bool known = reader.read_32() == file_magic && reader.read_32() == file_version;
  Credential credential;
  credential.id_object = to_bytes(reader.take_sized());
  credential.encrypted_secret = to_bytes(reader.take_sized());
  if (!known || !reader.done()) return error(Code::data_invalid, "this is no credential");
  return credential;
}

}  // namespace cardea::tpm
