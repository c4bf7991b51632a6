#include "tpm/virtual_card.h"

#include "crypto/random.h"
#include "tpm/directories.h"

namespace cardea::tpm {
namespace {

constexpr std::size_t longest_label = 32;  // bytes, CK_TOKEN_INFO

Error another_tpm() {
  return error(Code::device_error, "the TPM was cleared or replaced since this virtual card was made");
}

/// wrapped_key_invalid: the blob is of this card, whose storage key this is, so it was damaged or is another TPM's.
Result<Loaded> load(TpmAccess& access, const Loaded& parent, const CardState& card, Opener which) {
  const auto found = card.openers.find(which);
  if (found == card.openers.end()) return Code::user_pin_not_initialized;
  return access.connection.load(parent, found->second);
}

/// A card secret: randomness of the TPM and of this machine, so that one bad generator alone does no harm.
Result<SecretBytes> new_secret(TpmAccess& access) {
  SecretBytes secret(secret_size), more(secret_size);
  CARDEA_TRY(access.connection.random(secret.mutable_view()));
  CARDEA_TRY(crypto::random_bytes(more.mutable_view()));
  for (std::size_t i = 0; i < secret_size; ++i) secret.data()[i] ^= more.data()[i];
  return secret;
}

/// The words for a wrong PIN, with how many tries the TPM leaves.
Error wrong_pin(TpmAccess& access, Error failure) {
  const auto state = access.connection.lock_out();
  if (!state) return failure;
  failure.detail.clear();
  failure.retries_left = state->failures >= state->limit ? 0 : static_cast<int>(state->limit - state->failures);
  return failure;
}

Result<Blob> seal_under_pin(TpmAccess& access, const Loaded& parent, std::string_view serial, const SecretBytes& secret,
                            Opener which, const Pin& pin) {
  CARDEA_ASSIGN(const SecretBytes auth, auth_of_pin(serial, which, pin));
  return access.connection.seal(parent, secret, auth);
}

Result<Openers> seal_under_admin_key(TpmAccess& access, const Loaded& parent, const SecretBytes& secret,
                                     const SecretBytes& key) {
  if (key.size() != admin_key_size) {
    return error(Code::pin_length, "the administrator's key has 32 bytes, 64 hexadecimal digits");
  }
  Openers openers;
  CARDEA_ASSIGN(openers[Opener::challenge_key], access.connection.create_challenge_key(parent, key));
  CARDEA_ASSIGN(const Loaded challenge_key, access.connection.load(parent, openers[Opener::challenge_key]));
  CARDEA_ASSIGN(openers[Opener::administrator], access.connection.seal_under_challenge(parent, secret, challenge_key));
  return openers;
}

Status make_openers(TpmAccess& access, const Loaded& parent, std::string_view serial, const NewCard& card,
                    Openers& openers) {
  CARDEA_ASSIGN(const SecretBytes secret, new_secret(access));
  CARDEA_ASSIGN(openers, seal_under_admin_key(access, parent, secret, card.admin_key));
  CARDEA_ASSIGN(openers[Opener::user_pin],
                seal_under_pin(access, parent, serial, secret, Opener::user_pin, card.user_pin));
  CARDEA_ASSIGN(openers[Opener::puk], seal_under_pin(access, parent, serial, secret, Opener::puk, card.puk));
  return {};
}

}  // namespace

Result<Loaded> derive_storage_key(Tpm& tpm, TpmAccess& access, std::string_view serial) {
  CARDEA_ASSIGN(const Bytes unique, unique_of(serial));
  CARDEA_ASSIGN(const SecretBytes hierarchy_auth, tpm.hierarchy_auth());
  return access.connection.storage_key(unique, hierarchy_auth);
}

std::optional<SecretBytes> admin_key_of(const Pin& text) {
  if (text.size() != 2 * admin_key_size) return std::nullopt;
  Bytes key;
  const bool digits = from_hex(text_of(text.view()), key);
  SecretBytes secret(key);
  wipe(key);
  if (!digits) return std::nullopt;
  return secret;
}

PinLengths pin_lengths(const CardDescription& card, const TpmSettings& settings) noexcept {
  if (card.pin_lengths.most != 0) return card.pin_lengths;
  return {.least = settings.min_pin_length, .most = settings.max_pin_length};
}

Status check_pin_length(const PinLengths& lengths, const Pin& pin) {
  if (pin.size() >= lengths.least && pin.size() <= lengths.most) return {};
  return error(Code::pin_length, "a PIN has from " + std::to_string(lengths.least) + " to " +
                                     std::to_string(lengths.most) + " bytes here");
}

Result<Enrolment> enrol(Tpm& tpm, const std::string& serial, const NewCard& card, const PinLengths& lengths) {
  CARDEA_TRY(check_pin_length(lengths, card.user_pin));
  CARDEA_TRY(check_pin_length(lengths, card.puk));
  if (admin_key_of(card.puk)) {
    return error(Code::pin_invalid, "a PUK of 64 hexadecimal digits would be taken for the administrator's key");
  }
  Enrolment enrolment;
  CARDEA_TRY(tpm.run([&](TpmAccess& access) -> Status {
    CARDEA_ASSIGN(enrolment.rsa, access.connection.rsa_ability());
    CARDEA_ASSIGN(const Loaded parent, derive_storage_key(tpm, access, serial));
    CARDEA_ASSIGN(enrolment.storage_key_name, access.connection.name(parent));
    return make_openers(access, parent, serial, card, enrolment.openers);
  }));
  return enrolment;
}

Result<std::string> create_card(const Settings& settings, Tpm& tpm, const NewCard& card) {
  if (card.label.size() > longest_label) return error(Code::arguments_bad, "a label has at most 32 bytes");
  CARDEA_ASSIGN(std::string serial, random_serial());
  const PinLengths lengths = pin_lengths({}, settings.tpm);
  CARDEA_ASSIGN(Enrolment enrolment, enrol(tpm, serial, card, lengths));
  CARDEA_ASSIGN(NewDirectory directory, new_card_directory(settings, serial));
  const CardDescription description{.serial = serial,
                                    .label = card.label,
                                    .storage_key_name = std::move(enrolment.storage_key_name),
                                    .pin_lengths = lengths,
                                    .rsa = enrolment.rsa};
  CARDEA_TRY(StateFile::create(directory.path(), description, enrolment.openers));
  CARDEA_TRY(directory.commit());
  return serial;
}

Result<const Loaded*> storage_key(Tpm& tpm, TpmAccess& access, const CardDescription& card) {
  if (access.storage_key && access.storage_key_of == card.serial) return &*access.storage_key;
  access.release_storage_key();
  CARDEA_ASSIGN(Loaded key, derive_storage_key(tpm, access, card.serial));
  CARDEA_ASSIGN(const Bytes name, access.connection.name(key));
  if (name != card.storage_key_name) return another_tpm();
  access.storage_key = std::move(key);
  access.storage_key_of = card.serial;
  return &*access.storage_key;
}

Result<SecretBytes> open_with_pin(Tpm& tpm, const CardState& card, Opener which, const Pin& pin) {
  CARDEA_ASSIGN(const SecretBytes auth, auth_of_pin(card.description.serial, which, pin));
  SecretBytes secret;
  CARDEA_TRY(tpm.run([&](TpmAccess& access) -> Status {
    CARDEA_ASSIGN(const Loaded* const parent, storage_key(tpm, access, card.description));
    CARDEA_ASSIGN(Loaded sealed, load(access, *parent, card, which));
    sealed.authorise(auth);
    auto opened = access.connection.unseal(*parent, sealed);
    if (!opened && opened.code() == Code::pin_incorrect) return wrong_pin(access, std::move(opened).error());
    if (!opened) return std::move(opened).error();
    secret = std::move(*opened);
    return {};
  }));
  return secret;
}

Result<SecretBytes> open_with_answer(Tpm& tpm, const CardState& card, const Answerer& answerer) {
  SecretBytes secret;
  CARDEA_TRY(tpm.run([&](TpmAccess& access) -> Status {
    CARDEA_ASSIGN(const Loaded* const parent, storage_key(tpm, access, card.description));
    CARDEA_ASSIGN(const Loaded challenge_key, load(access, *parent, card, Opener::challenge_key));
    CARDEA_ASSIGN(const Loaded sealed, load(access, *parent, card, Opener::administrator));
    CARDEA_ASSIGN(const Challenge challenge, access.connection.challenge(*parent));
    CARDEA_ASSIGN(const SecretBytes answer, answerer(challenge.nonce));
    CARDEA_ASSIGN(secret, access.connection.unseal(challenge, challenge_key, answer.view(), sealed));
    return {};
  }));
  return secret;
}

Result<Blob> seal_with_pin(Tpm& tpm, const CardDescription& card, const SecretBytes& secret, Opener which,
                           const Pin& pin) {
  Blob blob;
  CARDEA_TRY(tpm.run([&](TpmAccess& access) -> Status {
    CARDEA_ASSIGN(const Loaded* const parent, storage_key(tpm, access, card));
    CARDEA_ASSIGN(blob, seal_under_pin(access, *parent, card.serial, secret, which, pin));
    return {};
  }));
  return blob;
}

Result<Openers> seal_with_admin_key(Tpm& tpm, const CardDescription& card, const SecretBytes& secret,
                                    const SecretBytes& key) {
  Openers openers;
  CARDEA_TRY(tpm.run([&](TpmAccess& access) -> Status {
    CARDEA_ASSIGN(const Loaded* const parent, storage_key(tpm, access, card));
    CARDEA_ASSIGN(openers, seal_under_admin_key(access, *parent, secret, key));
    return {};
  }));
  return openers;
}

}  // namespace cardea::tpm
