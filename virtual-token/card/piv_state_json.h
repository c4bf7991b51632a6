// A PIV card's state as JSON.
#pragma once

#include <boost/json.hpp>

#include "base/result.h"
#include "card/piv_state.h"

namespace cardea::vcard {

boost::json::object piv_to_json(const PivState& state);

/// Codes: store_corrupt, naming the field.
Result<PivState> piv_from_json(const boost::json::object& object);

}  // namespace cardea::vcard
