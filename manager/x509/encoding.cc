#include "x509/encoding.h"

#include <openssl/evp.h>
#include <openssl/pem.h>

#include <algorithm>
#include <memory>

#include "crypto/library.h"

namespace cardea::x509 {

std::string to_base64(ByteView bytes) {
  std::string text((bytes.size() + 2) / 3 * 4 + 1, '\0');  // EVP_EncodeBlock writes a terminator
  auto* const out = reinterpret_cast<unsigned char*>(text.data());
  const int size = EVP_EncodeBlock(out, bytes.data(), static_cast<int>(bytes.size()));
  text.resize(static_cast<std::size_t>(size));
  return text;
}

Result<Bytes> from_base64(std::string_view text) {
  // EVP_DecodeBlock passes over white space at the ends and counts padding as zero bytes: what it made must give the
  // same text again.
  Bytes bytes(text.size() / 4 * 3);
  const int size =
      EVP_DecodeBlock(bytes.data(), reinterpret_cast<const unsigned char*>(text.data()), static_cast<int>(text.size()));
  if (text.size() % 4 != 0 || size < 0) return error(Code::data_invalid, "this is no base64");
  const std::size_t padding = text.ends_with("==") ? 2 : (text.ends_with("=") ? 1 : 0);
  bytes.resize(static_cast<std::size_t>(size) - std::min(padding, static_cast<std::size_t>(size)));
  if (to_base64(bytes) != text) return error(Code::data_invalid, "this is no base64");
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

Result<Bytes> from_pem_or_der(std::string_view label, ByteView bytes) {
  if (text_of(bytes).find("-----BEGIN ") == std::string_view::npos) return to_bytes(bytes);
  const std::unique_ptr<BIO, decltype(&BIO_free)> in(BIO_new_mem_buf(bytes.data(), static_cast<int>(bytes.size())),
                                                     BIO_free);
  while (in) {
    char* name = nullptr;
    char* header = nullptr;
    unsigned char* data = nullptr;
    long size = 0;
    if (PEM_read_bio(in.get(), &name, &header, &data, &size) != 1) break;
    const bool wanted = name == label;
    Bytes der(data, data + size);
    OPENSSL_free(name);
    OPENSSL_free(header);
    OPENSSL_free(data);
    if (wanted) return der;
  }
  return crypto::openssl_error(Code::data_invalid);
}

}  // namespace cardea::x509
