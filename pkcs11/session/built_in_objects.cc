#include "session/built_in_objects.h"

#include <array>
#include <chrono>
#include <cstdio>

#include "mechanism/mechanism.h"

namespace cardea {
namespace {

constexpr std::array profiles{CKP_BASELINE_PROVIDER, CKP_EXTENDED_PROVIDER, CKP_AUTHENTICATION_TOKEN,
                              CKP_PUBLIC_CERTIFICATES_TOKEN};
constexpr ObjectId first_profile = 1;
constexpr ObjectId clock_id = 0x100;
constexpr ObjectId first_mechanism = 0x1000;

AttributeSet common_attributes(CK_OBJECT_CLASS object_class) {
  AttributeSet attributes;
  attributes.set_ulong(CKA_CLASS, object_class);
  attributes.set_bool(CKA_TOKEN, true);
  attributes.set_bool(CKA_PRIVATE, false);
  attributes.set_bool(CKA_MODIFIABLE, false);
  attributes.set_bool(CKA_COPYABLE, false);
  attributes.set_bool(CKA_DESTROYABLE, false);
  return attributes;
}

ObjectPtr make_object(ObjectId id, AttributeSet attributes) {
  return std::make_shared<const Object>(Object{id, std::move(attributes)});
}

ObjectPtr profile_object(std::size_t index) {
  AttributeSet attributes = common_attributes(CKO_PROFILE);
  attributes.set_ulong(CKA_PROFILE_ID, profiles[index]);
  return make_object(first_profile + index, std::move(attributes));
}

ObjectPtr mechanism_object(std::size_t index) {
  const Mechanism& mechanism = *mechanisms().all()[index];
  AttributeSet attributes = common_attributes(CKO_MECHANISM);
  attributes.set_ulong(CKA_MECHANISM_TYPE, mechanism.type());
  return make_object(first_mechanism + index, std::move(attributes));
}

ObjectPtr clock_object() {
  AttributeSet attributes = common_attributes(CKO_HW_FEATURE);
  attributes.set_ulong(CKA_HW_FEATURE_TYPE, CKH_CLOCK);
  attributes.set_text(CKA_VALUE, utc_time());
  return make_object(clock_id, std::move(attributes));
}

}  // namespace

std::string utc_time() {
  using namespace std::chrono;
  // Not gmtime_r(), which reads the description of the local time zone first.
  const auto now = floor<seconds>(system_clock::now());
  const auto today = floor<days>(now);
  const year_month_day date(today);
  const hh_mm_ss time(now - today);
  std::array<char, 64> text{};
  std::snprintf(text.data(), text.size(), "%04d%02u%02u%02d%02d%02d00", static_cast<int>(date.year()),
                static_cast<unsigned>(date.month()), static_cast<unsigned>(date.day()),
                static_cast<int>(time.hours().count()), static_cast<int>(time.minutes().count()),
                static_cast<int>(time.seconds().count()));
  return text.data();
}

Result<ObjectPtr> built_in_object(ObjectId id) {
  if (id >= first_profile && id < first_profile + profiles.size()) return profile_object(id - first_profile);
  if (id == clock_id) return clock_object();
  if (id >= first_mechanism && id < first_mechanism + mechanisms().all().size()) {
    return mechanism_object(id - first_mechanism);
  }
  return Code::object_handle_invalid;
}

CK_MECHANISM_INFO offered(Token& token, const Mechanism& mechanism) {
  CK_MECHANISM_INFO info = mechanism.info();
  if (!mechanism.served_by(token.primitives())) info.flags = 0;
  token.narrow(mechanism.type(), info);
  return info;
}

void find_built_in_objects(Token& token, const Query& query, const ObjectSink& sink) {
  const auto offer = [&](const ObjectPtr& object) {
    if (matches(*object, query)) sink(object);
  };
  const auto wanted = query.match.get_ulong(CKA_CLASS);
  // A search for keys or certificates, by far the most common, has nothing to see here.
  if (wanted ? *wanted == CKO_PROFILE : query.match.count() == 0) {
    for (std::size_t i = 0; i < profiles.size(); ++i) offer(profile_object(i));
  }
  if (wanted == CKO_HW_FEATURE) offer(clock_object());
  if (wanted == CKO_MECHANISM) {
    for (std::size_t i = 0; i < mechanisms().all().size(); ++i) {
      if (offered(token, *mechanisms().all()[i]).flags != 0) offer(mechanism_object(i));
    }
  }
}

}  // namespace cardea
