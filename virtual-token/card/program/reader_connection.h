// The connection to vpcd, the virtual reader of vsmartcard, which listens; the card is the client.
#pragma once

#include <cstdint>
#include <optional>
#include <string>

#include "base/bytes.h"
#include "base/result.h"

namespace cardea::vcard {

/// A message of the reader: one byte is a control code, more are a command APDU.
enum class ReaderControl : Byte { power_off = 0, power_on = 1, reset = 2, answer_to_reset = 4 };

class ReaderConnection {
 public:
  ReaderConnection() = default;
  ~ReaderConnection() { close(); }
  ReaderConnection(const ReaderConnection&) = delete;
  ReaderConnection& operator=(const ReaderConnection&) = delete;

  /// Connects to an IPv4 address. Codes: arguments_bad, device_removed when nobody listens.
  Status connect(const std::string& host, std::uint16_t port);
  void close();
  bool connected() const { return socket_ >= 0; }
  int descriptor() const { return socket_; }

  /// Reads what has arrived. Codes: device_removed when the reader has gone.
  Status receive();
  /// The next whole message, if it has arrived.
  std::optional<Bytes> take_message();
  /// Sends a message of at most 65,535 bytes; waits at most five seconds. Codes: device_removed, data_length.
  Status send(ByteView message);

 private:
  int socket_ = -1;
  Bytes received_;
};

}  // namespace cardea::vcard
