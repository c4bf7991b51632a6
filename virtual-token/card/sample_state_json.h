// A sample card's state as JSON.
#pragma once

#include <boost/json.hpp>

#include "card/sample_state.h"

namespace cardea::vcard {

boost::json::object sample_to_json(const SampleState& state);
/// store_corrupt, naming the field.
Result<SampleState> sample_from_json(const boost::json::object& object);

}  // namespace cardea::vcard
