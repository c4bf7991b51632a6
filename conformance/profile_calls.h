// The calls a profile test case can make.
#pragma once

#include <pugixml.hpp>
#include <string>

#include "conformance/profile_values.h"

namespace cardea::conformance {

/// What a call has at hand.
struct ProfileCall {
  const p11::Module& module;
  CK_SLOT_ID slot;             ///< the slot under test, always first in answers
  const pugi::xml_node& call;  ///< the call element
  const Variables& variables;
  pugi::xml_node answer;  ///< filled with what the module answered, in the test cases' form
};

/// Makes the call. Throws std::runtime_error for a function or a value that the runner does not know.
CK_RV make_profile_call(ProfileCall& call);

}  // namespace cardea::conformance
