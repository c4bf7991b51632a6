#include "plugin/trusted_path.h"

#include <fmt/format.h>
#include <sys/stat.h>
#include <unistd.h>

#include <system_error>

namespace cardea::card::plugin {
namespace {

Status check_one(const std::filesystem::path& path) {
  struct stat status {};
  if (::stat(path.c_str(), &status) != 0) return error(Code::not_found, path.string());
  if (status.st_uid != 0 && status.st_uid != ::geteuid()) {
    return error(Code::permission_denied, fmt::format("{} belongs to another user", path.string()));
  }
  // A sticky folder such as /tmp is no exception: whoever may create there can put a folder in the way.
  if ((status.st_mode & (S_IWGRP | S_IWOTH)) != 0) {
    return error(Code::permission_denied, fmt::format("{} can be written by others", path.string()));
  }
  return {};
}

}  // namespace

Result<std::filesystem::path> trusted_path(const std::filesystem::path& path) {
  if (!path.is_absolute()) return error(Code::arguments_bad, fmt::format("{} is not absolute", path.string()));
  std::error_code failure;
  const std::filesystem::path real = std::filesystem::canonical(path, failure);
  if (failure) return error(Code::not_found, path.string());
  for (std::filesystem::path one = real;; one = one.parent_path()) {
    CARDEA_TRY(check_one(one));
    if (one == one.root_path()) break;
  }
  return real;
}

}  // namespace cardea::card::plugin
