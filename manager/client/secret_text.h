// JSON that holds secrets, as text.
#pragma once

#include <boost/json/object.hpp>

#include "base/secret.h"

namespace cardea::client {

/// Serialises without leaving a copy behind: a text that grows would, at each of its former places.
SecretBytes secret_text(const boost::json::object& object);

}  // namespace cardea::client
