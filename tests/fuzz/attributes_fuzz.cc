// Serialised attribute sets, as they stand in a store, and templates through the attribute rules.
#include <algorithm>
#include <cstdlib>

#include "fuzz/arguments.h"
#include "token/object_rules.h"
#include "token/wrap_policy.h"

using namespace cardea;

namespace {

void require(bool condition) {
  if (!condition) std::abort();
}

void parse(ByteView bytes) {
  Result<AttributeSet> parsed = AttributeSet::parse(bytes);
  if (!parsed) return;
  require(same_bytes(parsed->serialised(), bytes));
  std::size_t count = 0;
  AttributeSet again;
  parsed->for_each([&](AttributeSet::Entry entry) {
    ++count;
    again.set(entry.type, entry.value);
    require(parsed->get(entry.type).has_value());
    parsed->get_bool(entry.type);
    parsed->get_ulong(entry.type);
  });
  require(count == parsed->count());
  require(again == *parsed);
  const Object object{1, std::move(again)};
  parsed->for_each([&](AttributeSet::Entry entry) { visibility(object, entry.type); });
  usage_ever(object.attributes);
  require(matches(object, Query{object.attributes, true}));
}

// What abi/template.cc lets through: null only with no length.
bool is_sound(const fuzz::Template& given) {
  return given.list != nullptr && std::all_of(given.list, given.list + given.count, [](const CK_ATTRIBUTE& attribute) {
           return attribute.pValue != nullptr || attribute.ulValueLen == 0;
         });
}

void rules(fuzz::Input& input) {
  fuzz::Memory memory;
  static constexpr Origin origins[]{Origin::create, Origin::generate, Origin::unwrap, Origin::derive, Origin::copy};
  const fuzz::Template list = fuzz::make_template(input, memory, input.up_to(10), input.up_to(0x40));
  if (!is_sound(list)) return;
  const Template attributes(list.list, list.count);
  const Actor actor{input.chance(), input.chance(), input.chance(), input.chance()};
  const Origin origin = input.one_of(origins);
  Result<NewObject> made = new_object(origin, attributes, {}, actor);
  (void)search_template(attributes);
  if (!made) return;
  KeyFacts facts;
  facts.sources_sensitive = input.chance();
  facts.sources_extractable = input.chance();
  facts.must_be_sensitive = input.chance();
  if (!finish_key(*made, origin, facts)) return;
  const Object object{1, made->attributes};
  const fuzz::Template more = fuzz::make_template(input, memory);
  if (!is_sound(more)) return;
  const Template changes(more.list, more.count);
  if (const Result<AttributeSet> changed = changed_attributes(object, changes, actor)) {
    // The two ladders of the standard: sensitive stays, unextractable stays (PKCS#11 3.2, 4.9 and 4.10).
    require(!object.attributes.get_bool(CKA_SENSITIVE) || changed->get_bool(CKA_SENSITIVE));
    require(object.attributes.get_bool(CKA_EXTRACTABLE, true) || !changed->get_bool(CKA_EXTRACTABLE, true));
  }
  if (const Result<AttributeSet> copied = copied_attributes(object, changes, actor)) {
    require(!object.attributes.get_bool(CKA_SENSITIVE) || copied->get_bool(CKA_SENSITIVE));
    require(object.attributes.get_bool(CKA_EXTRACTABLE, true) || !copied->get_bool(CKA_EXTRACTABLE, true));
  }
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  parse({data, size});
  fuzz::Input input(data, size);
  rules(input);
  return 0;
}
