#include "abi/template.h"

#include <array>
#include <boost/test/unit_test.hpp>
#include <cstring>

namespace cardea::abi {
namespace {

template <class T>
std::string outcome(const Result<T>& result) {
  return result.ok() ? "ok" : std::string(name(result.code()));
}

BOOST_AUTO_TEST_CASE(templates_are_checked_without_touching_far_memory) {
  Byte value = 1;
  CK_ATTRIBUTE one{CKA_TOKEN, &value, 1};
  BOOST_TEST(outcome(caller_template(&one, 1)) == "ok");
  BOOST_TEST(outcome(caller_template(nullptr, 0)) == "ok");
  BOOST_TEST(outcome(caller_template(nullptr, 1)) == "arguments_bad");
  for (const CK_ULONG absurd : {CK_ULONG{template_limit} + 1, CK_ULONG{1} << 20, ~CK_ULONG{0}}) {
    BOOST_TEST(outcome(caller_template(&one, absurd)) == "template_inconsistent");
  }
  one.ulValueLen = CK_UNAVAILABLE_INFORMATION;
  BOOST_TEST(outcome(caller_template(&one, 1)) == "attribute_value_invalid");
  one = {CKA_TOKEN, nullptr, 1};
  BOOST_TEST(outcome(caller_template(&one, 1)) == "attribute_value_invalid");
  one = {CKA_LABEL, nullptr, 0};
  BOOST_TEST(outcome(caller_template(&one, 1)) == "ok");
}

/// An object with a label, a nested template and a sensitive value.
struct Sample {
  AttributeSet attributes;

  Sample() {
    AttributeSet nested;
    nested.set_bool(CKA_SENSITIVE, true);
    nested.set_ulong(CKA_KEY_TYPE, CKK_AES);
    attributes.set_text(CKA_LABEL, "label");
    attributes.set(CKA_UNWRAP_TEMPLATE, nested.serialised());
  }

  Status read(CK_ATTRIBUTE* wanted, CK_ULONG count) const {
    const auto source = [this](CK_ATTRIBUTE_TYPE type) -> Result<AttributeReader::Value> {
      if (type == CKA_VALUE) return AttributeReader::Value{Visibility::sensitive, {}};
      const auto value = attributes.get(type);
      return AttributeReader::Value{value ? Visibility::shown : Visibility::absent, value.value_or(ByteView{})};
    };
    return read_attributes(source, wanted, count);
  }
};

BOOST_AUTO_TEST_CASE(values_lengths_and_obstacles_are_told_for_each_attribute) {
  const Sample sample;
  std::array<char, 8> room{};
  std::array<char, 2> little{};
  std::array<CK_ATTRIBUTE, 4> wanted{{{CKA_LABEL, room.data(), room.size()},
                                      {CKA_LABEL, nullptr, 99},
                                      {CKA_LABEL, little.data(), little.size()},
                                      {CKA_ID, nullptr, 0}}};
  BOOST_TEST(outcome(sample.read(wanted.data(), 2)) == "ok");
  BOOST_TEST(wanted[0].ulValueLen == 5U);
  BOOST_TEST(std::string(room.data(), 5) == "label");
  BOOST_TEST(wanted[1].ulValueLen == 5U);
  BOOST_TEST(outcome(sample.read(wanted.data(), 3)) == "buffer_too_small");
  BOOST_TEST(wanted[2].ulValueLen == CK_UNAVAILABLE_INFORMATION);
  BOOST_TEST((little == std::array<char, 2>{}));
  BOOST_TEST(outcome(sample.read(&wanted[3], 1)) == "attribute_type_invalid");
  BOOST_TEST(wanted[3].ulValueLen == CK_UNAVAILABLE_INFORMATION);
}

BOOST_AUTO_TEST_CASE(what_is_readable_is_read_beside_what_is_not) {
  const Sample sample;
  std::array<char, 8> room{};
  std::array<CK_ATTRIBUTE, 3> wanted{
      {{CKA_VALUE, room.data(), room.size()}, {CKA_ID, nullptr, 0}, {CKA_LABEL, room.data(), room.size()}}};
  BOOST_TEST(outcome(sample.read(wanted.data(), wanted.size())) == "attribute_sensitive");
  BOOST_TEST(wanted[0].ulValueLen == CK_UNAVAILABLE_INFORMATION);
  BOOST_TEST(wanted[2].ulValueLen == 5U);
  BOOST_TEST(outcome(sample.read(nullptr, 1)) == "arguments_bad");
  BOOST_TEST(outcome(sample.read(wanted.data(), ~CK_ULONG{0})) == "arguments_bad");
}

BOOST_AUTO_TEST_CASE(nested_templates_are_read_in_three_steps) {
  const Sample sample;
  CK_ATTRIBUTE outer{CKA_UNWRAP_TEMPLATE, nullptr, 0};
  BOOST_TEST(outcome(sample.read(&outer, 1)) == "ok");
  BOOST_TEST_REQUIRE(outer.ulValueLen == 2 * sizeof(CK_ATTRIBUTE));

  std::array<CK_ATTRIBUTE, 2> inner{
      {{CK_UNAVAILABLE_INFORMATION, nullptr, 0}, {CK_UNAVAILABLE_INFORMATION, nullptr, 0}}};
  outer.pValue = inner.data();
  BOOST_TEST(outcome(sample.read(&outer, 1)) == "ok");
  BOOST_TEST(inner[0].type == CKA_KEY_TYPE);
  BOOST_TEST(inner[0].ulValueLen == sizeof(CK_ULONG));
  BOOST_TEST(inner[1].type == CKA_SENSITIVE);
  BOOST_TEST(inner[1].ulValueLen == 1U);

  CK_ULONG type = 0;
  Byte sensitive = 0;
  inner[0].pValue = &type;
  inner[1].pValue = &sensitive;
  BOOST_TEST(outcome(sample.read(&outer, 1)) == "ok");
  BOOST_TEST(type == CKK_AES);
  BOOST_TEST(sensitive == CK_TRUE);
}

BOOST_AUTO_TEST_CASE(part_of_a_nested_template_can_be_asked_for_by_type) {
  const Sample sample;
  Byte sensitive = 0;
  CK_ATTRIBUTE inner{CKA_SENSITIVE, &sensitive, 1};
  CK_ATTRIBUTE outer{CKA_UNWRAP_TEMPLATE, &inner, sizeof inner};
  BOOST_TEST(outcome(sample.read(&outer, 1)) == "ok");
  BOOST_TEST(sensitive == CK_TRUE);
  BOOST_TEST(outer.ulValueLen == sizeof inner);
  inner = {CKA_LABEL, &sensitive, 1};
  BOOST_TEST(outcome(sample.read(&outer, 1)) == "buffer_too_small");
  BOOST_TEST(outer.ulValueLen == CK_UNAVAILABLE_INFORMATION);
}

BOOST_AUTO_TEST_CASE(places_that_are_too_small_are_named) {
  const Sample sample;
  Byte small = 0;
  std::array<CK_ATTRIBUTE, 2> inner{{{CKA_KEY_TYPE, &small, 1}, {CKA_SENSITIVE, &small, 1}}};
  CK_ATTRIBUTE outer{CKA_UNWRAP_TEMPLATE, inner.data(), sizeof inner};
  BOOST_TEST(outcome(sample.read(&outer, 1)) == "buffer_too_small");
  BOOST_TEST(inner[0].ulValueLen == CK_UNAVAILABLE_INFORMATION);
  BOOST_TEST(inner[1].ulValueLen == 1U);
}

}  // namespace
}  // namespace cardea::abi
