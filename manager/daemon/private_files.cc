#include "daemon/private_files.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstdio>
#include <cstring>

namespace cardea::manager {
namespace {

Error file_failure(const std::filesystem::path& file, int number) {
  const Code code = number == EEXIST                       ? Code::exists
                    : number == ENOSPC || number == EDQUOT ? Code::device_memory
                                                           : Code::permission_denied;
  return error(code, fmt::format("{} cannot be written: {}", file.string(), std::strerror(number)));
}

bool write_all(int descriptor, ByteView content) {
  while (!content.empty()) {
    const ssize_t written = write(descriptor, content.data(), content.size());
    if (written < 0 && errno == EINTR) continue;
    if (written <= 0) return false;
    content = content.subspan(static_cast<std::size_t>(written));
  }
  return fsync(descriptor) == 0;
}

}  // namespace

Status write_new_file(const std::filesystem::path& file, ByteView content, FileAccess access) {
  const mode_t mode = access == FileAccess::owner ? 0600 : 0644;
  const int descriptor = open(file.c_str(), O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC | O_NOFOLLOW, mode);
  if (descriptor < 0) return file_failure(file, errno);
  const bool written = write_all(descriptor, content);
  const int problem = errno;
  close(descriptor);
  if (written) return {};
  unlink(file.c_str());
  return file_failure(file, problem);
}

Status replace_file(const std::filesystem::path& file, ByteView content, FileAccess access) {
  const std::filesystem::path fresh = file.string() + ".new";
  if (unlink(fresh.c_str()) != 0 && errno != ENOENT) return file_failure(fresh, errno);
  CARDEA_TRY(write_new_file(fresh, content, access));
  if (rename(fresh.c_str(), file.c_str()) != 0) return file_failure(file, errno);
  const std::filesystem::path folder = file.has_parent_path() ? file.parent_path() : ".";
  const int descriptor = open(folder.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC);
  const bool durable = descriptor >= 0 && fsync(descriptor) == 0;
  const int problem = errno;
  if (descriptor >= 0) close(descriptor);
  return durable ? Status() : Status(file_failure(folder, problem));
}

Result<SecretBytes> secret_pem(std::string_view label, const SecretBytes& der) {
  constexpr std::string_view alphabet = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
  constexpr std::size_t line = 64;  // RFC 7468, 2
  const std::size_t letters = (der.size() + 2) / 3 * 4;
  const std::string begin = fmt::format("-----BEGIN {}-----\n", label);
  const std::string end = fmt::format("-----END {}-----\n", label);
  SecretBytes pem(begin.size() + letters + (letters + line - 1) / line + end.size());
  Byte* out = std::copy(begin.begin(), begin.end(), pem.data());
  for (std::size_t i = 0; i < letters; ++i) {
    // Letter i holds six bits, beginning at bit 6i of the data.
    const std::size_t at = i / 4 * 3 + i % 4 * 6 / 8;
    const unsigned shift = 10 - i % 4 * 6 % 8;
    const unsigned high = at < der.size() ? der.data()[at] : 0U;
    const unsigned low = at + 1 < der.size() ? der.data()[at + 1] : 0U;
    const bool padding = i % 4 * 6 / 8 > 0 && at >= der.size() && i >= letters - 2;
    *out++ = static_cast<Byte>(padding ? '=' : alphabet[((high << 8 | low) >> shift) & 63]);
    if (i % line == line - 1 || i == letters - 1) *out++ = '\n';
  }
  std::copy(end.begin(), end.end(), out);
  return pem;
}

}  // namespace cardea::manager
