// The vendor interface to virtual smart cards in the TPM (cryptoki/tpm_interface.h).
#include "cryptoki/tpm_interface.h"

#include "abi/functions.h"
#include "abi/vendor_answer.h"
#include "tpm/administration.h"

namespace cardea::abi {
namespace {

Result<tpm::NewCard> new_card(const char* label, const CARDEA_PIN* user_pin, const CARDEA_PIN* puk,
                              const CARDEA_PIN* admin_key) {
  CARDEA_ASSIGN(const Pin key, pin_of(admin_key));
  tpm::NewCard card{.label = label, .user_pin = {}, .puk = {}, .admin_key = SecretBytes(key.view())};
  CARDEA_ASSIGN(card.user_pin, pin_of(user_pin));
  CARDEA_ASSIGN(card.puk, pin_of(puk));
  return card;
}

Status create(const char* label, const CARDEA_PIN* user_pin, const CARDEA_PIN* puk, const CARDEA_PIN* admin_key,
              CARDEA_TPM_MADE made, void* context) {
  if (label == nullptr || made == nullptr) return Code::arguments_bad;
  CARDEA_ASSIGN(const tpm::NewCard card, new_card(label, user_pin, puk, admin_key));
  CARDEA_ASSIGN(const std::string serial, tpm::create_card(load_settings(), card));
  made(context, serial.c_str());
  return {};
}

Status list(CARDEA_TPM_CARD card, void* context) {
  if (card == nullptr) return Code::arguments_bad;
  for (const tpm::CardReport& each : tpm::look_at_cards(load_settings())) {
    card(context, each.serial.c_str(), each.label.c_str(), each.keys, static_cast<CARDEA_CARD_HEALTH>(each.health),
         each.words.c_str(), each.lock_out.failures, each.lock_out.limit, each.lock_out.seconds_per_try);
  }
  return {};
}

Status destroy(const char* serial) {
  if (serial == nullptr) return Code::arguments_bad;
  return tpm::destroy_card(load_settings(), serial);
}

Status renew(const char* serial, const CARDEA_PIN* user_pin, const CARDEA_PIN* puk, const CARDEA_PIN* admin_key) {
  if (serial == nullptr) return Code::arguments_bad;
  CARDEA_ASSIGN(const tpm::NewCard card, new_card("", user_pin, puk, admin_key));
  return tpm::renew_card(load_settings(), serial, card);
}

Status unblock(const char* serial, const CARDEA_PIN* new_pin, CARDEA_TPM_ANSWER answer, void* context) {
  if (serial == nullptr || answer == nullptr) return Code::arguments_bad;
  CARDEA_ASSIGN(const Pin pin, pin_of(new_pin));
  const auto answerer = [&](ByteView challenge) -> Result<SecretBytes> {
    SecretBytes response(tpm::nonce_size);
    if (challenge.size() != tpm::nonce_size) return error(Code::device_error, "the TPM gave no challenge");
    if (answer(context, challenge.data(), response.data()) == CK_FALSE) return Code::function_canceled;
    return response;
  };
  return tpm::unblock_card(load_settings(), serial, answerer, pin);
}

Result<ByteView> view(const CARDEA_BYTES* bytes) {
  if (bytes == nullptr) return Code::arguments_bad;
  return input_bytes(bytes->bytes, bytes->size);
}

void hand_over(std::initializer_list<ByteView> pieces, CARDEA_TPM_PIECES receiver, void* context) {
  std::vector<CARDEA_BYTES> raw;
  for (const ByteView piece : pieces) raw.push_back({piece.data(), piece.size()});
  receiver(context, raw.data(), raw.size());
}

Status attest(const char* serial, const CARDEA_PIN* user_pin, const char* label, const CARDEA_BYTES* id,
              const CARDEA_BYTES* nonce, CARDEA_TPM_PIECES pieces, void* context) {
  if (serial == nullptr || pieces == nullptr) return Code::arguments_bad;
  CARDEA_ASSIGN(const Pin pin, pin_of(user_pin));
  CARDEA_ASSIGN(const ByteView given_nonce, view(nonce));
  tpm::KeyChoice choice;
  if (label != nullptr) choice.label = label;
  if (id != nullptr) {
    CARDEA_ASSIGN(const ByteView wanted, view(id));
    choice.id = to_bytes(wanted);
  }
  CARDEA_ASSIGN(const tpm::AttestationStatement statement,
                tpm::attest_key(load_settings(), serial, pin, choice, given_nonce));
  hand_over({statement.endorsement_key, statement.endorsement_certificate, statement.attestation_key, statement.key,
             statement.certification, statement.signature},
            pieces, context);
  return {};
}

Status activate(const char* serial, const CARDEA_BYTES* id_object, const CARDEA_BYTES* encrypted_secret,
                CARDEA_TPM_PIECES pieces, void* context) {
  if (serial == nullptr || pieces == nullptr) return Code::arguments_bad;
  CARDEA_ASSIGN(const ByteView object, view(id_object));
  CARDEA_ASSIGN(const ByteView secret, view(encrypted_secret));
  CARDEA_ASSIGN(const SecretBytes answer,
                tpm::activate_credential(load_settings(), serial, {to_bytes(object), to_bytes(secret)}));
  hand_over({answer.view()}, pieces, context);
  return {};
}

Status storage_key(const char* serial, CARDEA_TPM_PIECES pieces, void* context) {
  if (serial == nullptr || pieces == nullptr) return Code::arguments_bad;
  CARDEA_ASSIGN(const Bytes area, tpm::storage_key_area(load_settings(), serial));
  hand_over({area}, pieces, context);
  return {};
}

Status import_key(const char* serial, const CARDEA_PIN* user_pin, const CARDEA_BYTES* wrapped, const char* label,
                  const CARDEA_BYTES* id) {
  if (serial == nullptr || wrapped == nullptr || label == nullptr) return Code::arguments_bad;
  CARDEA_ASSIGN(const Pin pin, pin_of(user_pin));
  CARDEA_ASSIGN(const ByteView public_area, view(&wrapped[0]));
  CARDEA_ASSIGN(const ByteView duplicate, view(&wrapped[1]));
  CARDEA_ASSIGN(const ByteView seed, view(&wrapped[2]));
  CARDEA_ASSIGN(const ByteView inner_key, view(&wrapped[3]));
  CARDEA_ASSIGN(const ByteView wanted_id, view(id));
  const tpm::WrappedKey key{to_bytes(public_area), to_bytes(duplicate), to_bytes(seed), SecretBytes(inner_key)};
  return tpm::import_wrapped_key(load_settings(), serial, pin, key, label, wanted_id);
}

}  // namespace

CARDEA_TPM_FUNCTIONS tpm_functions = {
    {1, 0},
    [](const char* label, const CARDEA_PIN* user_pin, const CARDEA_PIN* puk, const CARDEA_PIN* admin_key,
       CARDEA_TPM_MADE made, CARDEA_FAILURE failure, void* context) -> CK_RV {
      return answer("tpm.create", "(label, user_pin, puk, admin_key, made, context)", create, failure, context, label,
                    user_pin, puk, admin_key, made, context);
    },
    [](CARDEA_TPM_CARD card, CARDEA_FAILURE failure, void* context) -> CK_RV {
      return answer("tpm.list", "(card, context)", list, failure, context, card, context);
    },
    [](const char* serial, CARDEA_FAILURE failure, void* context) -> CK_RV {
      return answer("tpm.destroy", "(serial)", destroy, failure, context, serial);
    },
    [](const char* serial, const CARDEA_PIN* user_pin, const CARDEA_PIN* puk, const CARDEA_PIN* admin_key,
       CARDEA_FAILURE failure, void* context) -> CK_RV {
      return answer("tpm.renew", "(serial, user_pin, puk, admin_key)", renew, failure, context, serial, user_pin, puk,
                    admin_key);
    },
    [](const char* serial, const CARDEA_PIN* new_pin, CARDEA_TPM_ANSWER answerer, CARDEA_FAILURE failure,
       void* context) -> CK_RV {
      return answer("tpm.unblock", "(serial, new_pin, answer, context)", unblock, failure, context, serial, new_pin,
                    answerer, context);
    },
    [](const char* serial, const CARDEA_PIN* user_pin, const char* label, const CARDEA_BYTES* id,
       const CARDEA_BYTES* nonce, CARDEA_TPM_PIECES pieces, CARDEA_FAILURE failure, void* context) -> CK_RV {
      return answer("tpm.attest", "(serial, user_pin, label, id, nonce, pieces, context)", attest, failure, context,
                    serial, user_pin, label, id, nonce, pieces, context);
    },
    [](const char* serial, const CARDEA_BYTES* id_object, const CARDEA_BYTES* encrypted_secret,
       CARDEA_TPM_PIECES pieces, CARDEA_FAILURE failure, void* context) -> CK_RV {
      return answer("tpm.activate", "(serial, id_object, encrypted_secret, pieces, context)", activate, failure,
                    context, serial, id_object, encrypted_secret, pieces, context);
    },
    [](const char* serial, CARDEA_TPM_PIECES pieces, CARDEA_FAILURE failure, void* context) -> CK_RV {
      return answer("tpm.storage_key", "(serial, pieces, context)", storage_key, failure, context, serial, pieces,
                    context);
    },
    [](const char* serial, const CARDEA_PIN* user_pin, const CARDEA_BYTES* wrapped, const char* label,
       const CARDEA_BYTES* id, CARDEA_FAILURE failure, void* context) -> CK_RV {
      return answer("tpm.import_key", "(serial, user_pin, wrapped, label, id)", import_key, failure, context, serial,
                    user_pin, wrapped, label, id);
    },
};

}  // namespace cardea::abi
