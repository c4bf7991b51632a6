#include <cstring>
#include <utility>

#include "conformance/check.h"
#include "conformance/isolate.h"
#include "cryptoki/names.h"

namespace cardea::conformance {

std::string rv_name(CK_RV rv) {
  return constant_text(ConstantKind::CKR, rv);
}
std::string mechanism_name(CK_MECHANISM_TYPE type) {
  return constant_text(ConstantKind::CKM, type);
}

Context::Context(const Target& target, std::string check, Sink sink, Announce announce)
    : target_(target), check_(std::move(check)), sink_(std::move(sink)), announce_(std::move(announce)) {}

Context::~Context() {
  if (initialised_) (*module_)->C_Finalize(nullptr);
}

const p11::Module& Context::module() {
  if (!module_) module_ = std::make_unique<p11::Module>(target_.module_path);
  return *module_;
}

void Context::initialise() {
  if (initialised_) return;
  require_ok("C_Initialize", module().initialize());
  initialised_ = true;
}

CK_SLOT_ID Context::slot() {
  if (slot_) return *slot_;
  initialise();
  for (const CK_SLOT_ID candidate : module().slots()) {
    CK_TOKEN_INFO info{};
    if (module()->C_GetTokenInfo(candidate, &info) != CKR_OK) continue;
    std::string label(reinterpret_cast<const char*>(info.label), sizeof(info.label));
    label.erase(label.find_last_not_of(' ') + 1);
    const bool initialised = (info.flags & CKF_TOKEN_INITIALIZED) != 0;
    const bool wanted = target_.slot                  ? candidate == *target_.slot
                        : target_.token_label.empty() ? initialised
                                                      : label == target_.token_label;
    if (wanted) return *(slot_ = candidate);
  }
  throw StepFailed{"no slot holds the token asked for"};
}

std::unique_ptr<p11::Session> Context::session(bool writable) {
  const CK_SLOT_ID where = slot();
  auto opened = std::make_unique<p11::Session>(module(), where, writable);
  require_ok("C_OpenSession", opened->status());
  return opened;
}

std::unique_ptr<p11::Session> Context::user_session(bool writable) {
  if (target_.pin.empty()) skip("no user PIN was given");
  auto opened = session(writable);
  const CK_RV rv = opened->login(target_.pin);
  if (rv != CKR_USER_ALREADY_LOGGED_IN) require_ok("C_Login", rv);
  return opened;
}

std::string Context::full_name(const std::string& step) const {
  return step.empty() ? check_ : check_ + "/" + step;
}

Finding Context::run(const std::string& name, const std::function<void()>& body) {
  Finding finding{full_name(name), Verdict::pass, {}};
  announce_(finding.name);
  failures_.clear();
  try {
    body();
  } catch (const StepFailed& failed) {
    failures_.push_back(failed.detail);
  } catch (const StepSkipped& skipped) {
    finding.verdict = Verdict::skip;
    finding.detail = skipped.reason;
  } catch (const std::exception& error) {
    failures_.emplace_back(error.what());
  }
  if (failures_.empty()) return finding;
  finding.verdict = Verdict::fail;
  finding.detail.clear();
  for (const std::string& failure : failures_) finding.detail += (finding.detail.empty() ? "" : "; ") + failure;
  return finding;
}

void Context::step(const std::string& name, const std::function<void()>& body) {
  sink_(run(name, body));
}

void Context::isolated_step(const std::string& name, const std::function<void()>& body) {
  constexpr int seconds = 30;
  announce_(full_name(name));
  const std::vector<Finding> findings =
      isolate(full_name(name), seconds, [&](const Sink& sink, const Announce&) { sink(run(name, body)); });
  for (const Finding& finding : findings) sink_(finding);
}

bool Context::expect(bool condition, const std::string& what) {
  if (!condition) failures_.push_back(what);
  return condition;
}

bool Context::expect_rv(const std::string& call, CK_RV got, std::initializer_list<CK_RV> allowed) {
  std::string wanted;
  for (const CK_RV rv : allowed) {
    if (rv == got) return true;
    wanted += (wanted.empty() ? "" : " or ") + rv_name(rv);
  }
  return expect(false, call + " answered " + rv_name(got) + " instead of " + wanted);
}

void Context::require(bool condition, const std::string& what) {
  if (!condition) throw StepFailed{what};
}

void Context::require_ok(const std::string& call, CK_RV got) {
  require(got == CKR_OK, call + " answered " + rv_name(got));
}

void Context::skip(const std::string& reason) {
  throw StepSkipped{reason};
}

}  // namespace cardea::conformance
