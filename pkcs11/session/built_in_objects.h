// Objects the module itself shows on every token: profiles, mechanisms and the clock (PKCS#11 3.2, 4.13, 4.12 and 4.3).
#pragma once

#include <string>

#include "mechanism/mechanism.h"
#include "token/token.h"

namespace cardea {

/// The time as CK_TOKEN_INFO and the clock object show it: YYYYMMDDhhmmss00, UTC.
std::string utc_time();

/// The built-in object with that id; object_handle_invalid when there is none.
Result<ObjectPtr> built_in_object(ObjectId id);

/// What the module says of a mechanism on this token, after the token has narrowed it: without flags it is not offered.
CK_MECHANISM_INFO offered(Token& token, const Mechanism& mechanism);

/// Those that match. Mechanisms and the clock show only when a search names their class, so that a client which lists a
/// token is not drowned in them.
void find_built_in_objects(Token& token, const Query& query, const ObjectSink& sink);

}  // namespace cardea
