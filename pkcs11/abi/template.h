// Attribute templates at the C interface: a caller's taken in safely, values written back by the standard's rules.
#pragma once

#include <functional>

#include "session/object_management.h"

namespace cardea::abi {

/// A caller's template, checked for memory: arguments_bad for null with a count, template_inconsistent for more than
/// template_limit entries, attribute_value_invalid for a null value with a length or one of more than value_limit
/// bytes. Nothing beyond the given entries is touched.
Result<Template> caller_template(const CK_ATTRIBUTE* attributes, CK_ULONG count);

/// Where the values come from: AttributeReader::read of an object.
using AttributeSource = std::function<Result<AttributeReader::Value>(CK_ATTRIBUTE_TYPE)>;

/// C_GetAttributeValue (PKCS#11 3.2, 5.7.5): fills every entry it can, sets ulValueLen to CK_UNAVAILABLE_INFORMATION in
/// those it cannot, and answers attribute_sensitive, attribute_type_invalid or buffer_too_small, the first that applies
/// in this order.
Status read_attributes(const AttributeSource& source, CK_ATTRIBUTE* attributes, CK_ULONG count);

}  // namespace cardea::abi
