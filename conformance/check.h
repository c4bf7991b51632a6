// A check: something a PKCS#11 module must do, tried from outside. Each check runs in a process of its own.
#pragma once

#include <functional>
#include <initializer_list>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "conformance/p11.h"

namespace cardea::conformance {

enum class Verdict { pass, fail, skip };

/// One line of the report: "chapter" or "chapter/step".
struct Finding {
  std::string name;
  Verdict verdict = Verdict::pass;
  std::string detail;  ///< why it failed or was skipped
};

/// The token under test, as the command line names it.
struct Target {
  std::string module_path;
  std::optional<CK_SLOT_ID> slot;
  std::string token_label;  ///< used when no slot is given; empty: the first initialised token
  std::string pin;          ///< empty: checks that need a login are skipped
  std::string so_pin;       ///< empty: checks that need the security officer are skipped
};

/// Thrown by Context::require; ends the step as failed.
struct StepFailed {
  std::string detail;
};
/// Thrown by Context::skip; ends the step as skipped.
struct StepSkipped {
  std::string reason;
};

/// What a check works with. Lives in the check's own process.
class Context {
 public:
  /// `sink` gets every finding as it is made, and the name of each step as it begins.
  using Sink = std::function<void(const Finding&)>;
  using Announce = std::function<void(const std::string&)>;
  Context(const Target& target, std::string check, Sink sink, Announce announce);
  ~Context();
  Context(const Context&) = delete;
  Context& operator=(const Context&) = delete;

  const Target& target() const { return target_; }
  /// The module, loaded at first use and not initialised.
  const p11::Module& module();
  /// Initialises the module at first use and finds the target's slot; fails the step when there is none.
  CK_SLOT_ID slot();
  /// A new session; fails the step when it does not open.
  std::unique_ptr<p11::Session> session(bool writable = true);
  /// A new session, the user logged in; skips the step without a PIN.
  std::unique_ptr<p11::Session> user_session(bool writable = true);

  /// Runs one step and reports how it went.
  void step(const std::string& name, const std::function<void()>& body);
  /// Like step, in a child process, so that a crash costs this step alone. Only for checks that have not initialised
  /// the module before: what a module does after fork() is its own chapter.
  void isolated_step(const std::string& name, const std::function<void()>& body);

  /// Records a failure and goes on.
  bool expect(bool condition, const std::string& what);
  bool expect_rv(const std::string& call, CK_RV got, std::initializer_list<CK_RV> allowed);
  /// Ends the step when the condition does not hold.
  void require(bool condition, const std::string& what);
  void require_ok(const std::string& call, CK_RV got);
  [[noreturn]] void skip(const std::string& reason);

 private:
  std::string full_name(const std::string& step) const;
  Finding run(const std::string& name, const std::function<void()>& body);
  void initialise();

  const Target& target_;
  std::string check_;
  Sink sink_;
  Announce announce_;
  std::unique_ptr<p11::Module> module_;
  std::optional<CK_SLOT_ID> slot_;
  bool initialised_ = false;
  std::vector<std::string> failures_;
};

/// A row of checks.def.
struct Check {
  const char* name;
  const char* summary;
  void (*run)(Context& context);
};

#define CARDEA_CHECK(name, summary) void check_##name(Context& context);
#include "conformance/checks.def"
#undef CARDEA_CHECK

/// All checks in the order of checks.def.
const std::vector<Check>& all_checks();

/// Runs a check in a child process and gives its findings; a crash or an overrun of `seconds` is a finding too.
std::vector<Finding> run_check(const Check& check, const Target& target, int seconds);

/// "CKR_OK" and the like.
std::string rv_name(CK_RV rv);
std::string mechanism_name(CK_MECHANISM_TYPE type);

}  // namespace cardea::conformance
