#include "p11client/tpm_cards.h"

#include <algorithm>

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

}  // namespace cardea::p11client
