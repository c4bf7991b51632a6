// What the steps on operations work with.
#pragma once

#include <functional>
#include <string>

#include "conformance/recipe.h"

namespace cardea::conformance {

/// A session of the step's own in which the user is logged in, and keys on demand.
struct Stage {
  Context& context;
  KeyRing& ring;
  const p11::Module& module;
  CK_SESSION_HANDLE s;
};
using StageBody = std::function<void(const Stage&)>;

/// Runs `body` as a step with a stage of its own; skipped without a PIN (Context::user_session).
inline void stage_step(Context& context, const std::string& name, const StageBody& body) {
  context.step(name, [&] {
    const auto session = context.user_session();
    KeyRing ring(context, *session);
    body(Stage{context, ring, context.module(), *session});
  });
}

}  // namespace cardea::conformance
