// One call, or one whole operation, of a hostile caller.
#pragma once

#include "fuzz/rig.h"

namespace cardea::fuzz {

/// A whole operation of any verb with this mechanism and any key: init, then one part or several, with buffers that are
/// too small at times. What it makes goes into rig.handles.
void try_mechanism(Rig& rig, Input& input, Memory& memory, CK_MECHANISM_TYPE type);

/// Starts an operation of any kind and leaves it under way.
void begin_operation(Rig& rig, Input& input, Memory& memory, CK_MECHANISM_TYPE type);

/// Any single call in any state.
void any_call(Rig& rig, Input& input, Memory& memory);

}  // namespace cardea::fuzz
