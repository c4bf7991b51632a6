#include "domain/lifecycle.h"

#include <array>
#include <span>
#include <string>

namespace cardea::manager {

namespace {

enum class Subject : std::uint8_t { token, request, job, certificate };

struct StateRow {
  Subject subject;
  std::string_view state;
};

struct TransitionRow {
  Subject subject;
  std::string_view event;
  std::string_view from;
  std::string_view to;
};

constexpr StateRow states[] = {
#define CARDEA_STATE(subject, state, words) {Subject::subject, #state},
#define CARDEA_TRANSITION(subject, event, from, to)
#include "domain/lifecycle.def"
#undef CARDEA_STATE
#undef CARDEA_TRANSITION
};

constexpr TransitionRow transitions[] = {
#define CARDEA_STATE(subject, state, words)
#define CARDEA_TRANSITION(subject, event, from, to) {Subject::subject, #event, #from, #to},
#include "domain/lifecycle.def"
#undef CARDEA_STATE
#undef CARDEA_TRANSITION
};

constexpr std::string_view subject_name(Subject subject) {
  constexpr std::array names = {"token", "request", "job", "certificate"};
  return names[static_cast<std::size_t>(subject)];
}

template <class State>
constexpr Subject subject_of = Subject::token;
template <>
constexpr Subject subject_of<RequestState> = Subject::request;
template <>
constexpr Subject subject_of<JobState> = Subject::job;
template <>
constexpr Subject subject_of<CertificateState> = Subject::certificate;

// An enumeration's values stand in the order in which its states stand in the table.
std::string_view name_at(Subject subject, std::size_t wanted) {
  std::size_t index = 0;
  for (const auto& row : states)
    if (row.subject == subject && index++ == wanted) return row.state;
  return "unknown";
}

std::string refusal(Subject subject, std::string_view from, std::string_view event) {
  std::string possible;
  for (const auto& row : transitions)
    if (row.subject == subject && row.from == from) possible += (possible.empty() ? "" : ", ") + std::string(row.event);
  return "a " + std::string(subject_name(subject)) + " that is " + std::string(from) + " knows no '" +
         std::string(event) + "'; possible: " + (possible.empty() ? "nothing" : possible);
}

template <class State>
std::string_view name_of(State state) {
  return name_at(subject_of<State>, static_cast<std::size_t>(state));
}

}  // namespace

std::string_view name(TokenState state) {
  return name_of(state);
}
std::string_view name(RequestState state) {
  return name_of(state);
}
std::string_view name(JobState state) {
  return name_of(state);
}
std::string_view name(CertificateState state) {
  return name_of(state);
}

template <class State>
Result<State> state_of(std::string_view name) {
  std::uint8_t index = 0;
  for (const auto& row : states) {
    if (row.subject != subject_of<State>) continue;
    if (row.state == name) return static_cast<State>(index);
    ++index;
  }
  return error(Code::data_invalid, "no state of a " + std::string(subject_name(subject_of<State>)) + " is called '" +
                                       std::string(name) + "'");
}

template <class State>
Result<State> after(State from, std::string_view event) {
  for (const auto& row : transitions)
    if (row.subject == subject_of<State> && row.from == name_of(from) && row.event == event)
      return state_of<State>(row.to);
  return error(Code::action_prohibited, refusal(subject_of<State>, name_of(from), event));
}

template Result<TokenState> state_of(std::string_view);
template Result<RequestState> state_of(std::string_view);
template Result<JobState> state_of(std::string_view);
template Result<CertificateState> state_of(std::string_view);
template Result<TokenState> after(TokenState, std::string_view);
template Result<RequestState> after(RequestState, std::string_view);
template Result<JobState> after(JobState, std::string_view);
template Result<CertificateState> after(CertificateState, std::string_view);

}  // namespace cardea::manager
