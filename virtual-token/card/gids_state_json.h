// A GIDS card's state as JSON.
#pragma once

#include <boost/json.hpp>

#include "base/result.h"
#include "card/gids_state.h"

namespace cardea::vcard {

boost::json::object gids_to_json(const GidsState& state);

/// Codes: store_corrupt, naming the field.
Result<GidsState> gids_from_json(const boost::json::object& object);

}  // namespace cardea::vcard
