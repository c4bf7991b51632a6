#include "keys/pin_source.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstdlib>
#include <cstring>

namespace cardea::keys {
namespace {

constexpr std::size_t longest_pin = 1024;
constexpr std::string_view credential_prefix = "credential:";

class File {
 public:
  explicit File(const std::string& path) : descriptor_(open(path.c_str(), O_RDONLY | O_CLOEXEC | O_NOCTTY)) {}
  ~File() {
    if (descriptor_ >= 0) close(descriptor_);
  }
  File(const File&) = delete;
  File& operator=(const File&) = delete;
  int get() const { return descriptor_; }

 private:
  int descriptor_;
};

Result<std::string> path_of(const std::string& source) {
  if (!source.starts_with(credential_prefix)) return source;
  const std::string name = source.substr(credential_prefix.size());
  const char* const folder = secure_getenv("CREDENTIALS_DIRECTORY");
  if (folder == nullptr || name.empty() || name.find('/') != std::string::npos) {
    return error(Code::not_found,
                 fmt::format("there is no credential '{}': the service needs LoadCredential={}:FILE", name, name));
  }
  return fmt::format("{}/{}", folder, name);
}

Status check_mode(int file, const std::string& path) {
  struct stat facts {};
  if (fstat(file, &facts) != 0 || !S_ISREG(facts.st_mode)) {
    return error(Code::permission_denied, fmt::format("{} is no regular file", path));
  }
  if ((facts.st_mode & S_IRWXO) == 0) return {};
  return error(
      Code::permission_denied,
      fmt::format("every user can open {}, which holds a PIN; run chmod o-rwx on it and change the PIN", path));
}

}  // namespace

Result<Pin> read_pin(const std::string& source) {
  CARDEA_ASSIGN(const std::string path, path_of(source));
  const File file(path);
  if (file.get() < 0) {
    const int reason = errno;
    return error(reason == ENOENT ? Code::not_found : Code::permission_denied,
                 fmt::format("the file with the PIN of the key token, {}: {}", path, std::strerror(reason)));
  }
  CARDEA_TRY(check_mode(file.get(), path));
  SecretBytes line(longest_pin + 1);
  std::size_t size = 0;
  while (size < line.size()) {
    const ssize_t count = read(file.get(), line.data() + size, line.size() - size);
    if (count < 0 && errno == EINTR) continue;
    if (count < 0) return error(Code::permission_denied, fmt::format("{}: {}", path, std::strerror(errno)));
    if (count == 0) break;
    size += static_cast<std::size_t>(count);
  }
  const Byte* const end = std::find(line.data(), line.data() + size, Byte{'\n'});
  size = static_cast<std::size_t>(end - line.data());
  if (size > 0 && line.data()[size - 1] == '\r') --size;
  if (size > longest_pin) return error(Code::pin_length, fmt::format("the first line of {} is too long", path));
  if (size == 0) return error(Code::user_pin_not_initialized, fmt::format("the first line of {} is empty", path));
  return Pin(line.view().first(size));
}

}  // namespace cardea::keys
