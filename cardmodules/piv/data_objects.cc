#include "piv/data_objects.h"

#include <algorithm>
#include <array>
#include <charconv>
#include <vector>

#include "base/tlv.h"

namespace cardea::card::piv {
namespace {

constexpr std::array objects{
#define CARDEA_PIV_OBJECT(name, words, oid, container, tag, pin) DataObject{words, oid, container, tag, pin},
#include "piv/data_objects.def"
#undef CARDEA_PIV_OBJECT
};

constexpr std::uint32_t identifier_tag = 0x06;

std::vector<std::uint32_t> arcs_of(std::string_view dotted) {
  std::vector<std::uint32_t> arcs;
  while (!dotted.empty()) {
    const std::string_view part = dotted.substr(0, dotted.find('.'));
    std::uint32_t arc = 0;
    std::from_chars(part.data(), part.data() + part.size(), arc);
    arcs.push_back(arc);
    dotted.remove_prefix(std::min(dotted.size(), part.size() + 1));
  }
  return arcs;
}

// Base 128, most significant group first (X.690, 8.19.2).
void append_arc(Bytes& out, std::uint32_t arc) {
  for (int shift = 28; shift > 0; shift -= 7) {
    if (arc >> shift != 0) out.push_back(static_cast<Byte>(0x80 | ((arc >> shift) & 0x7f)));
  }
  out.push_back(static_cast<Byte>(arc & 0x7f));
}

}  // namespace

std::span<const DataObject> data_objects() noexcept {
  return objects;
}

const DataObject* object_of_container(std::uint16_t container) noexcept {
  const auto* const found = std::find_if(objects.begin(), objects.end(),
                                         [&](const DataObject& object) { return object.container == container; });
  return found == objects.end() ? nullptr : found;
}

Bytes encode_identifier(std::string_view dotted) {
  const std::vector<std::uint32_t> arcs = arcs_of(dotted);
  Bytes content;
  append_arc(content, arcs[0] * 40 + arcs[1]);
  for (std::size_t i = 2; i < arcs.size(); ++i) append_arc(content, arcs[i]);
  return make_tlv(identifier_tag, content);
}

}  // namespace cardea::card::piv
