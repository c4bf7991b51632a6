// What a kind of card must know about itself. Everything that all cards share (objects for PKCS#11, login state across
// processes, caches, retries after a reset) is written once against this shape, which is the smart card minidriver's:
// containers, files, PIN roles, an administrator.
#pragma once

#include <memory>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "crypto/key_algorithm.h"
#include "pcsc/card_transaction.h"
#include "token/token.h"

namespace cardea::card {

/// How well a module knows a card. Modules never depend on the order of modules.def: the best match wins.
enum class Match : std::uint8_t {
  none,
  possible,  ///< its application answered, but nothing says that it is not another card imitating it
  certain    ///< the card is what the module was written for
};

/// PINs of a card. `user` is PKCS#11's user; the others serve the card commands and the manager.
enum class PinRole : std::uint8_t {
  user,
  global,   ///< shared by all applications of the card (SP 800-73-4 part 1, 3.3.2)
  unblock,  ///< PUK
  admin     ///< the administrator's key
};

/// Who must have shown what for a use of a key.
enum class PinPolicy : std::uint8_t { never, once, always };
/// Whether the card waits for a finger.
enum class TouchPolicy : std::uint8_t { never, always, cached };

/// A place for a key and its certificate. What stands here costs no APDU to know.
struct ContainerPlace {
  std::uint32_t index = 0;  ///< the module's own number: PIV key reference, index in the container map
  Bytes id;                 ///< CKA_ID of its three objects, stable
  std::string label;        ///< CKA_LABEL
  PinPolicy pin = PinPolicy::once;
};

/// What a container holds, as read from the card. Public data only; serialisable, so it can be cached.
struct Container {
  ContainerPlace place;
  bool has_key = false;
  Bytes public_key;   ///< SubjectPublicKeyInfo, DER; empty when the card does not tell and there is no certificate
  Bytes certificate;  ///< X.509, DER, already uncompressed; empty when there is none
  Primitives primitives = 0;
  bool signs = false;     ///< CKA_SIGN of the private key
  bool decrypts = false;  ///< CKA_DECRYPT, CKA_UNWRAP
  bool derives = false;   ///< CKA_DERIVE
  bool local = false;     ///< known to have been generated on the card
  TouchPolicy touch = TouchPolicy::never;
};

/// A file or data object that applications may see as CKO_DATA.
struct FileEntry {
  std::string name = {};         ///< CKA_LABEL, and its name for `cardea card dump`
  std::string application = {};  ///< CKA_APPLICATION
  Bytes object_id = {};          ///< CKA_OBJECT_ID, DER; empty when it has none
  std::uint32_t reference = 0;   ///< the module's own: PIV data object tag, GIDS file and object id
  bool needs_pin = false;        ///< readable only after the user PIN
  bool writable = true;          ///< by the administrator
  bool listed = false;           ///< the card's own directory names it: it is there without having been read
};

/// A part of a file's content that a person can read.
struct FileField {
  std::string name;
  std::string value;
};

/// Something that was checked about a card's files: a signature, a hash.
struct ContentCheck {
  std::string subject;  ///< the file
  bool passed = false;
  std::string sentence;  ///< what was found
};

/// What a card says of itself once selected. Cached with the contents.
struct CardDescription {
  std::string label;
  std::string manufacturer;
  std::string model;
  std::string serial;  ///< at most 16 characters, stable for the life of the card
  Bytes identity;      ///< unique to this card and its personalisation: cache key
  std::size_t min_pin_length = 4;
  std::size_t max_pin_length = 8;
  bool initialized = true;
  bool can_generate = false;
  bool can_import = false;
  bool user_writes = false;  ///< keys and certificates are written with the user PIN, not by the administrator (GIDS)
  std::vector<std::string> problems;  ///< one sentence each, for `doctor`
};

/// What a key is to be. The algorithm is named as the crypto library does; the module refuses what the card cannot.
struct KeyRequest {
  crypto::KeyAlgorithm algorithm{};
  std::size_t bits = 0;  ///< RSA only
  std::optional<PinPolicy> pin = {};
  std::optional<TouchPolicy> touch = {};
};

/// A key made elsewhere on its way to a place.
struct KeyToImport {
  ContainerPlace place;
  const SecretBytes* pkcs8 = nullptr;  ///< PKCS#8, DER
  ByteView certificate;                ///< DER
};

/// What a blank card becomes.
struct NewCard {
  Bytes card_id = {};  ///< 16 bytes, unique; empty: made up
  Pin user_pin;
  SecretBytes admin_key;
};

class CardAdministrator;

/// One card, recognised. Holds what it learnt about the card (algorithms, key references), not its contents. The caller
/// serialises calls and gives each a transaction in which this card's application is selected and, where the call needs
/// it, the PIN verified. Errors beside those named: device_removed, timed_out, device_error. A card that forgot its
/// security status answers user_not_logged_in: the caller verifies again and repeats the call once.
class CardModule {
 public:
  virtual ~CardModule() = default;

  /// Makes the card's application the current one; one APDU. token_not_recognized when the card is another one now.
  virtual Status select(CardTransaction& transaction) = 0;

  /// Reads what identifies the card. As few APDUs as the kind needs.
  virtual Result<CardDescription> describe(CardTransaction& transaction) = 0;

  /// The places where keys can be, in the order in which they are shown. May read directories (container map, key
  /// history), never contents.
  virtual Result<std::vector<ContainerPlace>> places(CardTransaction& transaction) = 0;
  /// Reads one place; empty when there is neither key nor certificate. data_invalid when what is there does not parse.
  virtual Result<std::optional<Container>> read_container(CardTransaction& transaction,
                                                          const ContainerPlace& place) = 0;

  /// Whether there is no key in the place; in as few commands as the kind needs.
  virtual Result<bool> is_free(CardTransaction& transaction, const ContainerPlace& place) {
    CARDEA_ASSIGN(const std::optional<Container> container, read_container(transaction, place));
    return !container;
  }

  virtual Result<std::vector<FileEntry>> files(CardTransaction& transaction) = 0;
  /// The content, without the card's own wrapping; not_found when the file does not exist on this card.
  virtual Result<Bytes> read_file(CardTransaction& transaction, const FileEntry& file) = 0;
  /// What the content says, for people; empty when this kind knows nothing about the file. data_invalid when it is
  /// damaged.
  virtual Result<std::vector<FileField>> explain(const FileEntry&, ByteView) const { return std::vector<FileField>(); }
  /// Checks what the issuer signed; `issuer` is the signer's certificate or one that it was issued under (DER).
  /// function_not_supported when this kind has nothing signed.
  virtual Result<std::vector<ContentCheck>> check_contents(CardTransaction&, ByteView /*issuer*/) {
    return Code::function_not_supported;
  }

  /// pin_incorrect with tries left, pin_locked, pin_length, user_pin_not_initialized, function_not_supported for a role
  /// that the card does not have.
  virtual Status verify(CardTransaction& transaction, PinRole role, const Pin& pin) = 0;
  /// Verification on the reader's pad.
  virtual Status verify_on_pad(CardTransaction& transaction, PinPad& pad, PinRole role) = 0;
  /// State of a PIN without burning a try. Of the administrator's key, where the card tells: whether it is still that
  /// of the factory (to_be_changed); function_not_supported elsewhere.
  virtual Result<PinState> pin_state(CardTransaction& transaction, PinRole role) = 0;
  virtual Status change_pin(CardTransaction& transaction, PinRole role, const Pin& old_pin, const Pin& new_pin) = 0;
  /// Old and new PIN typed on the reader's pad. Errors as those of verify() and PinPad::modify.
  virtual Status change_pin_on_pad(CardTransaction&, PinPad&, PinRole) {
    return error(Code::function_not_supported, "PINs of cards of this kind are not changed on a reader's PIN pad");
  }
  /// Sets the user PIN by the PUK. pin_incorrect counts the PUK's tries.
  virtual Status unblock(CardTransaction& transaction, const Pin& puk, const Pin& new_pin) = 0;
  /// Has the card confirm a PUK, on kinds where nothing but the PUK sets the user PIN anew. pin_incorrect counts the
  /// PUK's tries; function_not_supported on other kinds, and for what is no PUK by its length.
  virtual Status confirm_puk(CardTransaction&, const Pin& /*puk*/) { return Code::function_not_supported; }
  /// Closes the security status; false when only a reset of the card does that.
  virtual bool deauthenticate(CardTransaction& transaction) = 0;

  /// Runs a primitive of the container's key; `out` is large enough. Errors as PrivateKey::perform.
  virtual Result<std::size_t> perform(CardTransaction& transaction, const Container& container,
                                      const PrimitiveRequest& request, ByteView input, MutableBytes out) = 0;

  /// Bytes left on the card for files; empty when it does not tell.
  virtual Result<std::optional<std::size_t>> free_space(CardTransaction&) { return std::optional<std::size_t>(); }

  /// Writing and administration; null when the card cannot be written at all.
  virtual CardAdministrator* administrator() { return nullptr; }
};

/// What an administrator does with a card. Needs authenticate() before it in the same security status, unless said
/// otherwise: user_not_logged_in without. Where CardDescription::user_writes, the user PIN serves for keys,
/// certificates and files.
class CardAdministrator {
 public:
  virtual ~CardAdministrator() = default;

  /// Proves knowledge of the administrator's key (PIV management key, GIDS admin key); mutual where the card can.
  /// pin_incorrect when it is the wrong one, pin_locked, key_size_range when its length does not fit.
  virtual Status authenticate(CardTransaction& transaction, const SecretBytes& key) = 0;
  /// The same in two steps for a key that stays elsewhere (B1): the card's challenge, then the answer to it.
  virtual Result<Bytes> challenge(CardTransaction& transaction) = 0;
  virtual Status answer_challenge(CardTransaction& transaction, ByteView answer) = 0;
  /// What enciphers the challenge that waits for its answer: "3des", "aes128", "aes192", "aes256"; empty when none
  /// does.
  virtual std::string challenge_algorithm() const { return {}; }
  virtual Status set_key(CardTransaction& transaction, const SecretBytes& new_key) = 0;
  /// The key every card of the kind has from the factory; empty when there is no such.
  virtual SecretBytes factory_key() const = 0;

  /// Generates a key pair on the card; answers the SubjectPublicKeyInfo. Kinds with free names for their containers
  /// take place.label as the name when the place is empty and it is not.
  virtual Result<Bytes> generate(CardTransaction& transaction, const ContainerPlace& place,
                                 const KeyRequest& request) = 0;
  /// Writes a private key made elsewhere (PKCS#8, DER).
  virtual Status import_key(CardTransaction& transaction, const ContainerPlace& place, const SecretBytes& pkcs8,
                            const KeyRequest& request) = 0;
  /// Writes keys with their certificates into places that the caller knows to be empty, one after the other, in fewer
  /// commands than import_key() and write_certificate() take. Answers how many are there whole; fewer than given when
  /// the card is full. Other errors leave those before them on the card, entered in its directory.
  virtual Result<std::size_t> import_all(CardTransaction& transaction, std::span<const KeyToImport> keys);
  /// function_not_supported where keys cannot be removed.
  virtual Status delete_key(CardTransaction& transaction, const ContainerPlace& place) = 0;
  /// function_not_supported where a key stays where it was made.
  virtual Status move_key(CardTransaction&, const ContainerPlace& /*from*/, const ContainerPlace& /*to*/) {
    return Code::function_not_supported;
  }
  /// DER; empty removes it. Compressed where that is needed to fit. device_memory when it does not fit.
  virtual Status write_certificate(CardTransaction& transaction, const ContainerPlace& place, ByteView der) = 0;
  /// Empty removes the content.
  virtual Status write_file(CardTransaction& transaction, const FileEntry& file, ByteView content) = 0;
  /// A certificate by the card that the key was generated on it; function_not_supported.
  virtual Result<Bytes> attest(CardTransaction&, const ContainerPlace&) { return Code::function_not_supported; }
  /// Makes the card as it left the factory. Needs no authentication where the card wants blocked PINs instead.
  /// function_not_supported.
  virtual Status reset(CardTransaction&) { return Code::function_not_supported; }
  /// Lays out a blank card (CardDescription::initialized is false) and closes it to strangers, with these secrets. One
  /// that was cut off on the way is taken further, if its secrets are these. exists when it is not blank,
  /// function_not_supported where cards come with their layout.
  virtual Status initialise(CardTransaction&, const NewCard&) { return Code::function_not_supported; }
  /// Makes the place's key the one that is used when nothing names a key; function_not_supported without such a thing.
  virtual Status set_default(CardTransaction&, const ContainerPlace&) { return Code::function_not_supported; }
  /// How many wrong entries lock the user PIN and the PUK. Needs the user PIN verified as well; cards that can do it
  /// (YubiKeys) give both PINs their factory values with it. function_not_supported elsewhere.
  virtual Status set_tries(CardTransaction&, int /*user*/, int /*unblock*/) { return Code::function_not_supported; }
  /// A user PIN set by the administrator; function_not_supported where only the PUK does that.
  virtual Status set_user_pin(CardTransaction& transaction, const Pin& new_pin) = 0;
};

/// A line of modules.def: recognises its cards. `recognise` sends as few APDUs as it can, leaves its application
/// selected when it matches, and answers null with Match::none otherwise.
struct Recognition {
  Match match = Match::none;
  std::unique_ptr<CardModule> module;
};
using Recogniser = Result<Recognition> (*)(CardTransaction& transaction);

}  // namespace cardea::card
