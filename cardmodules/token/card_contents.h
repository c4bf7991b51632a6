// What is known of a card's contents, and that knowledge on disk: public data only, read from the card when somebody
// asked for it, and remembered until the card is pulled.
#pragma once

#include <filesystem>
#include <map>
#include <optional>

#include "cardmodules/card_module.h"

namespace cardea::card {

/// A file as far as it was looked at.
struct FileState {
  bool exists = false;
  std::optional<Bytes> content;  ///< kept when it was read and needs no PIN
};

/// What is absent was not asked for yet.
struct CardContents {
  std::string kind;  ///< of the module that read it: a line of modules.def
  CardDescription description;
  bool pin_pad = false;              ///< the reader has one
  bool writable = false;             ///< the module can administer the card
  std::optional<PinState> user_pin;  ///< as last seen by whoever looked last
  std::optional<std::vector<ContainerPlace>> places;
  std::map<std::uint32_t, std::optional<Container>> containers;  ///< by place; empty where nothing is
  std::optional<std::vector<FileEntry>> files;
  std::map<std::uint32_t, FileState> file_states;  ///< by reference
};

/// Contents as bytes of a format of our own, and back; data_invalid for anything that was not written by the first.
Bytes serialise(const CardContents& contents);
Result<CardContents> parse_contents(ByteView bytes);

/// Which state of which card contents belong to.
struct CacheKey {
  std::string reader;
  Bytes insertion;          ///< ReaderStatus::insertion_identity
  std::uint64_t stamp = 0;  ///< SharedState::stamp
};

/// One file for each reader, 0600, replaced as a whole. Nothing that is wrong with it matters: what cannot be read was
/// never there, and what cannot be written is read from the card next time.
class ContentsCache {
 public:
  /// An empty directory: nothing is remembered.
  explicit ContentsCache(std::filesystem::path directory) : directory_(std::move(directory)) {}

  /// The contents of the card that this insertion put there. The stamp is that of the card's shared state, which the
  /// caller learns only from the contents' identity: `stamp` answers it.
  template <class StampOf>
  std::optional<CardContents> load(const std::string& reader, ByteView insertion, StampOf&& stamp_of) const {
    auto found = read(reader, insertion);
    if (!found || found->stamp != stamp_of(found->contents.description.identity)) return std::nullopt;
    return std::move(found->contents);
  }
  void store(const CacheKey& key, const CardContents& contents) const;

 private:
  struct Found {
    std::uint64_t stamp;
    CardContents contents;
  };
  std::filesystem::path file_of(const std::string& reader) const;
  std::optional<Found> read(const std::string& reader, ByteView insertion) const;

  std::filesystem::path directory_;
};

}  // namespace cardea::card
