#include "card/pem.h"

#include <mbedtls/pem.h>
#include <mbedtls/version.h>

#include <algorithm>
#include <string>

namespace cardea::vcard {

namespace {

class PemContext {
 public:
  PemContext() { mbedtls_pem_init(&value_); }
  ~PemContext() { mbedtls_pem_free(&value_); }
  PemContext(const PemContext&) = delete;
  PemContext& operator=(const PemContext&) = delete;
  mbedtls_pem_context* get() { return &value_; }

  ByteView content() {
#if MBEDTLS_VERSION_MAJOR >= 3
    std::size_t size = 0;
    const unsigned char* start = mbedtls_pem_get_buffer(&value_, &size);
    return {start, size};
#else
    return {value_.buf, value_.buflen};
#endif
  }

 private:
  mbedtls_pem_context value_;
};

}  // namespace

Result<SecretBytes> from_pem(ByteView text, std::string_view label) {
  const std::string header = "-----BEGIN " + std::string(label) + "-----";
  const std::string footer = "-----END " + std::string(label) + "-----";
  SecretBytes terminated(text.size() + 1);
  std::copy(text.begin(), text.end(), terminated.data());
  terminated.data()[text.size()] = 0;
  PemContext pem;
  std::size_t used = 0;
  if (mbedtls_pem_read_buffer(pem.get(), header.c_str(), footer.c_str(), terminated.data(), nullptr, 0, &used) != 0 ||
      pem.content().empty()) {
    return Code::data_invalid;
  }
  return SecretBytes(pem.content());
}

}  // namespace cardea::vcard
