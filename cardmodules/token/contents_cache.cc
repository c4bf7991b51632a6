// The file of ContentsCache: magic, version, checksum, reader, insertion, stamp, contents.
#include <array>

#include "cards/card_contents.h"
#include "cards/packing.h"
#include "cards/private_files.h"
#include "crypto/digest.h"

namespace cardea::card {
namespace {

// The last byte is the format's version: a file of another version is no file.
constexpr std::array<Byte, 8> magic{'c', 'a', 'r', 'd', 'e', 'a', 'C', 1};
constexpr std::size_t checksum_size = 32;
constexpr std::size_t largest_file = std::size_t{4} << 20;

}  // namespace

std::filesystem::path ContentsCache::file_of(const std::string& reader) const {
  const Result<Bytes> name = crypto::digest(Hash::sha256, view_of(reader));
  if (directory_.empty() || !name) return {};
  return directory_ / to_hex(ByteView(*name).first(16));
}

std::optional<ContentsCache::Found> ContentsCache::read(const std::string& reader, ByteView insertion) const {
  const std::filesystem::path file = file_of(reader);
  if (file.empty() || insertion.empty()) return std::nullopt;
  const std::optional<Bytes> whole = read_private_file(file, largest_file);
  if (!whole || whole->size() < magic.size() + checksum_size) return std::nullopt;
  const ByteView all(*whole);
  const ByteView body = all.subspan(magic.size() + checksum_size);
  const Result<Bytes> checksum = crypto::digest(Hash::sha256, body);
  if (!same_bytes(all.first(magic.size()), magic) || !checksum ||
      !same_bytes(all.subspan(magic.size(), checksum_size), *checksum)) {
    return std::nullopt;
  }
  Unpacker unpacker(body);
  CacheKey key;
  Bytes contents;
  unpacker.text(key.reader);
  unpacker.bytes(key.insertion);
  unpacker.number(key.stamp);
  unpacker.bytes(contents);
  if (!unpacker.complete() || key.reader != reader || !same_bytes(key.insertion, insertion)) return std::nullopt;
  Result<CardContents> parsed = parse_contents(contents);
  if (!parsed) return std::nullopt;
  return Found{key.stamp, std::move(*parsed)};
}

void ContentsCache::store(const CacheKey& key, const CardContents& contents) const {
  const std::filesystem::path file = file_of(key.reader);
  if (file.empty() || key.insertion.empty()) return;
  Packer packer;
  packer.text(key.reader);
  packer.bytes(key.insertion);
  packer.number(key.stamp);
  packer.bytes(serialise(contents));
  const Bytes body = packer.take();
  const Result<Bytes> checksum = crypto::digest(Hash::sha256, body);
  if (!checksum || !ensure_private_directory(directory_)) return;
  Bytes whole(magic.begin(), magic.end());
  whole.insert(whole.end(), checksum->begin(), checksum->end());
  whole.insert(whole.end(), body.begin(), body.end());
  // A home that cannot be written has no cache, and nobody minds.
  static_cast<void>(replace_private_file(file, whole));
}

}  // namespace cardea::card
