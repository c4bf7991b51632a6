#include "p11client/seals.h"

#include "p11client/failure.h"
#include "p11client/module.h"
#include "p11client/printable.h"
#include "p11client/vendor_call.h"

namespace cardea::p11client {
namespace {

void take_code(void* context, const CK_UTF8CHAR* code, CK_ULONG size) {
  Answer<Pin>::of(context) = Pin(ByteView(code, size));
}

Status status(const Result<bool>& answer) {
  return answer ? Status() : Status(answer.error());
}

}  // namespace

std::optional<Seals> Seals::of(const std::string& module) {
  void* const functions = vendor_functions(module, CARDEA_SEAL_INTERFACE);
  if (functions == nullptr) return {};
  return Seals(*static_cast<const CARDEA_SEAL_FUNCTIONS*>(functions));
}

bool Seals::sealed(const std::string& serial) const {
  CK_BBOOL sealed = CK_FALSE;
  return functions_->sealed(serial.c_str(), &sealed, nullptr, nullptr) == CKR_OK && sealed == CK_TRUE;
}

Status Seals::check(const std::string& serial) const {
  Answer<bool> answer;
  return status(answer.result(functions_->check(serial.c_str(), answer.failed, &answer)));
}

Result<Pin> Seals::seal(const std::string& serial, CK_USER_TYPE user, const Pin& pin) const {
  Answer<Pin> answer;
  const CARDEA_PIN given = raw(pin.view());
  return answer.result(functions_->seal(serial.c_str(), user, &given, take_code, answer.failed, &answer));
}

Status Seals::unseal(const std::string& serial, CK_USER_TYPE user, const Pin& pin) const {
  Answer<bool> answer;
  const CARDEA_PIN given = raw(pin.view());
  return status(answer.result(functions_->unseal(serial.c_str(), user, &given, answer.failed, &answer)));
}

Status Seals::recover(const std::string& serial, const Pin& code) const {
  Answer<bool> answer;
  const CARDEA_PIN given = raw(code.view());
  return status(answer.result(functions_->recover(serial.c_str(), &given, answer.failed, &answer)));
}

std::string seal_problem(const std::string& module, const TokenInfo& token) {
  const auto seals = Seals::of(module);
  if (!seals || !seals->sealed(token.serial)) return "";
  const Status opens = seals->check(token.serial);
  return opens ? "" : printable(describe(opens.error()));
}

Error login_failure(const Session& session, CK_RV rv, std::string_view what) {
  const std::string seal = rv == CKR_DEVICE_ERROR ? seal_problem(session.module().path(), session.token()) : "";
  if (seal.empty()) return p11_failure(rv, what);
  return failure(Code::device_error,
                 sentence(what, seal, "`cardea doctor` says more; `cardea token unseal` takes a seal off."));
}

}  // namespace cardea::p11client
