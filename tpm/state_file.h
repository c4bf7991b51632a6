// What a virtual card keeps outside the TPM: one SQLite database. Everything in it is public, or encrypted by the TPM,
// or sealed under a secret that only the TPM gives out (docs/tpm.md, "On disk").
//
// It is opened for one transaction at a time and closed again: a card is read when it has changed and written when
// somebody changes it, both seldom beside what the TPM does, and a process that forks or is killed has nothing open.
#pragma once

#include <sys/stat.h>

#include <array>
#include <filesystem>
#include <functional>
#include <map>
#include <optional>
#include <string>

#include "database/sqlite.h"
#include "esapi/tpm_connection.h"
#include "token/object.h"

namespace cardea::tpm {

/// The TPM's objects that open a card. The numbers stand in the file.
enum class Opener : std::uint8_t {
  user_pin = 1,       ///< the card's secret, sealed under the user PIN
  puk = 2,            ///< the same under the unblock secret
  administrator = 3,  ///< the same under an answered challenge
  challenge_key = 4   ///< what checks the answer
};
using Openers = std::map<Opener, Blob>;

/// How long the card's PINs may be, as the settings said when it was made; 0 and 0 on cards of older versions.
struct PinLengths {
  std::size_t least = 0;  ///< bytes
  std::size_t most = 0;   ///< bytes
};

/// What describes the card.
struct CardDescription {
  std::string serial;
  std::string label;
  Bytes storage_key_name;  ///< of the storage key that its objects are under: tells this TPM from others
  PinLengths pin_lengths = {};
  std::optional<RsaAbility> rsa = {};  ///< of that TPM; cards of older versions do not have it until it is found out
};

/// An object of the card.
struct StoredObject {
  ObjectPtr object;
  Bytes seal;               ///< see seal.h; empty where nobody was logged in when a public object was made
  std::optional<Blob> key;  ///< of private keys
};
using StoredObjects = std::map<ObjectId, StoredObject>;

/// All there is.
struct CardState {
  std::uint64_t change = 0;  ///< goes up with every write
  CardDescription description;
  Openers openers;
  StoredObjects objects;
};

/// What distinguishes two states of a file without opening it.
struct FileStamp {
  ino_t inode = 0;
  off_t size = 0;
  timespec modified{};
  /// Whether it is older than the clock with which file systems tell changes apart: a younger file might be changed
  /// again under the same stamp.
  bool settled = false;
  bool operator==(const FileStamp& other) const noexcept;
};

/// What a transaction has written.
struct CardChanges {
  std::uint64_t change = 0;  ///< the number of this write
  std::vector<StoredObject> written = {};
  std::vector<ObjectId> gone = {};
  Openers openers = {};
  std::optional<RsaAbility> rsa = {};
  bool moved = false;  ///< to another storage key: everything has to be read anew
};

/// A transaction under way that changes the card.
class CardWriter {
 public:
  CardWriter(database::Connection& connection, std::uint64_t change)
      : connection_(connection), changes_{.change = change} {}

  const CardChanges& changes() const noexcept { return changes_; }
  /// Takes the next ids; answers the first.
  Result<ObjectId> next_ids(std::size_t count);
  Status insert(const StoredObject& object);
  /// Attributes and seal of an object; object_handle_invalid when it is gone.
  Status update(const StoredObject& object);
  Status remove(ObjectId id);
  Result<std::optional<Blob>> opener(Opener which);
  Status put(Opener which, const Blob& blob);
  /// Keeps what the TPM's RSA keys can do.
  Status remember(const RsaAbility& rsa);
  /// The same for the lengths of PINs.
  Status remember(const PinLengths& lengths);
  /// Puts the card under another storage key: what that TPM cannot open (private keys, sealed objects) is removed.
  Status move_to(ByteView storage_key_name);

 private:
  Status put_fact(std::string_view name, std::uint64_t value);

  database::Connection& connection_;
  CardChanges changes_;
};

/// Thread-safe.
class StateFile {
 public:
  /// That of the card in `directory`.
  explicit StateFile(std::filesystem::path directory) : directory_(std::move(directory)) {}

  /// Makes the database of a new card in an empty directory, all of it on disk.
  static Status create(const std::filesystem::path& directory, const CardDescription& description,
                       const Openers& openers);

  const std::filesystem::path& directory() const noexcept { return directory_; }
  std::filesystem::path file() const;
  /// One system call. An empty one when there is no file.
  FileStamp stamp() const noexcept;
  bool writable() const noexcept;

  /// Everything, with the stamp that it had. token_absent, store_newer, store_corrupt, permission_denied, device_error.
  Result<std::pair<CardState, FileStamp>> read() const;
  /// Only the number of the last change, with its stamp.
  Result<std::pair<std::uint64_t, FileStamp>> last_change() const;
  /// Runs `work` in a durable transaction; nothing is changed when it fails. token_write_protected where the file
  /// cannot be written.
  Result<CardChanges> write(const std::function<Status(CardWriter&)>& work) const;

 private:
  Result<database::Connection> begin_reading() const;

  const std::filesystem::path directory_;
};

}  // namespace cardea::tpm
