#include "cli/files.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>
#include <memory>

#include "cli/exit_status.h"
#include "cli/text.h"
#include "crypto/key_encoding.h"
#include "x509/encoding.h"

namespace cardea::cli {
namespace {

constexpr std::size_t key_file_limit = std::size_t{1} << 16;  // bytes

struct Descriptor {
  explicit Descriptor(int fd) : fd(fd) {}
  ~Descriptor() {
    if (fd != STDIN_FILENO) close(fd);
  }
  Descriptor(const Descriptor&) = delete;
  Descriptor& operator=(const Descriptor&) = delete;
  int fd;
};

// What is read may be a private key, and whoever reads it wipes no more than what was handed over.
struct Buffer {
  ~Buffer() { wipe(bytes); }
  Bytes bytes = Bytes(std::size_t{1} << 18);
};

// As vector::insert, which would leave what was there before at its former place.
void append_wiping(Bytes& whole, ByteView part) {
  if (whole.size() + part.size() > whole.capacity()) {
    Bytes larger;
    larger.reserve(2 * (whole.size() + part.size()));
    larger.assign(whole.begin(), whole.end());
    wipe(whole);
    whole = std::move(larger);
  }
  whole.insert(whole.end(), part.begin(), part.end());
}

}  // namespace

Result<Input> open_input(const std::string& file) {
  const bool standard_input = file.empty() || file == "-";
  const std::string name = standard_input ? "standard input" : file;
  const int fd = standard_input ? STDIN_FILENO : open(file.c_str(), O_RDONLY | O_CLOEXEC | O_NOCTTY);
  if (fd < 0) {
    return failure(errno == ENOENT ? Code::not_found : Code::permission_denied,
                   fmt::format("{} cannot be opened: {}. Check the path.", name, std::strerror(errno)));
  }
  auto descriptor = std::make_shared<Descriptor>(fd);
  auto buffer = std::make_shared<Buffer>();
  return Input([descriptor, buffer, name]() -> Result<ByteView> {
    ssize_t count = 0;
    do {
      count = read(descriptor->fd, buffer->bytes.data(), buffer->bytes.size());
    } while (count < 0 && errno == EINTR);
    if (count < 0) {
      return failure(Code::device_error,
                     fmt::format("{} cannot be read: {}. Name another file.", name, std::strerror(errno)));
    }
    return ByteView(buffer->bytes).first(static_cast<std::size_t>(count));
  });
}

Result<Bytes> read_file(const std::string& file, std::size_t limit) {
  CARDEA_ASSIGN(const Input input, open_input(file));
  Bytes whole;
  while (true) {
    CARDEA_ASSIGN(const ByteView part, input());
    if (part.empty()) return whole;
    if (whole.size() + part.size() > limit) {
      return failure(Code::arguments_bad, fmt::format("{} is longer than {} bytes, so it is not what is wanted here.",
                                                      file.empty() ? "The input" : file, limit));
    }
    append_wiping(whole, part);
  }
}

Result<x509::Certificate> read_certificate_file(const std::string& file) {
  constexpr std::size_t longest = 1 << 20;
  CARDEA_ASSIGN(const Bytes bytes, read_file(file, longest));
  const auto der = x509::from_pem_or_der("CERTIFICATE", bytes);
  if (der) {
    auto certificate = x509::read_certificate(*der);
    if (certificate) return certificate;
  }
  const bool standard_input = file.empty() || file == "-";
  return failure(Code::data_invalid, fmt::format("{} holds no X.509 certificate in PEM or DER.",
                                                 standard_input ? "Standard input" : printable(file)));
}

Result<SecretBytes> read_private_key_file(const std::string& name) {
  CARDEA_ASSIGN(Bytes file, read_file(name, key_file_limit));
  auto decoded = x509::from_pem_or_der("PRIVATE KEY", file);
  wipe(file);
  SecretBytes key;
  if (decoded) {
    key = SecretBytes(ByteView(*decoded));
    wipe(*decoded);
  }
  if (!key.empty() && crypto::from_private_key_info(key.view())) return key;
  return failure(Code::arguments_bad,
                 "The file holds no private key in PKCS#8 without encryption. Convert it: "
                 "openssl pkey -in FILE -out pkcs8.pem");
}

}  // namespace cardea::cli
