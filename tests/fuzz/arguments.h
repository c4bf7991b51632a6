// Templates and mechanisms as a hostile but typed caller builds them: structures are well-formed memory, their content
// is anything.
#pragma once

#include "fuzz/input.h"

namespace cardea::fuzz {

struct Template {
  CK_ATTRIBUTE* list;
  CK_ULONG count;
};

/// Any attributes: known and unknown types, right and wrong sizes, nested arrays, duplicates. `object_class` and
/// `key_type` come first unless they are CK_UNAVAILABLE_INFORMATION, so that more inputs get beyond the first check.
Template make_template(Input& input, Memory& memory, CK_ULONG object_class = CK_UNAVAILABLE_INFORMATION,
                       CK_ULONG key_type = CK_UNAVAILABLE_INFORMATION);

/// Handles a parameter may name (HKDF salt, further keys).
using Handles = std::vector<CK_OBJECT_HANDLE>;

/// A mechanism with a parameter of the structure that it takes, of another one, or of plain bytes.
CK_MECHANISM make_mechanism(Input& input, Memory& memory, CK_MECHANISM_TYPE type, const Handles& handles);

/// A parameter of the message functions for the mechanism (CK_GCM_MESSAGE_PARAMS …).
Span make_message_parameter(Input& input, Memory& memory, CK_MECHANISM_TYPE type);

}  // namespace cardea::fuzz
