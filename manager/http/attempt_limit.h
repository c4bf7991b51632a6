// How often may be guessed: a bound on failed attempts of one client and of all together.
#pragma once

#include <chrono>
#include <cstddef>
#include <deque>
#include <mutex>
#include <optional>
#include <string>
#include <string_view>

namespace cardea::http {

/// Counts attempts within a window that slides, and refuses further ones at the limit. Thread-safe; what it keeps is
/// bounded by the limit of all. A client is an address; of IPv6 its network of 64 bits, which one machine may have to
/// itself (RFC 6177, 2).
class AttemptLimit {
 public:
  using Time = std::chrono::steady_clock::time_point;
  struct Bounds {
    std::size_t of_one;
    std::size_t of_all;
    std::chrono::seconds window;

    bool operator==(const Bounds&) const = default;
  };
  /// For one-time codes and for agents' proofs, unless the settings say otherwise. A person mistypes a few times;
  /// thirty people behind one address do so too.
  static constexpr Bounds usual{30, 1000, std::chrono::minutes(10)};

  explicit AttemptLimit(Bounds bounds = usual) : bounds_(bounds) {}

  /// Counts an attempt as failed until forgive(), so that many at the same time are no way around the limit. At the
  /// limit it is not counted, and the answer is how long to wait.
  std::optional<std::chrono::seconds> begin(std::string_view address, Time now);
  /// The attempt that began was no failure.
  void forgive(std::string_view address);

 private:
  struct Attempt {
    Time at;
    std::string client;
  };
  const Bounds bounds_;
  std::mutex mutex_;
  std::deque<Attempt> attempts_;  ///< oldest first
};

}  // namespace cardea::http
