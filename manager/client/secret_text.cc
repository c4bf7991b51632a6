#include "client/secret_text.h"

#include <array>
#include <boost/json.hpp>

namespace cardea::client {

SecretBytes secret_text(const boost::json::object& object) {
  boost::json::serializer serializer;
  std::array<char, 1024> piece;
  std::size_t size = 0;
  for (serializer.reset(&object); !serializer.done();) size += serializer.read(piece.data(), piece.size()).size();
  wipe({reinterpret_cast<Byte*>(piece.data()), piece.size()});
  SecretBytes text(size);
  std::size_t written = 0;
  for (serializer.reset(&object); !serializer.done();)
    written += serializer.read(reinterpret_cast<char*>(text.data()) + written, size - written).size();
  return text;
}

}  // namespace cardea::client
