#include "attest/piv.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <optional>

#include "attest/evidence.h"
#include "crypto/certificate_chain.h"
#include "crypto/key_der.h"
#include "x509/asn1.h"
#include "x509/certificate.h"
#include "x509/certificate_view.h"

namespace cardea::manager::attest {
namespace {

constexpr std::size_t most_digits = 10;  // of a maker's number, which has 32 bits

// 1.3.6.1.4.1.41482.3 and one more arc.
enum class Statement : Byte { firmware = 3, serial = 7, policy = 8, form_factor = 9 };

std::optional<ByteView> stated(const x509::CertificateView& view, Statement what) {
  const Bytes oid{0x06, 0x0a, 0x2b, 0x06, 0x01, 0x04, 0x01, 0x82, 0xc4, 0x0a, 0x03, static_cast<Byte>(what)};
  const x509::Extension* const found = x509::find_extension(view.extensions, oid);
  return found == nullptr ? std::nullopt : std::optional(found->value);
}

// INTEGER in DER, at most 32 bits.
std::optional<std::uint32_t> number_in(ByteView der) {
  crypto::DerReader reader(der);
  const auto content = reader.take(x509::tag_integer);
  if (!content || !reader.at_end() || content->empty() || ((*content)[0] & 0x80) != 0) return std::nullopt;
  constexpr std::size_t longest = 5;  // 32 bits and a zero in front
  if (content->size() > longest || (content->size() == longest && (*content)[0] != 0)) return std::nullopt;
  std::uint32_t number = 0;
  for (const Byte byte : *content) number = number << 8 | byte;
  return number;
}

std::string word_of(Byte value, const std::array<std::string_view, 3>& words) {
  return value >= 1 && value <= words.size() ? std::string(words[value - 1]) : fmt::format("unknown ({})", value);
}

bool is_makers_number(std::string_view serial) {
  return !serial.empty() && serial.size() <= most_digits &&
         std::all_of(serial.begin(), serial.end(), [](char c) { return c >= '0' && c <= '9'; });
}

Result<json::object> read_statements(ByteView leaf, ByteView attesting) {
  CARDEA_ASSIGN(const x509::CertificateView view, x509::view_certificate(leaf));
  CARDEA_ASSIGN(const x509::Certificate about, x509::read_certificate(leaf));
  CARDEA_ASSIGN(const x509::Certificate above, x509::read_certificate(attesting));
  const auto serial = stated(view, Statement::serial);
  const auto number = serial ? number_in(*serial) : std::nullopt;
  if (!number) return error(Code::data_invalid, "the attestation does not state the token's serial number");
  const auto policy = stated(view, Statement::policy);
  if (!policy || policy->size() != 2)
    return error(Code::data_invalid, "the attestation does not state the key's PIN and touch policy");
  json::object shown{{"format", "yubico-piv"},
                     {"device", fmt::format("piv:{}", *number)},
                     {"serial", fmt::format("{}", *number)},
                     {"place", about.subject},
                     {"pin_policy", word_of((*policy)[0], {"never", "once", "always"})},
                     {"touch_policy", word_of((*policy)[1], {"never", "always", "cached"})},
                     {"attested_by", above.subject},
                     {"maker", above.issuer}};
  if (const auto firmware = stated(view, Statement::firmware); firmware && firmware->size() == 3)
    shown["firmware"] = fmt::format("{}.{}.{}", (*firmware)[0], (*firmware)[1], (*firmware)[2]);
  return shown;
}

}  // namespace

Result<AttestationFinding> verify_piv(const AttestationClaim& claim, const std::vector<Bytes>& roots) {
  CARDEA_TRY(check_format(claim.evidence, "yubico-piv"));
  CARDEA_ASSIGN(const std::vector<Bytes> chain, certificates_in(claim.evidence));
  if (chain.size() != 2)
    return error(Code::data_invalid, "an attestation has two certificates: the key's and the attesting key's");
  if (const Status trusted = crypto::verify_certificate_chain(chain[1], roots); !trusted)
    return error(trusted.code(),
                 "the token's attestation key was not certified by a maker that is trusted: " + trusted.error().detail);
  // Only by that key: nothing else that leads to the maker attests.
  if (const Status signed_by_it = crypto::verify_certificate_chain(chain[0], {chain[1]}); !signed_by_it)
    return error(signed_by_it.code(),
                 "the attestation is not signed by the token's attestation key: " + signed_by_it.error().detail);
  CARDEA_ASSIGN(const x509::CertificateView view, x509::view_certificate(chain[0]));
  if (!same_bytes(view.key_info, claim.spki))
    return error(Code::signature_invalid, "the attestation is about another key");
  AttestationFinding finding;
  CARDEA_ASSIGN(finding.shown, read_statements(chain[0], chain[1]));
  const std::string_view attested = finding.shown.at("serial").as_string();
  if (is_makers_number(claim.serial) && claim.serial != attested)
    return error(Code::signature_invalid,
                 fmt::format("the attestation is of the token {} and not of {}", attested, claim.serial));
  return finding;
}

}  // namespace cardea::manager::attest
