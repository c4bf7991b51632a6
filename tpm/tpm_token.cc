#include "tpm/tpm_token.h"

#include "token/key_attributes.h"
#include "token/key_material.h"
#include "tpm/directories.h"
#include "tpm/own_padding.h"
#include "tpm/tpm_key.h"

namespace cardea::tpm {
namespace {

constexpr std::string_view manufacturer = "Cardea";
constexpr std::string_view model = "TPM 2.0";

bool must_be_sealed(const AttributeSet& attributes) {
  return attributes.get_bool(CKA_PRIVATE) || attributes.get_bool(CKA_TRUSTED) ||
         attributes.get_ulong(CKA_CLASS) == CKO_PRIVATE_KEY;
}

/// What the TPM says of a key, in the words of a card.
Error key_failure(Error failure) {
  if (failure.code == Code::pin_incorrect) {
    return error(Code::store_corrupt, "the key does not belong to this card's secret");
  }
  if (failure.code == Code::wrapped_key_invalid) {
    return error(Code::store_corrupt, "the key's encrypted part was damaged");
  }
  return failure;
}

PinState pin_state(const std::optional<LockOut>& lock_out) {
  PinState state;
  state.initialized = true;
  if (!lock_out || lock_out->limit == 0) return state;
  state.retry_limit = static_cast<int>(lock_out->limit);
  state.retries_left =
      lock_out->failures >= lock_out->limit ? 0 : static_cast<int>(lock_out->limit - lock_out->failures);
  state.locked = lock_out->active || *state.retries_left == 0;
  return state;
}

}  // namespace

TpmToken::TpmToken(const Settings& settings, std::string serial, std::shared_ptr<Tpm> tpm)
    : settings_(settings),
      serial_(std::move(serial)),
      loaded_prefix_(serial_ + "/"),
      tpm_(std::move(tpm)),
      contents_(state_directory(settings_) / serial_) {}

Result<std::shared_ptr<TpmToken>> TpmToken::open(const Settings& settings, const std::string& serial,
                                                 std::shared_ptr<Tpm> tpm) {
  std::shared_ptr<TpmToken> token(new TpmToken(settings, serial, std::move(tpm)));
  const bool for_group = !settings.tpm.state_directory.empty();
  CARDEA_TRY(check_directory(state_directory(settings), for_group));
  CARDEA_TRY(check_directory(token->contents_.file().directory(), for_group));
  CARDEA_TRY(token->contents_.refresh());
  const std::string found = token->contents_.read([](const CardState& state) { return state.description.serial; });
  if (found == serial) return token;
  return error(Code::store_corrupt,
               token->contents_.file().directory().string() + " holds the card " + found + ", not " + serial);
}

/// Asks the TPM how far its lock-out is. One that cannot be asked is described without it.
void TpmToken::note_lock_out() {
  std::optional<LockOut> found;
  static_cast<void>(tpm_->run([&](TpmAccess& access) -> Status {
                          CARDEA_ASSIGN(found, access.connection.lock_out());
                          return {};
                        })
                        .ok());
  lock_out_.with([&](std::optional<LockOut>& known) { known = found; });
}

TokenDescription TpmToken::describe() {
  const auto present = [&] { return lock_out_.read([](const auto& known) { return known; }); };
  // A lock-out ends with time, so one that was seen earlier is looked at again.
  if (const auto seen = present(); !seen || seen->active) note_lock_out();
  const std::optional<LockOut> lock_out = present();
  TokenDescription description;
  description.manufacturer = manufacturer;
  description.model = model;
  description.serial = serial_;
  description.initialized = true;
  description.write_protected = !contents_.file().writable();
  const PinLengths lengths = pin_lengths(card(), settings_.tpm);
  description.min_pin_length = lengths.least;
  description.max_pin_length = lengths.most;
  description.label = contents_.read([](const CardState& state) { return state.description.label; });
  description.user_pin = pin_state(lock_out);
  description.so_pin.initialized = true;
  const std::string problem = problem_.read([](const std::string& sentence) { return sentence; });
  if (!problem.empty()) description.problems.push_back(problem);
  if (description.user_pin.locked) {
    description.problems.push_back("the TPM is locked out after wrong PINs; it forgets one every " +
                                   std::to_string(lock_out->seconds_per_try) + " seconds");
  }
  return description;
}

std::uint64_t TpmToken::generation() {
  // A state that cannot be read any more is noticed by whoever asks for an object.
  static_cast<void>(contents_.refresh().ok());
  return contents_.generation();
}

LoginPtr TpmToken::present_login() const {
  return login_.read([](const LoginPtr& login) { return login; });
}

Result<LoginPtr> TpmToken::user_login() const {
  LoginPtr login = present_login();
  if (!login || login->role != Role::user) return Code::user_not_logged_in;
  return login;
}

Status TpmToken::find(const Query& query, const ObjectSink& sink) {
  CARDEA_TRY(contents_.refresh());
  std::vector<ObjectPtr> found;
  contents_.read([&](const CardState& state) {
    for (const auto& [id, stored] : state.objects) {
      if (matches(*stored.object, query)) found.push_back(stored.object);
    }
  });
  for (const ObjectPtr& object : found) sink(object);
  return {};
}

Result<StoredObject> TpmToken::stored(ObjectId id) {
  CARDEA_TRY(contents_.refresh());
  return contents_.read([&](const CardState& state) -> Result<StoredObject> {
    const auto found = state.objects.find(id);
    if (found == state.objects.end()) return Code::object_handle_invalid;
    return found->second;
  });
}

Result<ObjectPtr> TpmToken::object(ObjectId id) {
  CARDEA_ASSIGN(const StoredObject found, stored(id));
  return found.object;
}

Result<KeyPtr> TpmToken::key(const Object& object) {
  CARDEA_ASSIGN(StoredObject found, stored(object.id));
  const AttributeSet& attributes = found.object->attributes;
  if (must_be_sealed(attributes)) {
    const LoginPtr login = present_login();
    if (attributes.get_bool(CKA_PRIVATE) && (!login || login->role != Role::user)) return Code::user_not_logged_in;
    // Without a login nobody can tell whether a public object is as the security officer trusted it.
    if (!login) return Code::user_not_logged_in;
    CARDEA_TRY(open_object(login->keys.seal_key, serial_, found));
  }
  if (found.object->object_class() != CKO_PRIVATE_KEY) return cardea::make_key(attributes, {});
  if (!found.key) return error(Code::store_corrupt, "object " + std::to_string(object.id) + " has lost its key");
  CARDEA_ASSIGN(crypto::AsymmetricKeyPtr public_key, TpmConnection::public_key(*found.key));
  const RsaAbility rsa = public_key->algorithm() == crypto::KeyAlgorithm::rsa ? rsa_ability() : RsaAbility();
  return KeyPtr(
      std::make_shared<const TpmKey>(shared_from_this(), object.id, std::move(*found.key), std::move(public_key), rsa));
}

Result<SecretAttributes> TpmToken::secrets(const Object& object) {
  SecretAttributes secrets;
  CARDEA_ASSIGN(const StoredObject found, stored(object.id));
  if (found.object->object_class() != CKO_DATA || !found.object->is_private()) return secrets;
  CARDEA_ASSIGN(const LoginPtr login, user_login());
  CARDEA_ASSIGN(SecretBytes value, open_object(login->keys.seal_key, serial_, found));
  secrets.emplace(CKA_VALUE, std::move(value));
  return secrets;
}

/// The key loaded and authorised; with `protect` also the storage key, for a session.
Result<TpmToken::ReadyKey> TpmToken::ready_key(TpmAccess& access, ObjectId id, const Blob& blob, const Login& login) {
  const std::string name = loaded_name(id);
  ReadyKey ready{.key = access.keys.find(name)};
  if (ready.key != nullptr && !settings_.tpm.protect_bus) return ready;
  CARDEA_ASSIGN(const Loaded* const parent, storage_key(*tpm_, access, card()));
  if (settings_.tpm.protect_bus) ready.protect = parent;
  if (ready.key != nullptr) return ready;
  CARDEA_ASSIGN(Loaded loaded, access.connection.load(*parent, blob));
  loaded.authorise(login.keys.key_auth);
  ready.key = access.keys.add(name, std::move(loaded));
  return ready;
}

/// With the key loaded; `input` of an agreement is the peer's point.
Result<std::size_t> TpmToken::use_key(TpmConnection& tpm, const TpmKey& key, const ReadyKey& ready, const Login& login,
                                      const PrimitiveRequest& request, ByteView input, MutableBytes out) const {
  switch (request.primitive) {
    case Primitive::rsa_raw:
      return tpm.rsa_raw(*ready.key, ready.protect, input, out);
    case Primitive::ecdsa_sign:
      return tpm.ecdsa_sign(*ready.key, ready.protect, key.algorithm(), input, out);
    case Primitive::ecdh:
    case Primitive::ecdh_cofactor:
      return tpm.ecdh(*ready.key, ready.protect, key.algorithm(), input, out);
    default:
      return perform_with_own_padding({.tpm = tpm,
                                       .key = *ready.key,
                                       .protect = ready.protect,
                                       .ability = key.rsa(),
                                       .card_auth = login.keys.key_auth,
                                       .identity = key.blob().public_area},
                                      request, input, out);
  }
}

Result<std::size_t> TpmToken::perform(const TpmKey& key, const PrimitiveRequest& request, ByteView input,
                                      MutableBytes out) {
  CARDEA_ASSIGN(const LoginPtr login, user_login());
  Bytes point;
  if (request.primitive == Primitive::ecdh || request.primitive == Primitive::ecdh_cofactor) {
    CARDEA_ASSIGN(const crypto::AsymmetricKeyPtr peer, crypto::AsymmetricKey::from_public(key.algorithm(), input));
    CARDEA_ASSIGN(point, peer->public_value());
    input = point;
  }
  std::size_t written = 0;
  Status done = tpm_->run([&](TpmAccess& access) -> Status {
    CARDEA_ASSIGN(const ReadyKey ready, ready_key(access, key.id(), key.blob(), *login));
    CARDEA_ASSIGN(written, use_key(access.connection, key, ready, *login, request, input, out));
    // From now on the key alone is needed, and each object that stays costs the kernel's resource manager a swap.
    if (ready.protect == nullptr) access.release_storage_key();
    return {};
  });
  if (!done) return key_failure(std::move(done).error());
  return written;
}

}  // namespace cardea::tpm
