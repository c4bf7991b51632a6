#include "x509/encoding.h"

#include <openssl/crypto.h>
#include <openssl/pem.h>

#include <memory>

#include "base/secret.h"
#include "crypto/library.h"

namespace cardea::x509 {

Result<Bytes> from_base64(std::string_view text) {
  Bytes bytes;
  if (!cardea::from_base64(text, bytes)) return error(Code::data_invalid, "this is no base64");
  return bytes;
}

Result<std::string> to_pem(std::string_view label, ByteView der) {
  const std::unique_ptr<BIO, decltype(&BIO_free)> out(BIO_new(BIO_s_mem()), BIO_free);
  const std::string name(label);
  if (!out || PEM_write_bio(out.get(), name.c_str(), "", der.data(), static_cast<long>(der.size())) <= 0) {
    return crypto::openssl_error(Code::host_memory);
  }
  char* text = nullptr;
  const long size = BIO_get_mem_data(out.get(), &text);
  return std::string(text, static_cast<std::size_t>(size));
}

Result<std::vector<Bytes>> all_from_pem_or_der(std::string_view label, ByteView bytes) {
  if (text_of(bytes).find("-----BEGIN ") == std::string_view::npos) return std::vector<Bytes>{to_bytes(bytes)};
  const std::unique_ptr<BIO, decltype(&BIO_free)> in(BIO_new_mem_buf(bytes.data(), static_cast<int>(bytes.size())),
                                                     BIO_free);
  std::vector<Bytes> found;
  while (in) {
    char* name = nullptr;
    char* header = nullptr;
    unsigned char* data = nullptr;
    long size = 0;
    if (PEM_read_bio(in.get(), &name, &header, &data, &size) != 1) break;
    if (name == label) found.emplace_back(data, data + size);
    OPENSSL_cleanse(data, static_cast<std::size_t>(size));
    OPENSSL_free(name);
    OPENSSL_free(header);
    OPENSSL_free(data);
  }
  // The end of the text is an error of OpenSSL's, too.
  Error last = crypto::openssl_error(Code::data_invalid);
  if (found.empty()) return last;
  return found;
}

Result<Bytes> from_pem_or_der(std::string_view label, ByteView bytes) {
  CARDEA_ASSIGN(std::vector<Bytes> found, all_from_pem_or_der(label, bytes));
  for (auto other = found.begin() + 1; other != found.end(); ++other) wipe(*other);
  return std::move(found.front());
}

}  // namespace cardea::x509
