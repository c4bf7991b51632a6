// JSON bodies and the daemon's settings with any content: what routes ask of a body, and the documents of profiles,
// certificate policies, PIN policies and authorities, which are checked when they are saved.
#include <cstddef>
#include <cstdint>
#include <cstdlib>

#include <boost/json.hpp>

#include "daemon/settings.h"
#include "domain/certificate_policy.h"
#include "domain/profile.h"
#include "embedded/settings.h"
#include "http/json_reader.h"
#include "pins/pin_policy.h"

using namespace cardea;

namespace {

/// Every kind of question on the same few names, so that each meets each kind of value.
void ask_everything(const boost::json::object& body) {
  std::vector<http::FieldError> errors;
  http::JsonReader reader(body, errors);
  const auto text = reader.required_string("a", 16);
  if (text.size() > 16) std::abort();
  (void)reader.optional_text("b", 64);
  (void)reader.required_word("c", {"one", "two"});
  const auto number = reader.required_number("d", -5, 5);
  (void)reader.optional_bool("e");
  if (reader.strings("f", 3, 8).size() > 3 || reader.numbers("g", 3, 0, 9).size() > 3) std::abort();
  (void)reader.string_map("h", 3, 8);
  const auto bytes = reader.required_base64("i", 32);
  if (bytes.size() > 48) std::abort();
  if (auto inside = reader.optional_object("j")) (void)inside->required_string("a", 4);
  for (auto& one : reader.objects("k", 3)) (void)one.required_bool("a");
  const Status done = reader.done();
  if (done && (!errors.empty() || text.empty() || number < -5 || number > 5)) std::abort();
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const std::string_view text(reinterpret_cast<const char*>(data), size);
  if (size > 0 && data[0] == '[') {
    (void)manager::parse_settings(text, "/nowhere/manager.toml");
    return 0;
  }
  const auto body = http::parse_object(text);
  if (!body) return 0;
  ask_everything(*body);
  if (const auto rules = manager::read_profile(*body); rules && rules->device_kinds.empty()) std::abort();
  (void)manager::read_policy(*body);
  (void)pins::read_pin_policy(*body);
  (void)ca::read_settings(*body);
  return 0;
}
