// Waiting for a condition that must come about, and knowing that another thread waits. Nothing here takes the passing
// of time for an event.
#pragma once

#include <sys/types.h>

#include <atomic>
#include <chrono>
#include <fstream>
#include <string>
#include <thread>

namespace cardea::p11 {

/// Tries `condition` every few milliseconds until it holds; false when it has not held after some 20 seconds.
template <typename Condition>
bool eventually(Condition condition) {
  for (int i = 0; i < 4000; ++i) {
    if (condition()) return true;
    std::this_thread::sleep_for(std::chrono::milliseconds(5));
  }
  return false;
}

/// What the kernel says of a thread of this process (proc(5), State in /proc/pid/task/tid/status): 'S' for asleep; 0
/// when the thread has ended.
inline char thread_state(pid_t thread) {
  std::ifstream file("/proc/self/task/" + std::to_string(thread) + "/status");
  std::string word;
  while (file >> word && word != "State:") {
  }
  return file >> word ? word[0] : '\0';
}

/// Waits until a thread sleeps for good, as inside a blocking call: asleep at twenty looks in a row, since one look may
/// meet it at a lock on its way. The thread stores its number (gettid) when it is about to call. False when it ends or
/// goes on working.
inline bool falls_asleep(const std::atomic<pid_t>& thread) {
  constexpr int enough = 20;
  int asleep = 0;
  eventually([&] {
    if (thread == 0) return false;
    const char state = thread_state(thread);
    asleep = state == 'S' ? asleep + 1 : 0;
    return asleep == enough || state == '\0';
  });
  return asleep == enough;
}

}  // namespace cardea::p11
