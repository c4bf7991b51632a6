#include "store/fold.h"

#include <utf8proc.h>

#include <algorithm>
#include <memory>

namespace cardea::manager::store {
namespace {

bool plain(std::string_view text) {
  return std::all_of(text.begin(), text.end(), [](char c) { return c > 0; });
}

struct Free {
  void operator()(utf8proc_uint8_t* text) const noexcept { std::free(text); }  // NOLINT(cppcoreguidelines-no-malloc)
};

const utf8proc_uint8_t* units(std::string_view text) {
  return reinterpret_cast<const utf8proc_uint8_t*>(text.data());
}

}  // namespace

Status check_text(std::string_view text) {
  if (plain(text)) return {};
  std::size_t at = 0;
  while (at < text.size()) {
    utf8proc_int32_t point = 0;
    const auto length = utf8proc_iterate(units(text) + at, static_cast<utf8proc_ssize_t>(text.size() - at), &point);
    if (length <= 0 || point == 0) return error(Code::data_invalid, "a text is no UTF-8, or holds a NUL");
    at += static_cast<std::size_t>(length);
  }
  return {};
}

Result<std::string> fold(std::string_view text) {
  if (plain(text)) {
    std::string folded(text);
    for (char& c : folded)
      if (c >= 'A' && c <= 'Z') c = static_cast<char>(c + ('a' - 'A'));
    return folded;
  }
  CARDEA_TRY(check_text(text));
  utf8proc_uint8_t* raw = nullptr;
  const auto options = static_cast<utf8proc_option_t>(UTF8PROC_STABLE | UTF8PROC_COMPOSE | UTF8PROC_CASEFOLD);
  const auto length = utf8proc_map(units(text), static_cast<utf8proc_ssize_t>(text.size()), &raw, options);
  const std::unique_ptr<utf8proc_uint8_t, Free> folded(raw);
  if (length < 0) return error(Code::data_invalid, utf8proc_errmsg(length));
  return std::string(reinterpret_cast<const char*>(folded.get()), static_cast<std::size_t>(length));
}

}  // namespace cardea::manager::store
