// States and transitions (lifecycle.def): what may follow what, refused by name when it may not.
#pragma once

#include <cstdint>
#include <optional>
#include <string_view>

#include "base/result.h"

namespace cardea::manager {

// One enumeration a subject, all from the one table.
#define CARDEA_TRANSITION(subject, event, from, to)
#define CARDEA_STATE(subject, state, words) CARDEA_STATE_OF_##subject(state)

#define CARDEA_STATE_OF_token(state) state,
#define CARDEA_STATE_OF_request(state)
#define CARDEA_STATE_OF_job(state)
#define CARDEA_STATE_OF_certificate(state)
enum class TokenState : std::uint8_t {
#include "domain/lifecycle.def"
};
#undef CARDEA_STATE_OF_token
#undef CARDEA_STATE_OF_request
#define CARDEA_STATE_OF_token(state)
#define CARDEA_STATE_OF_request(state) state,
enum class RequestState : std::uint8_t {
#include "domain/lifecycle.def"
};
#undef CARDEA_STATE_OF_request
#undef CARDEA_STATE_OF_job
#define CARDEA_STATE_OF_request(state)
#define CARDEA_STATE_OF_job(state) state,
enum class JobState : std::uint8_t {
#include "domain/lifecycle.def"
};
#undef CARDEA_STATE_OF_job
#undef CARDEA_STATE_OF_certificate
#define CARDEA_STATE_OF_job(state)
#define CARDEA_STATE_OF_certificate(state) state,
enum class CertificateState : std::uint8_t {
#include "domain/lifecycle.def"
};
#undef CARDEA_STATE_OF_token
#undef CARDEA_STATE_OF_request
#undef CARDEA_STATE_OF_job
#undef CARDEA_STATE_OF_certificate
#undef CARDEA_STATE
#undef CARDEA_TRANSITION

/// The state's name as in the table.
std::string_view name(TokenState state);
std::string_view name(RequestState state);
std::string_view name(JobState state);
std::string_view name(CertificateState state);

/// The inverse; data_invalid for a word that is no state.
template <class State>
Result<State> state_of(std::string_view name);

/// The state after an event; action_prohibited with a sentence that names subject, state, event, and the events that
/// are possible, when the table has no such transition.
template <class State>
Result<State> after(State from, std::string_view event);

}  // namespace cardea::manager
