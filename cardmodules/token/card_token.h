// One card in one reader, from its insertion to its removal, as a PKCS#11 token.
#pragma once

#include "base/config.h"
#include "base/guarded.h"
#include "cards/card_access.h"
#include "cards/card_objects.h"
#include "cards/card_readers.h"
#include "cards/shared_state.h"
#include "token/token.h"

namespace cardea::card {

struct Interest;

/// Thread-safe. Lives on after the card was pulled, when everything that needs the card answers device_removed.
///
/// The user is the card's user PIN. The security officer is its administrator, whose "PIN" is the administrator's key
/// in hexadecimal digits; or, where nothing but the PUK sets the user PIN anew, who knows the PUK.
class CardToken final : public Token,
                        public PinManager,
                        public KeyGenerator,
                        public ObjectStore,
                        public std::enable_shared_from_this<CardToken> {
 public:
  /// Recognises the card, or takes what the cache knows of this insertion without any exchange with the card.
  /// token_not_recognized, device_removed, timed_out, device_error.
  static Result<std::shared_ptr<CardToken>> open(const Settings& settings, const ReaderStatus& reader,
                                                 CardChannelPtr channel, std::span<const CardKind> kinds);

  /// The card has left the reader.
  void mark_removed() noexcept { access_->mark_removed(); }

  TokenDescription describe() override;
  bool present() const noexcept override { return !access_->removed(); }
  bool officer_writes_objects() const noexcept override { return officer_writes_; }
  std::uint64_t generation() override { return generation_.load(std::memory_order_acquire); }
  Status login(Role role, const Pin& pin) override;
  void logout() override;
  Status authenticate_again(const Pin& pin) override;
  Status find(const Query& query, const ObjectSink& sink) override;
  Result<ObjectPtr> object(ObjectId id) override;
  Result<KeyPtr> key(const Object& object) override;
  Result<SecretAttributes> secrets(const Object& object) override;
  ObjectStore* object_store() override { return this; }
  PinManager* pin_manager() override { return this; }
  KeyGenerator* key_generator() override { return this; }

  Status change(Role role, const Pin& old_pin, const Pin& new_pin) override;
  Status set_user_pin(const Pin& new_pin) override;

  bool generates(CK_MECHANISM_TYPE mechanism) const override;
  Result<std::vector<ObjectPtr>> generate(CK_MECHANISM_TYPE mechanism, const AttributeSet& public_template,
                                          const AttributeSet& private_template) override;

  Result<std::vector<ObjectPtr>> create(std::vector<NewObject> objects) override;
  Result<ObjectPtr> replace(ObjectId id, const AttributeSet& attributes) override;
  Status destroy(ObjectId id) override;

  /// A primitive of the key in a container; for CardKey.
  Result<std::size_t> perform(const Container& container, const PrimitiveRequest& request, ByteView input,
                              MutableBytes out);

 private:
  struct Known {
    CardContents card;
    ObjectNumbers numbers;
    /// What was there before another process wrote; compared with what is there now.
    std::map<std::uint32_t, Container> former;
    std::uint64_t stamp = 0;
    bool unsaved = false;
  };
  CardToken(const Settings& settings, ReaderStatus reader, std::unique_ptr<CardAccess> access, CardContents card);

  static Result<CardContents> read_description(CardAccess& access);
  void save();
  void take_in_foreign_changes();
  void contents_changed();
  /// Takes note of what a place holds now. Objects whose key or certificate was replaced by another get new ids.
  static void take_note(Known& known, std::uint32_t index, std::optional<Container> container);
  Status login_officer(const Pin& pin);
  void note_pin(const Status& outcome);
  void refresh_pin_state();

  struct Missing;
  Missing missing_for(const Interest& interest) const;
  Status read_wanted(const Interest& interest);
  Status read_files(const Interest& interest, CardModule& module, CardTransaction& transaction);
  Status read_place(const ContainerPlace& place, CardModule& module, CardTransaction& transaction);
  Status read_file_state(const FileEntry& file, CardModule& module, CardTransaction& transaction);
  Result<std::optional<Container>> container_at(std::uint32_t index);
  Result<std::vector<ContainerPlace>> places();
  Result<Bytes> content_of(const FileEntry& file);
  Result<FileEntry> file_of(std::uint32_t reference);
  static void add_container_objects(Known& known, const Container& container, const Query& query,
                                    std::vector<ObjectPtr>& found);

  Status write(const std::function<Status(CardAdministrator& administrator, CardTransaction& transaction)>& work);
  Status prepare_writing(Need& need);
  Result<ContainerPlace> place_for_new_key(const AttributeSet& attributes);
  Result<ContainerPlace> place_for_certificate(const AttributeSet& attributes);
  Result<ObjectPtr> create_one(const NewObject& object);
  Result<ObjectPtr> import_key(const NewObject& object);
  Result<ObjectPtr> store_certificate(const AttributeSet& attributes);
  Result<ObjectPtr> store_file(const NewObject& object);
  Result<ObjectPtr> find_public_key(const AttributeSet& attributes);
  Result<ObjectPtr> object_of(ObjectOrigin origin);
  /// Reads a place anew after its key or certificate changed.
  Status renew(const ContainerPlace& place, bool new_key, ByteView public_key);

  const Settings settings_;
  const ReaderStatus reader_;
  const ContentsCache cache_;
  const bool officer_writes_;  // not where the user PIN is what writing takes
  const std::unique_ptr<CardAccess> access_;
  SharedState shared_;
  Guarded<Known> known_;
  std::atomic<std::uint64_t> generation_{1};
  std::atomic<Role> role_{Role::none};
};

}  // namespace cardea::card
