#include "pins/pin_policy.h"

#include <fmt/format.h>
#include <boost/json.hpp>

#include <algorithm>
#include <array>

#include "crypto/random.h"

namespace cardea::pins {
namespace {

namespace json = boost::json;

constexpr std::size_t longest = 255;
constexpr std::array<std::string_view, 4> class_words{"digits", "lower", "upper", "symbols"};
constexpr std::string_view weak_pins[] = {
#define CARDEA_WEAK_PIN(text) text,
#include "pins/weak_pins.def"
#undef CARDEA_WEAK_PIN
};

Byte lower(Byte character) {
  return character >= 'A' && character <= 'Z' ? static_cast<Byte>(character | 0x20) : character;
}

CharacterClass class_of(Byte character) {
  if (character >= '0' && character <= '9') return CharacterClass::digits;
  if (character >= 'a' && character <= 'z') return CharacterClass::lower;
  if (character >= 'A' && character <= 'Z') return CharacterClass::upper;
  return CharacterClass::symbols;  // and every byte beyond ASCII
}

bool has(const std::vector<CharacterClass>& classes, CharacterClass wanted) {
  return std::ranges::find(classes, wanted) != classes.end();
}

bool same_text(ByteView pin, std::string_view text) {
  return std::ranges::equal(pin, view_of(text), [](Byte a, Byte b) { return lower(a) == lower(b); });
}

/// The longest run in which each character is the one before plus `step`.
std::size_t longest_run(ByteView pin, int step) {
  std::size_t run = 1;
  std::size_t best = pin.empty() ? 0 : 1;
  for (std::size_t i = 1; i < pin.size(); ++i) {
    const bool goes_on = pin[i] == pin[i - 1] + step && class_of(pin[i]) == class_of(pin[i - 1]);
    run = goes_on ? run + 1 : 1;
    best = std::max(best, run);
  }
  return best;
}

/// Reads members of a document one by one.
class PolicyReader {
 public:
  explicit PolicyReader(std::vector<PolicyMistake>& mistakes) : mistakes_(mistakes) {}

  void refuse(std::string_view member, std::string sentence) {
    mistakes_.push_back({std::string(member), std::move(sentence)});
  }

  void number(const json::value& value, std::string_view member, std::uint64_t most, auto& target) {
    boost::system::error_code problem;
    const auto number = value.to_number<std::uint64_t>(problem);
    if (problem || number > most) return refuse(member, fmt::format("must be a whole number from 0 to {}", most));
    target = static_cast<std::remove_reference_t<decltype(target)>>(number);
  }

  void flag(const json::value& value, std::string_view member, bool& target) {
    if (!value.is_bool()) return refuse(member, "must be true or false");
    target = value.get_bool();
  }

  void classes(const json::value& value, std::string_view member, std::vector<CharacterClass>& target) {
    std::vector<std::string> words;
    texts(value, member, class_words.size(), words);
    for (const std::string& word : words) {
      const auto* const found = std::ranges::find(class_words, word);
      if (found == class_words.end()) return refuse(member, "may hold digits, lower, upper and symbols");
      target.push_back(static_cast<CharacterClass>(found - class_words.begin()));
    }
  }

  void texts(const json::value& value, std::string_view member, std::size_t most, std::vector<std::string>& target) {
    if (!value.is_array() || value.get_array().size() > most) {
      return refuse(member, fmt::format("must be a list of at most {} texts", most));
    }
    for (const json::value& each : value.get_array()) {
      if (!each.is_string() || each.get_string().size() > longest) {
        return refuse(member, fmt::format("may hold texts of at most {} bytes only", longest));
      }
      target.emplace_back(each.get_string());
    }
  }

 private:
  std::vector<PolicyMistake>& mistakes_;
};

void read_member(PolicyReader& in, PinPolicy& policy, std::string_view member, const json::value& value) {
  constexpr std::uint64_t most_history = 100;
  constexpr std::uint64_t most_days = 3660;
  constexpr std::size_t most_weak = 1000;
  if (member == "min_length") return in.number(value, member, longest, policy.min_length);
  if (member == "max_length") return in.number(value, member, longest, policy.max_length);
  if (member == "required") return in.classes(value, member, policy.required);
  if (member == "allowed") return in.classes(value, member, policy.allowed);
  if (member == "max_repeats") return in.number(value, member, longest, policy.max_repeats);
  if (member == "max_sequence") return in.number(value, member, longest, policy.max_sequence);
  if (member == "weak_list") return in.flag(value, member, policy.weak_list);
  if (member == "weak") return in.texts(value, member, most_weak, policy.weak);
  if (member == "history") return in.number(value, member, most_history, policy.history);
  if (member == "expires_days") return in.number(value, member, most_days, policy.expires_days);
  if (member == "first_use_change") return in.flag(value, member, policy.first_use_change);
  in.refuse(member, "is no part of a PIN policy");
}

/// What no PIN could fulfil.
void check_together(PolicyReader& in, const PinPolicy& policy) {
  if (policy.min_length == 0 || policy.min_length > policy.max_length) {
    in.refuse("min_length", "must be from 1 to max_length");
  }
  if (policy.required.size() > policy.min_length) in.refuse("required", "asks for more characters than min_length");
  const bool left_out = std::ranges::any_of(policy.required, [&](CharacterClass required) {
    return !policy.allowed.empty() && !has(policy.allowed, required);
  });
  if (left_out) in.refuse("required", "asks for characters that 'allowed' leaves out");
  if (policy.max_sequence == 1) in.refuse("max_sequence", "must be 0 or at least 2");
}

std::string joined(const std::vector<CharacterClass>& classes) {
  constexpr std::array<std::string_view, 4> people{"digits", "small letters", "capital letters", "other characters"};
  std::string text;
  for (std::size_t i = 0; i < classes.size(); ++i) {
    if (i > 0) text += i + 1 == classes.size() ? " and " : ", ";
    text += people[static_cast<std::size_t>(classes[i])];
  }
  return text;
}

}  // namespace

PinPolicy read_pin_policy(const json::object& document, std::vector<PolicyMistake>& mistakes) {
  PinPolicy policy;
  PolicyReader in(mistakes);
  const std::size_t before = mistakes.size();
  for (const auto& [member, value] : document) read_member(in, policy, member, value);
  // What was not understood would make nonsense of the rest.
  if (mistakes.size() == before) check_together(in, policy);
  return policy;
}

Result<PinPolicy> read_pin_policy(const json::object& document) {
  std::vector<PolicyMistake> mistakes;
  PinPolicy policy = read_pin_policy(document, mistakes);
  if (mistakes.empty()) return policy;
  return error(Code::arguments_bad,
               fmt::format("pin_policy: '{}' {}", mistakes.front().member, mistakes.front().sentence));
}

Result<PinPolicy> within_token(PinPolicy policy, std::size_t min_length, std::size_t max_length) {
  policy.min_length = std::max(policy.min_length, min_length);
  policy.max_length = std::min(policy.max_length, max_length);
  if (policy.min_length <= policy.max_length) return policy;
  return error(Code::arguments_bad, fmt::format("the PIN policy asks for PINs that this token cannot have: it takes {} "
                                                "to {} characters",
                                                min_length, max_length));
}

Status check_pin(const PinPolicy& policy, const Pin& pin) {
  const ByteView characters = pin.view();
  if (characters.size() < policy.min_length || characters.size() > policy.max_length) {
    return error(Code::pin_length,
                 fmt::format("the PIN must have {} to {} characters", policy.min_length, policy.max_length));
  }
  const auto holds = [&](CharacterClass wanted) {
    return std::ranges::any_of(characters, [&](Byte each) { return class_of(each) == wanted; });
  };
  for (std::size_t i = 0; i < class_words.size() && !policy.allowed.empty(); ++i) {
    const auto each = static_cast<CharacterClass>(i);
    if (!has(policy.allowed, each) && holds(each)) {
      return error(Code::pin_invalid, fmt::format("the PIN may only have {}", joined(policy.allowed)));
    }
  }
  for (const CharacterClass required : policy.required) {
    if (!holds(required)) return error(Code::pin_too_weak, fmt::format("the PIN must have {}", joined({required})));
  }
  if (policy.max_repeats > 0 && longest_run(characters, 0) > policy.max_repeats) {
    return error(Code::pin_too_weak,
                 fmt::format("the PIN repeats a character more than {} times in a row", policy.max_repeats));
  }
  if (policy.max_sequence > 0 &&
      std::max(longest_run(characters, 1), longest_run(characters, -1)) > policy.max_sequence) {
    return error(Code::pin_too_weak,
                 fmt::format("the PIN counts up or down over more than {} characters", policy.max_sequence));
  }
  const auto is_pin = [&](std::string_view text) { return same_text(characters, text); };
  const bool one_character = longest_run(characters, 0) == characters.size();
  if ((policy.weak_list && (one_character || std::ranges::any_of(weak_pins, is_pin))) ||
      std::ranges::any_of(policy.weak, is_pin)) {
    return error(Code::pin_too_weak, "the PIN is one of those that are tried first");
  }
  return {};
}

std::string describe_policy(const PinPolicy& policy) {
  std::string text = policy.min_length == policy.max_length
                         ? fmt::format("The PIN has {} characters", policy.min_length)
                         : fmt::format("The PIN has {} to {} characters", policy.min_length, policy.max_length);
  if (!policy.allowed.empty()) text += fmt::format(", only {}", joined(policy.allowed));
  if (!policy.required.empty()) text += fmt::format(", with {}", joined(policy.required));
  if (policy.max_repeats > 0) text += fmt::format(", none more than {} times in a row", policy.max_repeats);
  if (policy.max_sequence > 0) text += fmt::format(", no more than {} counting up or down", policy.max_sequence);
  if (policy.history > 0) text += fmt::format(", not one of the last {}", policy.history);
  return text + ".";
}

Result<Pin> random_pin(const PinPolicy& policy) {
  constexpr std::size_t usual = 8;
  constexpr std::array<std::string_view, 4> alphabets{"0123456789", "abcdefghijkmnopqrstuvwxyz",
                                                      "ABCDEFGHJKLMNPQRSTUVWXYZ", "+-*=.,"};
  std::vector<CharacterClass> classes = policy.required;
  if (classes.empty()) classes = policy.allowed;
  if (classes.empty()) classes = {CharacterClass::digits};
  std::string alphabet;
  for (const CharacterClass each : classes) alphabet += alphabets[static_cast<std::size_t>(each)];
  const std::size_t size = std::clamp(usual, policy.min_length, policy.max_length);
  constexpr int most_attempts = 10000;
  for (int attempt = 0; attempt < most_attempts; ++attempt) {
    SecretBytes text(size);
    for (std::size_t i = 0; i < size;) {
      std::array<Byte, 1> byte{};
      CARDEA_TRY(crypto::random_bytes(byte));
      // So that every character is as likely as the others.
      if (byte[0] >= 256 / alphabet.size() * alphabet.size()) continue;
      text.data()[i++] = static_cast<Byte>(alphabet[byte[0] % alphabet.size()]);
    }
    Pin pin(text.view());
    if (check_pin(policy, pin)) return pin;
  }
  return error(Code::arguments_bad, "hardly any PIN is as the PIN policy wants it");
}

std::string_view words_of_rule(std::string_view rule) {
  constexpr std::array<std::pair<std::string_view, std::string_view>, 5> words{
      {{"length", "its length"},
       {"characters", "which characters are in it"},
       {"runs", "repeats and sequences"},
       {"weak", "whether it is one that everybody takes"},
       {"history", "whether it was used before"}}};
  const auto* const found = std::ranges::find(words, rule, &std::pair<std::string_view, std::string_view>::first);
  return found == words.end() ? rule : found->second;
}

std::vector<Enforcement> enforcement(const PinPolicy& policy, std::size_t token_min_length,
                                     std::size_t token_max_length) {
  std::vector<Enforcement> rules{
      {"length", policy.min_length <= token_min_length && policy.max_length >= token_max_length}};
  if (!policy.required.empty() || !policy.allowed.empty()) rules.push_back({"characters"});
  if (policy.max_repeats > 0 || policy.max_sequence > 0) rules.push_back({"runs"});
  if (policy.weak_list || !policy.weak.empty()) rules.push_back({"weak"});
  if (policy.history > 0) rules.push_back({"history"});
  return rules;
}

}  // namespace cardea::pins
