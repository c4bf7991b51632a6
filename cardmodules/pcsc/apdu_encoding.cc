#include "pcsc/apdu_encoding.h"

#include <algorithm>

namespace cardea::card {
namespace {

constexpr std::size_t header_size = 4;

/// Writes into memory that is exactly as long as the APDU, so that no part of a secret stays in a buffer outgrown.
class Writer {
 public:
  explicit Writer(MutableBytes out) : out_(out) {}
  void byte(std::size_t value) {
    out_.front() = static_cast<Byte>(value);
    out_ = out_.subspan(1);
  }
  void two(std::size_t value) {
    byte(value >> 8 & 0xff);
    byte(value & 0xff);
  }
  void bytes(ByteView value) {
    std::copy(value.begin(), value.end(), out_.begin());
    out_ = out_.subspan(value.size());
  }

 private:
  MutableBytes out_;
};

std::size_t wire_size(const Apdu& apdu) {
  std::size_t size = header_size;
  if (apdu.extended) {
    const bool fields = apdu.le || !apdu.data.empty();
    size += fields ? 1 : 0;
    size += apdu.data.empty() ? 0 : 2 + apdu.data.size();
    size += apdu.le ? 2 : 0;
  } else {
    size += apdu.data.empty() ? 0 : 1 + apdu.data.size();
    size += apdu.le ? 1 : 0;
  }
  return size;
}

}  // namespace

SecretBytes encode(const Apdu& apdu) {
  SecretBytes wire(wire_size(apdu));
  Writer out(wire.mutable_view());
  for (const Byte byte : {apdu.cla, apdu.ins, apdu.p1, apdu.p2}) out.byte(byte);
  // The largest Le is written as zero, in both forms.
  if (apdu.extended) {
    if (apdu.le || !apdu.data.empty()) out.byte(0);
    if (!apdu.data.empty()) out.two(apdu.data.size());
    out.bytes(apdu.data);
    if (apdu.le) out.two(*apdu.le & 0xffff);
  } else {
    if (!apdu.data.empty()) out.byte(apdu.data.size());
    out.bytes(apdu.data);
    if (apdu.le) out.byte(*apdu.le & 0xff);
  }
  return wire;
}

ByteView command_data(ByteView wire) {
  if (wire.size() <= header_size + 1) return {};
  const ByteView body = wire.subspan(header_size);
  const bool extended = body[0] == 0 && body.size() >= 3;
  const std::size_t start = extended ? 3 : 1;
  const std::size_t length = extended ? std::size_t{body[1]} << 8 | body[2] : body[0];
  // What stands behind the header of an extended APDU without data is Le alone.
  if (extended && body.size() == start) return {};
  if (length > body.size() - start) return {};
  return body.subspan(start, length);
}

bool carries_pin(Byte ins) noexcept {
  return ins == 0x20 || ins == 0x21 || ins == 0x24 || ins == 0x2c;
}

std::string redacted_hex(ByteView bytes, ByteView secret) {
  if (secret.empty()) return to_hex(bytes);
  const auto before = static_cast<std::size_t>(secret.data() - bytes.data());
  return to_hex(bytes.first(before)) + "<" + std::to_string(secret.size()) + ">" +
         to_hex(bytes.subspan(before + secret.size()));
}

}  // namespace cardea::card
