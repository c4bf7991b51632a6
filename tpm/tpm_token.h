// A virtual smart card in the TPM, as a PKCS#11 token.
#pragma once

#include <atomic>

#include "token/token.h"
#include "tpm/contents.h"
#include "tpm/tpm.h"
#include "tpm/virtual_card.h"

namespace cardea::tpm {

class TpmKey;

/// A login of this process. Wiped when its last user is done.
struct Login {
  Role role = Role::none;
  CardKeys keys;
  SecretBytes card_secret;  ///< only for the security officer, who sets the user PIN with it
};
using LoginPtr = std::shared_ptr<const Login>;

/// Thread-safe.
///
/// The security officer's "PIN" is the PUK, or the administrator's key as 64 hexadecimal digits.
class TpmToken final : public Token,
                       public PinManager,
                       public KeyGenerator,
                       public ObjectStore,
                       public std::enable_shared_from_this<TpmToken> {
 public:
  /// Reads the card's state; sends the TPM nothing. token_absent, store_newer, store_corrupt, permission_denied.
  static Result<std::shared_ptr<TpmToken>> open(const Settings& settings, const std::string& serial,
                                                std::shared_ptr<Tpm> tpm);

  /// Whether its state is still there.
  bool in_place() const noexcept { return contents_.file().stamp().inode != 0; }

  TokenDescription describe() override;
  std::uint64_t generation() override;
  Status login(Role role, const Pin& pin) override;
  void logout() override;
  Status authenticate_again(const Pin& pin) override;
  Status find(const Query& query, const ObjectSink& sink) override;
  Result<ObjectPtr> object(ObjectId id) override;
  Result<KeyPtr> key(const Object& object) override;
  Result<SecretAttributes> secrets(const Object& object) override;
  Primitives primitives() override;
  void narrow(CK_MECHANISM_TYPE mechanism, CK_MECHANISM_INFO& info) override;
  Status random(MutableBytes out) override;
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

  /// What the TPM says of a private key, with a nonce of at most 48 bytes; the user is logged in. user_not_logged_in,
  /// object_handle_invalid, data_length, function_failed.
  Result<AttestationStatement> attest(ObjectId key, ByteView nonce);
  /// The secret of a credential that was made for this TPM's endorsement key and this card's attestation key; no login.
  /// data_invalid when it was made for others.
  Result<SecretBytes> activate(const Credential& credential);
  /// The public area of the card's storage key, for wrap_key() elsewhere; no login.
  Result<Bytes> storage_key_area();
  /// Takes in a key that was wrapped for that storage key, as a key pair with this label and id; the user is logged in.
  /// wrapped_key_invalid, key_size_range, curve_not_supported.
  Status import_wrapped(const WrappedKey& wrapped, std::string_view label, ByteView id);

  /// A primitive of that key of ours; for TpmKey.
  Result<std::size_t> perform(const TpmKey& key, const PrimitiveRequest& request, ByteView input, MutableBytes out);

 private:
  TpmToken(const Settings& settings, std::string serial, std::shared_ptr<Tpm> tpm);

  /// What the key of that object is called among the loaded ones; none is the beginning of another.
  std::string loaded_name(ObjectId id) const { return loaded_prefix_ + std::to_string(id) + "/"; }

  /// A key in the TPM, and the storage key where its use is to be protected on the bus.
  struct ReadyKey {
    const Loaded* key = nullptr;
    const Loaded* protect = nullptr;
  };
  Result<ReadyKey> ready_key(TpmAccess& access, ObjectId id, const Blob& blob, const Login& login);

  LoginPtr present_login() const;
  Result<LoginPtr> user_login() const;
  Result<StoredObject> stored(ObjectId id);
  CardState state_to_open() const;
  Result<SecretBytes> open_card(const CardState& card, Role role, const Pin& pin);
  void note_lock_out();
  void forget_wrong_pins();
  Status put_openers(const CardState& before, const Openers& openers);

  CardDescription card() const {
    return contents_.read([](const CardState& state) { return state.description; });
  }
  std::optional<Capabilities> known_capabilities();
  RsaAbility rsa_ability();
  Result<std::size_t> use_key(TpmConnection& tpm, const TpmKey& key, const ReadyKey& ready, const Login& login,
                              const PrimitiveRequest& request, ByteView input, MutableBytes out) const;
  Result<Capabilities> find_capabilities(TpmAccess& access);
  Status check_capabilities(TpmAccess& access, const KeyTemplate& wanted);
  Status may_store(const AttributeSet& attributes) const;
  Result<std::optional<Blob>> key_for(const NewObject& object);
  Result<Blob> import_key(const NewObject& object);
  Status seal(StoredObject& object, const LoginPtr& login, ByteView value) const;
  Result<std::vector<ObjectPtr>> store_pair(NewObject public_half, NewObject private_half, Blob blob,
                                            const LoginPtr& login);
  Result<Blob> make_key(CK_MECHANISM_TYPE mechanism, const AttributeSet& public_template, const Login& login);

  const Settings settings_;
  const std::string serial_;
  const std::string loaded_prefix_;  // of its keys' names among the loaded ones
  const std::shared_ptr<Tpm> tpm_;
  Contents contents_;
  SharedGuarded<LoginPtr> login_;
  Guarded<std::optional<LockOut>> lock_out_;
  SharedGuarded<std::optional<Capabilities>> capabilities_;
  SharedGuarded<std::optional<RsaAbility>> rsa_;  // where the card's state does not have it and cannot be written
  Guarded<std::string> problem_;                  // what the last login found out about the TPM
};

}  // namespace cardea::tpm
