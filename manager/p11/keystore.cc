#include "p11client/keystore.h"

#include "p11client/module.h"
#include "p11client/printable.h"
#include "p11client/vendor_call.h"

namespace cardea::p11client {
namespace {

void add_finding(void* context, const char* subject, const char* sentence, const char* next_step) {
  Answer<KeystoreCheck>::of(context).findings.push_back(
      {Severity::problem, printable(subject), printable(sentence), printable(next_step)});
}

void add_token(void* context, const char* path, const char* label, const char* serial) {
  Answer<std::vector<SofthsmToken>>::of(context).push_back({path, label, serial});
}

void take_import(void* context, const char* serial, const char* label, CK_ULONG objects) {
  ImportReport& report = Answer<ImportReport>::of(context);
  report.serial = serial;
  report.label = label;
  report.imported = objects;
}

void add_skipped(void* context, const char* sentence) {
  Answer<ImportReport>::of(context).skipped.emplace_back(sentence);
}

}  // namespace

std::optional<Keystore> Keystore::of(const std::string& module) {
  void* const functions = vendor_functions(module, CARDEA_KEYSTORE_INTERFACE);
  if (functions == nullptr) return {};
  return Keystore(*static_cast<const CARDEA_KEYSTORE_FUNCTIONS*>(functions));
}

std::optional<Keystore> Keystore::near(const std::string& module) {
  if (const auto keystore = of(module)) return keystore;
  return of(own_module_path());
}

std::optional<int> Keystore::tries_left(const std::string& serial, CK_USER_TYPE user) const {
  CK_ULONG tries = CK_UNAVAILABLE_INFORMATION;
  const CK_RV rv = functions_->tries_left(serial.c_str(), user, &tries, nullptr, nullptr);
  if (rv != CKR_OK || tries == CK_UNAVAILABLE_INFORMATION) return {};
  return static_cast<int>(tries);
}

Status Keystore::delete_token(const std::string& serial) const {
  Answer<bool> answer;
  const auto done = answer.result(functions_->delete_token(serial.c_str(), answer.failed, &answer));
  return done ? Status() : Status(done.error());
}

Result<KeystoreCheck> Keystore::check() const {
  Answer<KeystoreCheck> answer;
  CK_ULONG tokens = 0;
  const CK_RV rv = functions_->check(add_finding, &tokens, answer.failed, &answer);
  answer.value.tokens = tokens;
  return answer.result(rv);
}

Result<std::vector<SofthsmToken>> Keystore::find_softhsm_tokens(const std::filesystem::path& directory) const {
  Answer<std::vector<SofthsmToken>> answer;
  return answer.result(functions_->find_softhsm_tokens(directory.c_str(), add_token, answer.failed, &answer));
}

Result<ImportReport> Keystore::import_softhsm(const std::filesystem::path& token, const Pin& user_pin,
                                              const Pin& so_pin) const {
  Answer<ImportReport> answer;
  const CARDEA_PIN user = raw(user_pin.view());
  const CARDEA_PIN officer = raw(so_pin.view());
  return answer.result(
      functions_->import_softhsm(token.c_str(), &user, &officer, take_import, add_skipped, answer.failed, &answer));
}

}  // namespace cardea::p11client
