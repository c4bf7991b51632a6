#include "p11client/tpm_cards.h"

#include <algorithm>
#include <array>

#include "p11client/module.h"
#include "p11client/printable.h"
#include "p11client/vendor_call.h"

namespace cardea::p11client {
namespace {

void take_serial(void* context, const char* serial) {
  Answer<std::string>::of(context) = serial;
}

void add_card(void* context, const char* serial, const char* label, CK_ULONG keys, CARDEA_CARD_HEALTH health,
              const char* words, CK_ULONG failures, CK_ULONG limit, CK_ULONG seconds) {
  Answer<std::vector<TpmCard>>::of(context).push_back(
      {serial, printable(label), keys, health, printable(words), failures, limit, seconds});
}

/// An exchange of challenge and answer; an error of ours comes before the module's.
struct Exchange {
  const std::function<Result<Bytes>(ByteView)>* answer = nullptr;
  std::optional<Error> failure;
};

CK_BBOOL pass_challenge(void* context, const CK_BYTE* challenge, CK_BYTE* answer) {
  Exchange& exchange = Answer<Exchange>::of(context);
  Result<Bytes> given = (*exchange.answer)({challenge, tpm_challenge_size});
  if (given && given->size() == tpm_challenge_size) {
    std::copy(given->begin(), given->end(), answer);
    return CK_TRUE;
  }
  exchange.failure = given ? error(Code::data_length) : std::move(given).error();
  return CK_FALSE;
}

void take_pieces(void* context, const CARDEA_BYTES* pieces, CK_ULONG count) {
  auto& taken = Answer<std::vector<SecretBytes>>::of(context);
  for (CK_ULONG i = 0; i < count; ++i) taken.emplace_back(ByteView(pieces[i].bytes, pieces[i].size));
}

/// As many as were expected.
Result<std::vector<SecretBytes>> pieces_of(Answer<std::vector<SecretBytes>>& answer, CK_RV rv, std::size_t count) {
  auto pieces = answer.result(rv);
  if (pieces && pieces->size() != count) return error(Code::device_error, "the module answered something else");
  return pieces;
}

}  // namespace

std::optional<TpmCards> TpmCards::near(const std::string& module) {
  for (const std::string& path : {module, own_module_path()}) {
    void* const functions = vendor_functions(path, CARDEA_TPM_INTERFACE);
    if (functions != nullptr) return TpmCards(*static_cast<const CARDEA_TPM_FUNCTIONS*>(functions));
  }
  return {};
}

Result<std::string> TpmCards::create(const std::string& label, const TpmCardSecrets& secrets) const {
  Answer<std::string> answer;
  const CARDEA_PIN user_pin = raw(secrets.user_pin.view());
  const CARDEA_PIN puk = raw(secrets.puk.view());
  const CARDEA_PIN admin_key = raw(secrets.admin_key.view());
  return answer.result(
      functions_->create(label.c_str(), &user_pin, &puk, &admin_key, take_serial, answer.failed, &answer));
}

Result<std::vector<TpmCard>> TpmCards::list() const {
  Answer<std::vector<TpmCard>> answer;
  return answer.result(functions_->list(add_card, answer.failed, &answer));
}

Status TpmCards::renew(const std::string& serial, const TpmCardSecrets& secrets) const {
  Answer<bool> answer;
  const CARDEA_PIN user_pin = raw(secrets.user_pin.view());
  const CARDEA_PIN puk = raw(secrets.puk.view());
  const CARDEA_PIN admin_key = raw(secrets.admin_key.view());
  const auto done =
      answer.result(functions_->renew(serial.c_str(), &user_pin, &puk, &admin_key, answer.failed, &answer));
  return done ? Status() : Status(done.error());
}

Status TpmCards::destroy(const std::string& serial) const {
  Answer<bool> answer;
  const auto done = answer.result(functions_->destroy(serial.c_str(), answer.failed, &answer));
  return done ? Status() : Status(done.error());
}

Status TpmCards::unblock(const std::string& serial, const Pin& new_pin,
                         const std::function<Result<Bytes>(ByteView challenge)>& answer) const {
  Answer<Exchange> exchange;
  exchange.value.answer = &answer;
  const CARDEA_PIN pin = raw(new_pin.view());
  const CK_RV rv = functions_->unblock(serial.c_str(), &pin, pass_challenge, exchange.failed, &exchange);
  if (rv == CKR_OK) return {};
  if (exchange.value.failure) return std::move(*exchange.value.failure);
  return exchange.told ? std::move(*exchange.told) : silent_failure(rv);
}

Result<tpm::AttestationStatement> TpmCards::attest(const std::string& serial, const Pin& pin,
                                                   const std::optional<std::string>& label,
                                                   const std::optional<Bytes>& id, ByteView nonce) const {
  Answer<std::vector<SecretBytes>> answer;
  const CARDEA_PIN user_pin = raw(pin.view());
  const CARDEA_BYTES wanted_id = raw(id ? ByteView(*id) : ByteView());
  const CARDEA_BYTES given_nonce = raw(nonce);
  const CK_RV rv = functions_->attest(serial.c_str(), &user_pin, label ? label->c_str() : nullptr,
                                      id ? &wanted_id : nullptr, &given_nonce, take_pieces, answer.failed, &answer);
  CARDEA_ASSIGN(const auto pieces, pieces_of(answer, rv, 6));
  const auto piece = [&](std::size_t i) { return to_bytes(pieces[i].view()); };
  return tpm::AttestationStatement{piece(0), piece(1), piece(2), piece(3), piece(4), piece(5)};
}

Result<SecretBytes> TpmCards::activate(const std::string& serial, const tpm::Credential& credential) const {
  Answer<std::vector<SecretBytes>> answer;
  const CARDEA_BYTES object = raw(credential.id_object);
  const CARDEA_BYTES secret = raw(credential.encrypted_secret);
  const CK_RV rv = functions_->activate(serial.c_str(), &object, &secret, take_pieces, answer.failed, &answer);
  CARDEA_ASSIGN(auto pieces, pieces_of(answer, rv, 1));
  return std::move(pieces.front());
}

Result<Bytes> TpmCards::storage_key(const std::string& serial) const {
  Answer<std::vector<SecretBytes>> answer;
  const CK_RV rv = functions_->storage_key(serial.c_str(), take_pieces, answer.failed, &answer);
  CARDEA_ASSIGN(const auto pieces, pieces_of(answer, rv, 1));
  return to_bytes(pieces.front().view());
}

Status TpmCards::import_key(const std::string& serial, const Pin& pin, const tpm::WrappedKey& wrapped,
                            const std::string& label, ByteView id) const {
  Answer<bool> answer;
  const CARDEA_PIN user_pin = raw(pin.view());
  const std::array pieces{raw(wrapped.public_area), raw(wrapped.duplicate), raw(wrapped.encrypted_seed),
                          raw(wrapped.inner_key.view())};
  const CARDEA_BYTES wanted_id = raw(id);
  const auto done = answer.result(functions_->import_key(serial.c_str(), &user_pin, pieces.data(), label.c_str(),
                                                         &wanted_id, answer.failed, &answer));
  return done ? Status() : Status(done.error());
}

}  // namespace cardea::p11client
