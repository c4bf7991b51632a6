// The person at this terminal, or the files that stand for one, for what agents run.
#pragma once

#include "agent/user.h"
#include "cli/context.h"

namespace cardea::cli {

class TerminalUser final : public agent::User {
 public:
  /// `context` must outlive the object.
  explicit TerminalUser(const Context& context) : context_(context) {}

  void tell(std::string_view line) override;
  Result<Pin> present_pin(std::string_view token, bool refused) override;
  Result<Pin> present_last_pin(std::string_view token) override;
  Result<bool> turn_to_pad(std::string_view token, bool refused, bool last) override;
  Result<Pin> new_pin(std::string_view token, std::string_view rules, std::string_view problem) override;
  Status show_pin(std::string_view token, const Pin& pin) override;

 private:
  /// Whether PINs come from a file or standard input, not from a person.
  bool by_itself() const;
  /// Without the files, so that the PIN comes from standard input or the terminal.
  Context typed() const;

  const Context& context_;
};

}  // namespace cardea::cli
