#include "piv/small_objects.h"

#include <algorithm>
#include <array>

#include "base/tlv.h"
#include "piv/key_references.h"

namespace cardea::card::piv {
namespace {

constexpr std::array<Byte, 5> provider{0xa0, 0x00, 0x00, 0x03, 0x08};
constexpr std::array<Byte, 4> piv_extension{0x00, 0x00, 0x10, 0x00};

constexpr std::uint32_t tag_template = 0x61;
constexpr std::uint32_t tag_identifier = 0x4f;
constexpr std::uint32_t tag_label = 0x50;
constexpr std::uint32_t tag_algorithms = 0xac;
constexpr std::uint32_t tag_algorithm = 0x80;
constexpr std::uint32_t tag_pin_policy = 0x5f2f;
constexpr std::uint32_t tag_error_detection = 0xfe;
constexpr std::uint32_t tag_on_card = 0xc1;
constexpr std::uint32_t tag_off_card = 0xc2;
constexpr std::uint32_t tag_url = 0xf3;
constexpr std::uint32_t tag_pairing_code = 0x99;
constexpr std::size_t pairing_code_digits = 8;
constexpr std::size_t longest_url = 118;  // appendix A, table 18

Result<Byte> single_byte(ByteView value) {
  if (value.size() != 1) return error(Code::data_invalid, "a field that is one byte has another length");
  return value[0];
}

Status take_capability(CardCapability& card, const Tlv& field) {
  switch (field.tag) {
    case 0xf0:
      card.card_identifier = to_bytes(field.value);
      return {};
    case 0xf1: {
      CARDEA_ASSIGN(card.container_version, single_byte(field.value));
      return {};
    }
    case 0xf2: {
      CARDEA_ASSIGN(card.grammar_version, single_byte(field.value));
      return {};
    }
    case 0xf3:
      if (!field.value.empty()) card.applications.push_back(to_bytes(field.value));
      return {};
    case 0xf4: {
      CARDEA_ASSIGN(card.pkcs15, single_byte(field.value));
      return {};
    }
    case 0xf5: {
      CARDEA_ASSIGN(card.data_model, single_byte(field.value));
      return {};
    }
    case 0xf6:
      card.access_rules = to_bytes(field.value);
      return {};
    case 0xf7:
      card.has_card_apdus = !field.value.empty();
      return {};
    default:  // redirections and tuples are of no use to PIV
      return {};
  }
}

std::string* printed_field(PrintedInformation& printed, std::uint32_t tag) {
  switch (tag) {
    case 0x01:
      return &printed.name;
    case 0x02:
      return &printed.affiliation;
    case 0x04:
      return &printed.expires;
    case 0x05:
      return &printed.card_serial;
    case 0x06:
      return &printed.issuer;
    case 0x07:
      return &printed.organization_line_1;
    case 0x08:
      return &printed.organization_line_2;
    default:
      return nullptr;
  }
}

}  // namespace

Result<Application> parse_application(ByteView answer) {
  CARDEA_ASSIGN(const ByteView content, require_tlv(answer, tag_template));
  Application application;
  for (TlvReader reader(content); !reader.at_end();) {
    CARDEA_ASSIGN(const Tlv field, reader.next());
    if (field.tag == tag_identifier) application.identifier = to_bytes(field.value);
    if (field.tag == tag_label) application.label = text_of(field.value);
    if (field.tag != tag_algorithms) continue;
    for (TlvReader inner(field.value); !inner.at_end();) {
      CARDEA_ASSIGN(const Tlv algorithm, inner.next());
      if (algorithm.tag == tag_algorithm && algorithm.value.size() == 1) {
        application.algorithms.push_back(algorithm.value[0]);
      }
    }
  }
  return application;
}

bool is_piv(const Application& application) {
  // Cards answer the whole AID, or only its extension as SP 800-73-4 part 2, table 3 has it.
  ByteView identifier = application.identifier;
  if (identifier.size() >= provider.size() && std::equal(provider.begin(), provider.end(), identifier.begin())) {
    identifier = identifier.subspan(provider.size());
  }
  return identifier.size() >= piv_extension.size() &&
         std::equal(piv_extension.begin(), piv_extension.end(), identifier.begin());
}

Result<CardCapability> parse_card_capability(ByteView content) {
  CardCapability card;
  for (TlvReader reader(content); !reader.at_end();) {
    CARDEA_ASSIGN(const Tlv field, reader.next());
    CARDEA_TRY(take_capability(card, field));
  }
  return card;
}

Result<Discovery> parse_discovery(ByteView content) {
  Discovery discovery;
  CARDEA_ASSIGN(const std::optional<ByteView> application, find_tlv(content, tag_identifier));
  if (application) discovery.application = to_bytes(*application);
  CARDEA_ASSIGN(const std::optional<ByteView> policy, find_tlv(content, tag_pin_policy));
  if (!policy) return discovery;
  if (policy->size() != 2) return error(Code::data_invalid, "the PIN usage policy is not two bytes long");
  const Byte pins = (*policy)[0];
  discovery.application_pin = (pins & 0x40) != 0;
  discovery.global_pin = (pins & 0x20) != 0;
  discovery.on_card_comparison = (pins & 0x10) != 0;
  discovery.contactless_interface = (pins & 0x08) != 0;
  discovery.pairing_code_needed = discovery.contactless_interface && (pins & 0x04) == 0;
  discovery.global_is_primary = discovery.global_pin && (*policy)[1] == 0x20;
  return discovery;
}

Result<KeyHistory> parse_key_history(ByteView content) {
  KeyHistory history;
  CARDEA_ASSIGN(const std::optional<ByteView> on_card, find_tlv(content, tag_on_card));
  CARDEA_ASSIGN(const std::optional<ByteView> off_card, find_tlv(content, tag_off_card));
  CARDEA_ASSIGN(const std::optional<ByteView> url, find_tlv(content, tag_url));
  if (on_card) {
    CARDEA_ASSIGN(history.on_card, single_byte(*on_card));
  }
  if (off_card) {
    CARDEA_ASSIGN(history.off_card, single_byte(*off_card));
  }
  if (url) history.url = text_of(*url);
  if (history.on_card + history.off_card > retired_count || history.url.size() > longest_url) {
    return error(Code::data_invalid, "the key history counts more keys than a card can have");
  }
  return history;
}

Bytes encode_key_history(const KeyHistory& history) {
  const Byte on_card = static_cast<Byte>(history.on_card);
  const Byte off_card = static_cast<Byte>(history.off_card);
  Bytes content;
  append_tlv(content, tag_on_card, {&on_card, 1});
  append_tlv(content, tag_off_card, {&off_card, 1});
  if (history.off_card != 0) append_tlv(content, tag_url, view_of(history.url));
  append_tlv(content, tag_error_detection, {});
  return content;
}

std::vector<Byte> retired_references(const KeyHistory& history) {
  std::vector<Byte> references;
  for (std::size_t i = 0; i < retired_count; ++i) {
    if (i < history.on_card || i >= retired_count - history.off_card) {
      references.push_back(static_cast<Byte>(key_retired_first + i));
    }
  }
  return references;
}

std::optional<Byte> next_retired_reference(const KeyHistory& history) {
  if (history.on_card + history.off_card >= retired_count) return std::nullopt;
  return static_cast<Byte>(key_retired_first + history.on_card);
}

Result<PrintedInformation> parse_printed_information(ByteView content) {
  PrintedInformation printed;
  for (TlvReader reader(content); !reader.at_end();) {
    CARDEA_ASSIGN(const Tlv field, reader.next());
    if (std::string* const target = printed_field(printed, field.tag)) *target = text_of(field.value);
  }
  return printed;
}

Result<std::string> parse_pairing_code(ByteView content) {
  CARDEA_ASSIGN(const ByteView code, require_tlv(content, tag_pairing_code));
  const bool digits = std::all_of(code.begin(), code.end(), [](Byte c) { return c >= '0' && c <= '9'; });
  if (code.size() != pairing_code_digits || !digits)
    return error(Code::data_invalid, "the pairing code is not eight digits");
  return std::string(text_of(code));
}

}  // namespace cardea::card::piv
