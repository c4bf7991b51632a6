// What a PIN must be like (requirements L10). The policy is a part of the credential profile: the daemon reads it when
// a profile is saved, the agent when a PIN is set, both by this. The token enforces what it can, the agent the rest.
// The PIN is seen by nobody else.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include <boost/json/object.hpp>

#include "base/result.h"
#include "base/secret.h"

namespace cardea::pins {

/// Kinds of characters.
enum class CharacterClass : std::uint8_t { digits, lower, upper, symbols };

/// A profile's `pin_policy`, read. Lengths are counted in bytes, as tokens count them.
struct PinPolicy {
  std::size_t min_length = 6;
  std::size_t max_length = 255;
  std::vector<CharacterClass> required;  ///< at least one character of each
  std::vector<CharacterClass> allowed;   ///< nothing else; empty: everything
  std::size_t max_repeats = 0;           ///< longest run of one character; 0: no limit
  std::size_t max_sequence = 0;          ///< longest run up or down ("4567", "dcba"); 0: no limit
  bool weak_list = true;                 ///< those that everybody takes are refused (weak_pins.def)
  std::vector<std::string> weak;         ///< further ones that are refused, compared without regard to case
  std::size_t history = 0;               ///< so many former PINs may not come back
  std::uint32_t expires_days = 0;        ///< 0: never
  bool first_use_change = false;         ///< a random initial PIN must be changed when it is first used
};

/// What is wrong with a member of a policy.
struct PolicyMistake {
  std::string member;
  std::string sentence;  ///< goes behind the member's name
};

/// Reads {"min_length", "max_length", "required", "allowed", "max_repeats", "max_sequence", "weak_list", "weak",
/// "history", "expires_days", "first_use_change"}; what is left out has the default above. Members that make no sense,
/// and unknown ones, are added to the mistakes; the policy is good when there are none.
PinPolicy read_pin_policy(const boost::json::object& document, std::vector<PolicyMistake>& mistakes);
/// The same; arguments_bad names the first mistake.
Result<PinPolicy> read_pin_policy(const boost::json::object& document);

/// The policy with the lengths that the token takes. arguments_bad when nothing is left.
Result<PinPolicy> within_token(PinPolicy policy, std::size_t min_length, std::size_t max_length);

/// Whether a PIN is as the policy wants it, but for its history: pin_length, pin_invalid (a character that is not
/// allowed), pin_too_weak; the detail says what is missing and nothing of the PIN.
Status check_pin(const PinPolicy& policy, const Pin& pin);

/// One sentence for the person who chooses a PIN.
std::string describe_policy(const PinPolicy& policy);

/// A random PIN of the policy's shortest length, or eight characters where that is shorter and allowed.
Result<Pin> random_pin(const PinPolicy& policy);

/// Who makes sure of a rule: the token, or the agent.
struct Enforcement {
  std::string_view rule;  ///< "length", "characters", "runs", "weak", "history"
  bool by_token = false;
};
/// What the rule looks at, in words.
std::string_view words_of_rule(std::string_view rule);
/// For each rule that the policy has.
std::vector<Enforcement> enforcement(const PinPolicy& policy, std::size_t token_min_length,
                                     std::size_t token_max_length);

}  // namespace cardea::pins
