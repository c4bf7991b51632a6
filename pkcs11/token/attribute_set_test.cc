#include "token/attribute_set.h"

#include <boost/test/unit_test.hpp>

#include "token/object.h"

namespace cardea {
namespace {

AttributeSet sample() {
  AttributeSet set;
  set.set_text(CKA_LABEL, "label");
  set.set_ulong(CKA_CLASS, CKO_DATA);
  set.set_bool(CKA_TOKEN, true);
  set.set(CKA_VALUE, {});
  return set;
}

BOOST_AUTO_TEST_CASE(values_come_back) {
  const AttributeSet set = sample();
  BOOST_TEST(set.count() == 4U);
  BOOST_TEST(text_of(set.get(CKA_LABEL).value()) == "label");
  BOOST_TEST(set.get_ulong(CKA_CLASS).value() == CKO_DATA);
  BOOST_TEST(set.get_bool(CKA_TOKEN));
  BOOST_TEST(set.get(CKA_VALUE).value().empty());
  BOOST_TEST(!set.has(CKA_PRIVATE));
  BOOST_TEST(set.get_bool(CKA_PRIVATE, true));
  BOOST_TEST(set.get_ulong(CKA_LABEL, 7) == 7U);
}

BOOST_AUTO_TEST_CASE(order_of_setting_does_not_matter) {
  AttributeSet other;
  other.set(CKA_VALUE, {});
  other.set_bool(CKA_TOKEN, true);
  other.set_text(CKA_LABEL, "label");
  other.set_ulong(CKA_CLASS, CKO_DATA);
  BOOST_TEST((other == sample()));
  CK_ATTRIBUTE_TYPE previous = 0;
  other.for_each([&](const AttributeSet::Entry& entry) {
    BOOST_TEST((entry.type == 0 || entry.type > previous));
    previous = entry.type;
  });
}

BOOST_AUTO_TEST_CASE(replacing_and_erasing) {
  AttributeSet set = sample();
  set.set_text(CKA_LABEL, "a longer label");
  BOOST_TEST(text_of(set.get(CKA_LABEL).value()) == "a longer label");
  set.set_text(CKA_LABEL, "");
  BOOST_TEST(set.get(CKA_LABEL).value().empty());
  BOOST_TEST(set.count() == 4U);
  set.erase(CKA_LABEL);
  set.erase(CKA_LABEL);
  set.erase(CKA_ID);
  BOOST_TEST(set.count() == 3U);
  BOOST_TEST(set.get_ulong(CKA_CLASS).value() == CKO_DATA);
  BOOST_TEST(set.has(CKA_VALUE));
}

BOOST_AUTO_TEST_CASE(a_value_from_the_set_itself_can_be_set) {
  AttributeSet set = sample();
  set.set(CKA_ID, set.get(CKA_LABEL).value());
  set.set(CKA_LABEL, set.get(CKA_LABEL).value().subspan(1));
  BOOST_TEST(text_of(set.get(CKA_ID).value()) == "label");
  BOOST_TEST(text_of(set.get(CKA_LABEL).value()) == "abel");
}

BOOST_AUTO_TEST_CASE(the_block_is_its_serialised_form) {
  const AttributeSet set = sample();
  const auto parsed = AttributeSet::parse(set.serialised());
  BOOST_TEST_REQUIRE(parsed.ok());
  BOOST_TEST((*parsed == set));
  BOOST_TEST(AttributeSet::parse({}).ok());
}

BOOST_AUTO_TEST_CASE(every_truncation_is_either_shorter_or_corrupt) {
  const AttributeSet set = sample();
  for (std::size_t size = 0; size < set.serialised().size(); ++size) {
    const auto parsed = AttributeSet::parse(set.serialised().first(size));
    if (parsed) {
      BOOST_TEST(parsed->count() < set.count());
    } else {
      BOOST_TEST((parsed.code() == Code::store_corrupt));
    }
  }
}

BOOST_AUTO_TEST_CASE(disorder_and_repetition_are_corrupt) {
  AttributeSet label;
  label.set_text(CKA_LABEL, "x");
  AttributeSet token;
  token.set_bool(CKA_TOKEN, true);
  Bytes swapped = to_bytes(label.serialised());
  swapped.insert(swapped.end(), token.serialised().begin(), token.serialised().end());
  BOOST_TEST((AttributeSet::parse(swapped).code() == Code::store_corrupt));
  Bytes twice = to_bytes(label.serialised());
  twice.insert(twice.end(), label.serialised().begin(), label.serialised().end());
  BOOST_TEST((AttributeSet::parse(twice).code() == Code::store_corrupt));
}

BOOST_AUTO_TEST_CASE(no_slack_is_kept) {
  const AttributeSet set = sample();
  BOOST_TEST(set.memory() == set.serialised().size());
}

BOOST_AUTO_TEST_CASE(queries_match_by_value_and_hide_private_objects) {
  const Object object{1, sample()};
  Query query;
  BOOST_TEST(matches(object, query));
  query.match.set_text(CKA_LABEL, "label");
  query.match.set_bool(CKA_TOKEN, true);
  BOOST_TEST(matches(object, query));
  query.match.set_bool(CKA_TOKEN, false);
  BOOST_TEST(!matches(object, query));
  query.match = {};
  query.match.set_text(CKA_ID, "");
  BOOST_TEST(!matches(object, query));

  Object hidden = object;
  hidden.attributes.set_bool(CKA_PRIVATE, true);
  query.match = {};
  BOOST_TEST(!matches(hidden, query));
  query.include_private = true;
  BOOST_TEST(matches(hidden, query));
}

}  // namespace
}  // namespace cardea
