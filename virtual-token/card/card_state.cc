#include "card/card_state.h"

#include <fcntl.h>
#include <unistd.h>

#include <boost/json.hpp>
#include <cerrno>
#include <cstdio>
#include <fstream>
#include <iterator>
#include <string>

#include "card/gids_state_json.h"
#include "card/json_fields.h"
#include "card/piv_state_json.h"
#include "card/sample_state_json.h"

namespace cardea::vcard {

namespace json = boost::json;

namespace {

constexpr std::int64_t format_version = 1;

Error system_error(int number, const std::filesystem::path& file) {
  switch (number) {
    case ENOENT:
      return error(Code::not_found, file.string());
    case EACCES:
    case EPERM:
    case EROFS:
      return error(Code::permission_denied, file.string());
    case ENOSPC:
    case EDQUOT:
      return error(Code::device_memory, file.string());
    default:
      return error(Code::device_error, file.string());
  }
}

bool write_all(int descriptor, std::string_view text) {
  while (!text.empty()) {
    const ssize_t done = ::write(descriptor, text.data(), text.size());
    if (done < 0 && errno != EINTR) return false;
    if (done > 0) text.remove_prefix(static_cast<std::size_t>(done));
  }
  return true;
}

Result<CardState> parse_state(std::string_view text) {
  boost::system::error_code failure;
  const json::value document = json::parse(text, failure);
  if (failure || !document.is_object()) return error(Code::store_corrupt, "the card's state is not JSON");
  const json::object& object = document.get_object();
  CARDEA_ASSIGN(const std::int64_t version, number_field(object, "version", 1, INT32_MAX));
  if (version > format_version) return error(Code::store_newer, "the card's state");
  const json::value* kind = object.if_contains("kind");
  if (!kind || !kind->is_string()) return bad_field("kind");
  if (kind->get_string() == "piv") {
    CARDEA_ASSIGN(PivState piv, piv_from_json(object));
    return CardState{std::move(piv)};
  }
  if (kind->get_string() == "gids") {
    CARDEA_ASSIGN(GidsState gids, gids_from_json(object));
    return CardState{std::move(gids)};
  }
  if (kind->get_string() == "sample") {
    CARDEA_ASSIGN(SampleState sample, sample_from_json(object));
    return CardState{std::move(sample)};
  }
  return bad_field("kind");
}

json::object content_to_json(const CardState& state) {
  if (const auto* gids = std::get_if<GidsState>(&state.content)) return gids_to_json(*gids);
  if (const auto* sample = std::get_if<SampleState>(&state.content)) return sample_to_json(*sample);
  return piv_to_json(std::get<PivState>(state.content));
}

}  // namespace

Result<CardState> read_state(const std::filesystem::path& file) {
  std::ifstream in(file, std::ios::binary);
  if (!in) return system_error(errno, file);
  std::string text{std::istreambuf_iterator<char>(in), {}};
  auto state = parse_state(text);
  wipe({reinterpret_cast<Byte*>(text.data()), text.size()});
  return state;
}

Status write_state(const std::filesystem::path& file, const CardState& state) {
  json::object object = content_to_json(state);
  object["version"] = format_version;
  object["kind"] = state.kind();
  std::string text = json::serialize(object) + "\n";
  // No fsync: the card must survive the end of its process, not of the machine, and a real card answers in
  // milliseconds.
  const std::string fresh = file.string() + ".new";
  const int descriptor = ::open(fresh.c_str(), O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
  if (descriptor < 0) return system_error(errno, file);
  const bool written = write_all(descriptor, text);
  const int reason = errno;
  ::close(descriptor);
  wipe({reinterpret_cast<Byte*>(text.data()), text.size()});
  if (written && ::rename(fresh.c_str(), file.c_str()) == 0) return {};
  const int last = written ? errno : reason;
  ::unlink(fresh.c_str());
  return system_error(last, file);
}

}  // namespace cardea::vcard
