// What TpmToken says to the world outside its machine, and takes from it: the TPM's word about a key, the answer to who
// doubts it, and keys that were wrapped elsewhere.
#include "crypto/key_encoding.h"
#include "token/key_attributes.h"
#include "token/object_rules.h"
#include "tpm/tpm_token.h"

namespace cardea::tpm {
namespace {

constexpr std::size_t longest_nonce = 48;  // bytes that every TPM takes (TPM2B_DATA)

/// The halves' attributes as an importing session of the user would make them.
Result<NewObject> wrapped_half(CK_OBJECT_CLASS object_class, const crypto::AsymmetricKey& key, std::string_view label,
                               ByteView id) {
  const bool is_private = object_class == CKO_PRIVATE_KEY;
  AttributeSet wanted;
  if (!is_private) CARDEA_TRY(describe_public(key, wanted));
  wanted.erase(CKA_MODULUS_BITS);
  wanted.set_ulong(CKA_CLASS, object_class);
  wanted.set_ulong(CKA_KEY_TYPE, key.algorithm() == crypto::KeyAlgorithm::rsa ? CKK_RSA : CKK_EC);
  wanted.set_bool(CKA_TOKEN, true);
  wanted.set_bool(CKA_PRIVATE, is_private);
  wanted.set(CKA_LABEL, view_of(label));
  wanted.set(CKA_ID, id);
  if (is_private) {
    wanted.set_bool(CKA_SENSITIVE, true);
    wanted.set_bool(CKA_EXTRACTABLE, false);
  }
  std::vector<CK_ATTRIBUTE> attributes;
  wanted.for_each([&](const AttributeSet::Entry& entry) {
    attributes.push_back({entry.type, const_cast<Byte*>(entry.value.data()), entry.value.size()});
  });
  const Actor actor{.read_write = true, .user = true, .security_officer = false, .token_login_required = true};
  const Origin origin = is_private ? Origin::unwrap : Origin::create;
  CARDEA_ASSIGN(NewObject half, new_object(origin, attributes, {}, actor));
  CARDEA_TRY(describe_public(key, half.attributes));
  CARDEA_TRY(finish_key(half, origin, {}));
  return half;
}

}  // namespace

Result<AttestationStatement> TpmToken::attest(ObjectId key, ByteView nonce) {
  if (nonce.size() > longest_nonce) return error(Code::data_length, "a nonce has at most 48 bytes");
  CARDEA_ASSIGN(const LoginPtr login, user_login());
  CARDEA_ASSIGN(const StoredObject object, stored(key));
  if (!object.key) return Code::object_handle_invalid;
  CARDEA_ASSIGN(const Bytes unique, unique_of(serial_));
  CARDEA_ASSIGN(const SecretBytes hierarchy_auth, tpm_->endorsement_auth());
  AttestationStatement statement;
  statement.key = object.key->public_area;
  CARDEA_TRY(tpm_->run([&](TpmAccess& access) -> Status {
    // A TPM has room for three objects.
    access.keys.keep_only(loaded_name(key));
    {
      CARDEA_ASSIGN(EndorsementKey endorsement, access.connection.endorsement_key(hierarchy_auth));
      statement.endorsement_key = std::move(endorsement.public_area);
      statement.endorsement_certificate = std::move(endorsement.certificate);
    }
    CARDEA_ASSIGN(const ReadyKey ready, ready_key(access, key, *object.key, *login));
    if (ready.protect == nullptr) access.release_storage_key();
    CARDEA_ASSIGN(AttestationKey signer, access.connection.attestation_key(unique, hierarchy_auth));
    CARDEA_ASSIGN(KeyCertification certification,
                  access.connection.certify(*ready.key, ready.protect, signer.key, nonce));
    statement.attestation_key = std::move(signer.public_area);
    statement.certification = std::move(certification.statement);
    statement.signature = std::move(certification.signature);
    return {};
  }));
  return statement;
}

Result<SecretBytes> TpmToken::activate(const Credential& credential) {
  CARDEA_ASSIGN(const Bytes unique, unique_of(serial_));
  CARDEA_ASSIGN(const SecretBytes hierarchy_auth, tpm_->endorsement_auth());
  SecretBytes answer;
  CARDEA_TRY(tpm_->run([&](TpmAccess& access) -> Status {
    access.keys.clear();
    CARDEA_ASSIGN(const Loaded* const parent, storage_key(*tpm_, access, card()));
    CARDEA_ASSIGN(const AttestationKey signer, access.connection.attestation_key(unique, hierarchy_auth));
    CARDEA_ASSIGN(const EndorsementKey endorsement, access.connection.endorsement_key(hierarchy_auth));
    auto opened = access.connection.activate_credential(*parent, signer.key, endorsement, hierarchy_auth, credential);
    access.release_storage_key();
    if (!opened && access.connection.alive() && opened.code() != Code::device_memory &&
        opened.code() != Code::function_failed) {
      return error(Code::data_invalid, "the credential is not for this TPM and this card");
    }
    if (!opened) return std::move(opened).error();
    answer = std::move(*opened);
    return {};
  }));
  return answer;
}

Result<Bytes> TpmToken::storage_key_area() {
  CARDEA_ASSIGN(const Bytes unique, unique_of(serial_));
  Bytes area;
  CARDEA_TRY(tpm_->run([&](TpmAccess& access) -> Status {
    // Tells whether this TPM is the card's.
    CARDEA_TRY(storage_key(*tpm_, access, card()));
    access.release_storage_key();
    CARDEA_ASSIGN(const SecretBytes hierarchy_auth, tpm_->hierarchy_auth());
    CARDEA_ASSIGN(area, access.connection.storage_key_area(unique, hierarchy_auth));
    return {};
  }));
  return area;
}

Status TpmToken::import_wrapped(const WrappedKey& wrapped, std::string_view label, ByteView id) {
  CARDEA_ASSIGN(const LoginPtr login, user_login());
  if (!contents_.file().writable()) return Code::token_write_protected;
  const auto area = parse_public_area(wrapped.public_area);
  if (!area) return error(Code::wrapped_key_invalid, area.error().detail);
  const crypto::AsymmetricKey& key = *area->key;
  CARDEA_ASSIGN(NewObject public_half, wrapped_half(CKO_PUBLIC_KEY, key, label, id));
  CARDEA_ASSIGN(NewObject private_half, wrapped_half(CKO_PRIVATE_KEY, key, label, id));
  Blob blob;
  CARDEA_TRY(tpm_->run([&](TpmAccess& access) -> Status {
    CARDEA_TRY(check_capabilities(access, {.algorithm = key.algorithm(), .bits = key.size()}));
    CARDEA_ASSIGN(const Loaded* const parent, storage_key(*tpm_, access, card()));
    CARDEA_ASSIGN(const Blob imported, access.connection.import_wrapped(*parent, wrapped));
    // From here on the PIN is needed for it.
    CARDEA_ASSIGN(blob, access.connection.change_auth(*parent, imported, login->keys.key_auth));
    access.release_storage_key();
    return {};
  }));
  CARDEA_TRY(store_pair(std::move(public_half), std::move(private_half), std::move(blob), login));
  return {};
}

}  // namespace cardea::tpm
