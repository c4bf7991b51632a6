#include "piv/certificate_object.h"

#include "base/tlv.h"
#include "cardmodules/deflate.h"
#include "crypto/certificate.h"

namespace cardea::card::piv {
namespace {

constexpr std::uint32_t tag_certificate = 0x70;
constexpr std::uint32_t tag_info = 0x71;
constexpr std::uint32_t tag_mscuid = 0x72;
constexpr std::uint32_t tag_error_detection = 0xfe;
constexpr Byte info_compression = 0x03;  // 01 is gzip; early cards wrote 02 for the same
constexpr Byte info_gzip = 0x01;
constexpr std::size_t longest_certificate = 65536;
constexpr std::size_t longest_mscuid = 38;
constexpr Byte gzip_magic = 0x1f;

}  // namespace

Result<CertificateObject> parse_certificate_object(ByteView content) {
  CertificateObject object;
  CARDEA_ASSIGN(const std::optional<ByteView> stored, find_tlv(content, tag_certificate));
  if (!stored || stored->empty()) return Code::not_found;
  CARDEA_ASSIGN(const std::optional<ByteView> info, find_tlv(content, tag_info));
  CARDEA_ASSIGN(const std::optional<ByteView> mscuid, find_tlv(content, tag_mscuid));
  if ((info && info->size() > 1) || (mscuid && mscuid->size() > longest_mscuid)) {
    return error(Code::data_invalid, "a field of the certificate object is too long");
  }
  if (mscuid) object.mscuid = to_bytes(*mscuid);
  const bool flagged = info && !info->empty() && ((*info)[0] & info_compression) != 0;
  // Some issuers compress without saying so; a certificate never begins as gzip does.
  object.compressed = flagged || (*stored)[0] == gzip_magic;
  if (object.compressed) {
    CARDEA_ASSIGN(object.certificate, inflate_bytes(*stored, longest_certificate));
  } else {
    object.certificate = to_bytes(*stored);
  }
  CARDEA_TRY(crypto::certificate_parts(object.certificate));
  return object;
}

Result<Bytes> encode_certificate_object(ByteView certificate, bool compressed) {
  Bytes packed;
  if (compressed) {
    CARDEA_ASSIGN(packed, deflate_bytes(certificate, Wrapping::gzip));
    certificate = packed;
  }
  const Byte info = compressed ? info_gzip : Byte{0};
  Bytes content;
  append_tlv(content, tag_certificate, certificate);
  append_tlv(content, tag_info, {&info, 1});
  append_tlv(content, tag_error_detection, {});
  return content;
}

}  // namespace cardea::card::piv
