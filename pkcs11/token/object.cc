#include "token/object.h"

namespace cardea {

bool matches(const Object& object, const Query& query) noexcept {
  if (!query.include_private && object.is_private()) return false;
  bool all = true;
  query.match.for_each([&](const AttributeSet::Entry& wanted) {
    if (!all) return;
    const auto value = object.attributes.get(wanted.type);
    all = value && same_bytes(*value, wanted.value);
  });
  return all;
}

}  // namespace cardea
