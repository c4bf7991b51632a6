// A generic minidriver card: the GIDS 2.0 card edge with files laid out as Windows' inbox minidriver lays them out.
#pragma once

#include <map>

#include "cardmodules/card_module.h"
#include "cardmodules/padding_replacement.h"
#include "gids/commands.h"
#include "gids/key_file.h"
#include "gids/layout.h"

namespace cardea::card::gids {

/// What SELECT told (GIDS 2.0, tables 7 and 8).
struct Application {
  Bytes identifier;
  std::string label;
  Byte protocols = 0xa0;  ///< authentication protocols; the default is table 9's
};
/// Reads the application template (61 …). Damage and absence leave the defaults; `identifier` is then empty.
Application parse_application(ByteView answer);

/// On these cards the user PIN serves for creating, writing and deleting keys and certificates; the administrator's key
/// for the card's identifier, for the user PIN, and for itself.
class GidsCard final : public CardModule, public CardAdministrator {
 public:
  explicit GidsCard(Application application) : application_(std::move(application)) {}

  Status select(CardTransaction& transaction) override;
  Result<CardDescription> describe(CardTransaction& transaction) override;
  Result<std::vector<ContainerPlace>> places(CardTransaction& transaction) override;
  Result<std::optional<Container>> read_container(CardTransaction& transaction, const ContainerPlace& place) override;
  Result<std::vector<FileEntry>> files(CardTransaction& transaction) override;
  Result<Bytes> read_file(CardTransaction& transaction, const FileEntry& file) override;
  Result<std::optional<std::size_t>> free_space(CardTransaction& transaction) override;

  Status verify(CardTransaction& transaction, PinRole role, const Pin& pin) override;
  Status verify_on_pad(CardTransaction& transaction, PinPad& pad, PinRole role) override;
  Result<PinState> pin_state(CardTransaction& transaction, PinRole role) override;
  Status change_pin(CardTransaction& transaction, PinRole role, const Pin& old_pin, const Pin& new_pin) override;
  /// The user's PIN only.
  Status change_pin_on_pad(CardTransaction& transaction, PinPad& pad, PinRole role) override;
  Status unblock(CardTransaction& transaction, const Pin& puk, const Pin& new_pin) override;
  bool deauthenticate(CardTransaction& transaction) override;

  Result<std::size_t> perform(CardTransaction& transaction, const Container& container, const PrimitiveRequest& request,
                              ByteView input, MutableBytes out) override;

  CardAdministrator* administrator() override { return this; }

  Status authenticate(CardTransaction& transaction, const SecretBytes& key) override;
  /// Eight bytes to be enciphered with triple DES; 40 bytes to be enciphered in CBC mode with a zero initialisation
  /// vector where the card only knows mutual authentication. No command may come between the two steps.
  Result<Bytes> challenge(CardTransaction& transaction) override;
  Status answer_challenge(CardTransaction& transaction, ByteView answer) override;
  std::string challenge_algorithm() const override { return challenge_size_ == 0 ? "" : "3des"; }
  Status set_key(CardTransaction& transaction, const SecretBytes& new_key) override;
  SecretBytes factory_key() const override { return {}; }

  Result<Bytes> generate(CardTransaction& transaction, const ContainerPlace& place, const KeyRequest& request) override;
  Status import_key(CardTransaction& transaction, const ContainerPlace& place, const SecretBytes& pkcs8,
                    const KeyRequest& request) override;
  Status delete_key(CardTransaction& transaction, const ContainerPlace& place) override;
  Status write_certificate(CardTransaction& transaction, const ContainerPlace& place, ByteView der) override;
  Status write_file(CardTransaction& transaction, const FileEntry& file, ByteView content) override;
  Status set_user_pin(CardTransaction& transaction, const Pin& new_pin) override;
  Status set_default(CardTransaction& transaction, const ContainerPlace& place) override;
  Status initialise(CardTransaction& transaction, const NewCard& wanted) override;

 private:
  /// The directory of files and containers. Read once, and again before each change.
  struct Directory {
    Bytes master_file;
    std::vector<DirectoryEntry> entries;
    ObjectPlace map_place;
    std::vector<ContainerRecord> containers;
  };

  /// data_invalid, not_found (a card without files).
  Status load_directory(CardTransaction& transaction);
  Status ensure_directory(CardTransaction& transaction);
  /// What the key's file says that it allows, asked once.
  Result<KeyUse> key_use(CardTransaction& transaction, std::uint32_t index);
  Status read_key(CardTransaction& transaction, const ContainerRecord& record, Container& container);
  Status read_certificate(CardTransaction& transaction, const ContainerRecord& record, Container& container);

  Result<std::size_t> perform_with(CardTransaction& transaction, const KeyUse& use, KeyKind kind,
                                   const Container& container, const PrimitiveRequest& request, ByteView input,
                                   MutableBytes out);
  Result<std::size_t> decrypt_pkcs1(CardTransaction& transaction, const Container& container, Byte mechanism,
                                    ByteView input, MutableBytes out);

  Status advance(CardTransaction& transaction, CacheChange change);
  Status write_map(CardTransaction& transaction);
  Status make_room(CardTransaction& transaction, const ContainerPlace& place, KeyKind kind, const KeyRequest& request);
  Status enter_container(CardTransaction& transaction, const ContainerPlace& place, KeyKind kind);
  Status remove_file(CardTransaction& transaction, ObjectPlace place);
  Status store_file(CardTransaction& transaction, std::string_view directory, std::string_view name, std::uint16_t file,
                    ByteView content);

  Application application_;
  std::optional<Directory> directory_;
  std::map<std::uint32_t, KeyUse> uses_;
  PaddingReplacement replacement_;
  std::size_t challenge_size_ = 0;  ///< of the challenge that waits for its answer; 0: none
};

}  // namespace cardea::card::gids

namespace cardea::card {

/// Recognises GIDS cards (Recogniser).
Result<Recognition> recognise_gids(CardTransaction& transaction);

}  // namespace cardea::card
