// PKCS#12 files from outside, whole or behind an integrity check that is right, which no change by chance would pass.
// The first byte chooses; the password is "fuzz".
#include <openssl/hmac.h>
#include <openssl/pkcs12.h>

#include <array>
#include <cstdlib>

#include "crypto/pkcs12.h"
#include "x509/asn1.h"

using namespace cardea;

namespace {

using x509::sequence;

constexpr std::string_view password = "fuzz";
constexpr std::array<Byte, 8> salt{1, 2, 3, 4, 5, 6, 7, 8};
constexpr std::array<Byte, 11> data_oid{0x06, 0x09, 0x2a, 0x86, 0x48, 0x86, 0xf7, 0x0d, 0x01, 0x07, 0x01};
constexpr std::array<Byte, 11> sha256_oid{0x06, 0x09, 0x60, 0x86, 0x48, 0x01, 0x65, 0x03, 0x04, 0x02, 0x01};
constexpr std::size_t mac_size = 32;

// RFC 7292, B.4, with one round; the key is the same for all files.
std::array<Byte, mac_size> mac_key() {
  std::array<Byte, mac_size> key{};
  std::array<Byte, salt.size()> mutable_salt = salt;
  if (PKCS12_key_gen_utf8(password.data(), static_cast<int>(password.size()), mutable_salt.data(),
                          static_cast<int>(salt.size()), PKCS12_MAC_ID, 1, static_cast<int>(key.size()), key.data(),
                          EVP_sha256()) != 1)
    std::abort();
  return key;
}

// RFC 7292, 4: PFX around an AuthenticatedSafe of any content.
Bytes with_integrity(ByteView safe) {
  static const std::array<Byte, mac_size> key = mac_key();
  std::array<Byte, mac_size> mac{};
  unsigned size = 0;
  if (HMAC(EVP_sha256(), key.data(), static_cast<int>(key.size()), safe.data(), safe.size(), mac.data(), &size) ==
      nullptr)
    std::abort();
  const Bytes content = x509::element(x509::context_tag(0), {x509::octet_string(safe)});
  const Bytes algorithm = sequence({sha256_oid, x509::element(x509::tag_null, {})});
  const Bytes digest = sequence({algorithm, x509::octet_string(mac)});
  return sequence(
      {x509::integer(std::uint64_t{3}), sequence({data_oid, content}), sequence({digest, x509::octet_string(salt)})});
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  if (size == 0) return 0;
  const ByteView rest(data + 1, size - 1);
  const Bytes file = data[0] == 's' ? with_integrity(rest) : to_bytes(rest);
  const auto contents = crypto::read_pkcs12(file, SecretBytes(view_of(password)));
  if (contents && contents->private_key_info.empty()) std::abort();
  if (!contents && contents.error().detail.empty()) std::abort();
  return 0;
}
