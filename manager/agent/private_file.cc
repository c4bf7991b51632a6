#include "agent/private_file.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>

namespace cardea::agent {
namespace {

namespace fs = std::filesystem;

constexpr std::size_t size_limit = std::size_t{1} << 20;

class Descriptor {
 public:
  explicit Descriptor(int number) : number_(number) {}
  ~Descriptor() {
    if (number_ >= 0) close(number_);
  }
  Descriptor(const Descriptor&) = delete;
  Descriptor& operator=(const Descriptor&) = delete;
  int get() const noexcept { return number_; }

 private:
  int number_;
};

Error failed(const fs::path& path, int reason) {
  const Code code = reason == ENOSPC || reason == EDQUOT ? Code::device_memory : Code::permission_denied;
  return error(code, fmt::format("{}: {}", path.string(), std::strerror(reason)));
}

bool write_all(int descriptor, ByteView content) {
  while (!content.empty()) {
    const ssize_t written = write(descriptor, content.data(), content.size());
    if (written < 0 && errno == EINTR) continue;
    if (written < 0) return false;
    content = content.subspan(static_cast<std::size_t>(written));
  }
  return fsync(descriptor) == 0;
}

}  // namespace

Result<std::optional<SecretBytes>> read_private_file(const fs::path& path) {
  const Descriptor file(open(path.c_str(), O_RDONLY | O_CLOEXEC | O_NOFOLLOW));
  if (file.get() < 0) {
    if (errno == ENOENT) return std::optional<SecretBytes>();
    return failed(path, errno);
  }
  struct stat about {};
  if (fstat(file.get(), &about) != 0) return failed(path, errno);
  if (about.st_size < 0 || static_cast<std::size_t>(about.st_size) > size_limit) return Code::data_length;
  SecretBytes content(static_cast<std::size_t>(about.st_size));
  std::size_t filled = 0;
  while (filled < content.size()) {
    const ssize_t count = read(file.get(), content.data() + filled, content.size() - filled);
    if (count < 0 && errno == EINTR) continue;
    if (count < 0) return failed(path, errno);
    if (count == 0) break;
    filled += static_cast<std::size_t>(count);
  }
  content.truncate(filled);
  return std::optional(std::move(content));
}

Status write_private_file(const fs::path& path, ByteView content) {
  std::error_code problem;
  if (fs::create_directories(path.parent_path(), problem)) {
    fs::permissions(path.parent_path(), fs::perms::owner_all, problem);
  }
  std::string name = path.string() + ".XXXXXX";
  const Descriptor file(mkostemp(name.data(), O_CLOEXEC));
  if (file.get() < 0) return failed(path, errno);
  if (!write_all(file.get(), content) || rename(name.c_str(), path.c_str()) != 0) {
    const int reason = errno;
    unlink(name.c_str());
    return failed(path, reason);
  }
  return {};
}

void remove_private_file(const fs::path& path) {
  std::error_code ignored;
  fs::remove(path, ignored);
}

}  // namespace cardea::agent
