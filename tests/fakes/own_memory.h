// Looks for what should have been wiped in the memory of the test itself.
#pragma once

#include <fcntl.h>
#include <unistd.h>

#include <algorithm>
#include <cinttypes>
#include <cstdint>
#include <cstdio>
#include <fstream>
#include <string>
#include <string_view>
#include <vector>

#include "base/secret.h"

namespace cardea::test {

/// Whether the second half of the text stands anywhere in this process's writable memory. It is given with each byte
/// inverted, so that the search does not find what it is looking for in its own hands. Regions of more than a gigabyte,
/// which are no memory in use but the books of sanitizers, are left out.
inline bool in_own_memory(std::string_view inverted) {
  constexpr std::uint64_t largest = std::uint64_t{1} << 30;
  constexpr std::size_t step = std::size_t{1} << 20;
  // What was given back keeps its end; the allocator writes into its beginning. Registers that were saved on the stack
  // hold up to 64 bytes of what was last copied.
  inverted = inverted.substr(inverted.size() / 2);
  std::vector<char> room(step + inverted.size());
  const int memory = open("/proc/self/mem", O_RDONLY | O_CLOEXEC);
  std::ifstream maps("/proc/self/maps");
  bool found = false;
  for (std::string line; !found && std::getline(maps, line);) {
    std::uint64_t begin = 0, end = 0;
    char write = '-';
    if (std::sscanf(line.c_str(), "%" SCNx64 "-%" SCNx64 " r%c", &begin, &end, &write) != 3 || write != 'w') continue;
    if (end - begin > largest) continue;
    for (std::uint64_t at = begin; !found && at < end; at += step) {
      const auto wanted = static_cast<std::size_t>(std::min<std::uint64_t>(room.size(), end - at));
      const ssize_t count = pread(memory, room.data(), wanted, static_cast<off_t>(at));
      if (count <= 0) continue;
      const auto last = room.begin() + count;
      found = std::search(room.begin(), last, inverted.begin(), inverted.end(),
                          [](char here, char other) { return here == static_cast<char>(~other); }) != last;
    }
  }
  close(memory);
  wipe({reinterpret_cast<Byte*>(room.data()), room.size()});
  return found;
}

/// A text of so many letters that nothing else holds, inverted; 256 are enough for in_own_memory().
inline std::string inverted_secret(std::size_t size) {
  std::string letters(size, '\0');
  std::ifstream("/dev/urandom").read(letters.data(), static_cast<std::streamsize>(size));
  for (char& letter : letters) letter = static_cast<char>(~('a' + (static_cast<unsigned char>(letter) & 15)));
  return letters;
}

}  // namespace cardea::test
