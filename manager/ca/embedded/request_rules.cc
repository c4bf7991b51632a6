#include "embedded/request_rules.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>

#include "embedded/alternative_names.h"
#include "x509/asn1.h"

namespace cardea::ca {
namespace {

using crypto::DerReader;

// id-ce 15, 17, 19, 37.
constexpr std::array<Byte, 5> key_usage_oid{0x06, 0x03, 0x55, 0x1d, 0x0f};
constexpr std::array<Byte, 5> alternative_name_oid{0x06, 0x03, 0x55, 0x1d, 0x11};
constexpr std::array<Byte, 5> extended_key_usage_id{0x06, 0x03, 0x55, 0x1d, 0x25};

Error refused(std::string_view why) {
  return error(Code::arguments_bad, fmt::format("the request {}", why));
}

Status narrow_usage(ByteView value, CertificateContent& content) {
  DerReader reader(value);
  const auto bits = reader.take(x509::tag_bit_string);
  if (!bits || !reader.at_end() || bits->empty() || bits->size() > 3 || (*bits)[0] > 7) {
    return refused("has a malformed key usage");
  }
  std::uint32_t wanted = 0;
  for (std::uint32_t number = 0; number < 8 * (bits->size() - 1); ++number) {
    if (((*bits)[1 + number / 8] & (0x80 >> number % 8)) != 0) wanted |= 1u << number;
  }
  if ((wanted & ~content.usage) != 0) return refused("wants key usages that the profile does not give");
  if (wanted == 0) return refused("wants no key usage at all");
  content.usage = wanted;
  return {};
}

Status narrow_purposes(ByteView value, CertificateContent& content) {
  DerReader outer(value);
  const auto list = outer.take(x509::tag_sequence);
  if (!list || !outer.at_end()) return refused("has malformed extended key usages");
  std::vector<Bytes> wanted;
  for (DerReader reader(*list); !reader.at_end();) {
    const auto oid = reader.take_whole(x509::tag_oid);
    if (!oid) return refused("has malformed extended key usages");
    const bool given =
        std::ranges::any_of(content.extended_key_usage, [&](const Bytes& known) { return same_bytes(known, *oid); });
    if (!given) return refused("wants extended key usages that the profile does not give");
    wanted.push_back(to_bytes(*oid));
  }
  if (wanted.empty()) return refused("wants no extended key usage at all");
  content.extended_key_usage = std::move(wanted);
  return {};
}

Status take_names(const CertificateProfile& profile, ByteView value, CertificateContent& content) {
  CARDEA_ASSIGN(DecodedNames decoded, decode_alternative_names(value));
  const bool reject = profile.request_extensions.reject_others;
  if (!decoded.complete && reject) return refused("has alternative names of a kind that is not known here");
  for (manager::AlternativeName& name : decoded.names) {
    const bool allowed = std::ranges::find(profile.request_names, name.kind) != profile.request_names.end();
    if (!allowed && reject) {
      return refused(fmt::format("has an alternative name of kind {}, which the profile rejects", word(name.kind)));
    }
    if (allowed) content.alternative_names.push_back(std::move(name));
  }
  return {};
}

}  // namespace

Status apply_profile(const CertificateProfile& profile, crypto::KeyFamily family, CertificateContent& content) {
  content.usage = usage_for(family, profile.usage);
  content.extended_key_usage = profile.extended_key_usage;
  if (content.usage != 0) return {};
  return error(Code::arguments_bad,
               fmt::format("a key of this kind can do nothing that the profile '{}' is for", profile.id));
}

Status apply_request(const CertificateProfile& profile, const x509::CertificateRequest& request, bool names_given,
                     CertificateContent& content) {
  CARDEA_TRY(apply_profile(profile, request.key->facts().family, content));
  const RequestExtensions& allowed = profile.request_extensions;
  for (const x509::Extension& extension : request.extensions) {
    const ByteView oid = extension.oid;
    if (allowed.subject_alt_name && same_bytes(oid, alternative_name_oid)) {
      // Names that are stated apart replace those of the request.
      if (!names_given) CARDEA_TRY(take_names(profile, extension.value, content));
    } else if (allowed.key_usage && same_bytes(oid, key_usage_oid)) {
      CARDEA_TRY(narrow_usage(extension.value, content));
    } else if (allowed.extended_key_usage && same_bytes(oid, extended_key_usage_id)) {
      CARDEA_TRY(narrow_purposes(extension.value, content));
    } else if (allowed.reject_others) {
      return refused(fmt::format("has the extension {}, which the profile rejects", x509::dotted(oid)));
    }
  }
  return {};
}

}  // namespace cardea::ca
