// What the tests of the cards share: a card in memory that takes and gives hexadecimal.
#pragma once

#include <unistd.h>

#include <boost/test/unit_test.hpp>
#include <filesystem>
#include <string>
#include <string_view>

#include "base/bytes.h"
#include "card/block_cipher.h"
#include "card/tlv.h"
#include "card/virtual_card.h"

namespace cardea::vcard {

inline Bytes hex(std::string_view text) {
  Bytes out;
  BOOST_REQUIRE(from_hex(text, out));
  return out;
}

/// A command in extended form, so that nothing has to be chained.
inline Bytes command_bytes(std::string_view header, ByteView data) {
  Bytes out = hex(header);
  if (!data.empty()) {
    out.insert(out.end(), {0, static_cast<Byte>(data.size() >> 8), static_cast<Byte>(data.size())});
    out.insert(out.end(), data.begin(), data.end());
    out.insert(out.end(), {0, 0});
  } else {
    out.insert(out.end(), {0, 0, 0});
  }
  return out;
}

/// A folder of the test's own, removed with it.
struct Folder {
  Folder() {
    std::string pattern = (std::filesystem::temp_directory_path() / "cardea-card.XXXXXX").string();
    BOOST_REQUIRE(mkdtemp(pattern.data()) != nullptr);
    path = pattern;
  }
  ~Folder() { std::filesystem::remove_all(path); }
  std::filesystem::path path;
};

class TestCard {
 public:
  explicit TestCard(CardState state) : card(std::move(state)) {}

  /// Sends a command in hexadecimal; the whole answer in hexadecimal.
  std::string raw(std::string_view command) { return to_hex(card.exchange(hex(command))); }

  /// Sends header and data; keeps the data of the answer, returns the status word.
  unsigned send(std::string_view header, ByteView data = {}) {
    const Bytes answer = card.exchange(command_bytes(header, data));
    BOOST_REQUIRE(answer.size() >= 2);
    const unsigned status = static_cast<unsigned>(answer[answer.size() - 2] << 8 | answer.back());
    response.assign(answer.begin(), answer.end() - 2);
    return status;
  }
  unsigned send(std::string_view header, std::string_view data) { return send(header, hex(data)); }

  VirtualCard card;
  Bytes response;
};

}  // namespace cardea::vcard
