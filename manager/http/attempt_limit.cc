#include "http/attempt_limit.h"

#include <arpa/inet.h>

#include <algorithm>

namespace cardea::http {
namespace {

std::string client_of(std::string_view address) {
  const std::string text(address);
  in6_addr six{};
  if (inet_pton(AF_INET6, text.c_str(), &six) != 1 || IN6_IS_ADDR_V4MAPPED(&six)) return text;
  return std::string(reinterpret_cast<const char*>(six.s6_addr), 8);
}

}  // namespace

std::optional<std::chrono::seconds> AttemptLimit::begin(std::string_view address, Time now) {
  std::string client = client_of(address);
  const std::lock_guard lock(mutex_);
  while (!attempts_.empty() && attempts_.front().at + bounds_.window <= now) attempts_.pop_front();
  const auto is_mine = [&](const Attempt& one) { return one.client == client; };
  const auto mine = static_cast<std::size_t>(std::count_if(attempts_.begin(), attempts_.end(), is_mine));
  auto leaves_first = attempts_.end();
  if (attempts_.size() >= bounds_.of_all) leaves_first = attempts_.begin();
  if (mine >= bounds_.of_one) leaves_first = std::find_if(attempts_.begin(), attempts_.end(), is_mine);
  if (leaves_first != attempts_.end())
    return std::chrono::ceil<std::chrono::seconds>(leaves_first->at + bounds_.window - now);
  attempts_.push_back({now, std::move(client)});
  return std::nullopt;
}

void AttemptLimit::forgive(std::string_view address) {
  const std::string client = client_of(address);
  const std::lock_guard lock(mutex_);
  const auto newest =
      std::find_if(attempts_.rbegin(), attempts_.rend(), [&](const Attempt& one) { return one.client == client; });
  if (newest != attempts_.rend()) attempts_.erase(std::next(newest).base());
}

}  // namespace cardea::http
