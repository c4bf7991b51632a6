#include <algorithm>

#include "keystore/files.h"
#include "keystore/keystore.h"
#include "keystore/keystore_token.h"
#include "keystore/softhsm.h"
#include "token/key_material.h"
#include "token/object_rules.h"
#include "token/wrap_policy.h"

namespace cardea::keystore {
namespace {

namespace fs = std::filesystem;

// SoftHSM2 lets usages be set and cleared at will and remembers nothing, so an imported key may have had any of them.
constexpr CK_ULONG unknown_past = ever_wrap | ever_unwrap | ever_encrypt | ever_decrypt | ever_sign | ever_derive;

std::string text_of_label(ByteView padded) {
  std::string text(text_of(padded));
  text.erase(text.find_last_not_of(std::string_view(" \0", 2)) + 1);
  return text;
}

void set_numbers(AttributeSet& attributes, CK_ATTRIBUTE_TYPE type, const softhsm::Numbers& numbers) {
  Bytes bytes;
  for (std::uint64_t number : numbers) {
    for (int i = 0; i < 8; ++i, number >>= 8) bytes.push_back(static_cast<Byte>(number));
  }
  attributes.set(type, bytes);
}

/// Puts one attribute where it belongs: among the public ones, or among the secrets.
class Taker {
 public:
  Taker(NewObject& object, const softhsm::SourceObject& source, const SecretBytes& key)
      : object_(object),
        key_(key),
        class_(source.number(CKA_CLASS, CKO_VENDOR_DEFINED)),
        private_(source.flag(CKA_PRIVATE)) {}

  Status take(CK_ATTRIBUTE_TYPE type, const softhsm::Value& value) {
    if (attribute_form(type) == AttributeForm::unknown) return {};
    if (const auto* const flag = std::get_if<bool>(&value)) {
      object_.attributes.set_bool(type, *flag);
    } else if (const auto* const number = std::get_if<std::uint64_t>(&value)) {
      object_.attributes.set_ulong(type, *number);
    } else if (const auto* const numbers = std::get_if<softhsm::Numbers>(&value)) {
      // An empty set means "all mechanisms" there and "none" in the standard; there an attribute that was never set.
      if (!numbers->empty()) set_numbers(object_.attributes, type, *numbers);
    } else if (const auto* const array = std::get_if<AttributeSet>(&value)) {
      if (array->count() > 0) object_.attributes.set(type, array->serialised());
    } else {
      return take_bytes(type, std::get<SecretBytes>(value));
    }
    return {};
  }

 private:
  Status take_bytes(CK_ATTRIBUTE_TYPE type, const SecretBytes& stored) {
    SecretBytes value = stored.copy();
    if (private_) {
      CARDEA_ASSIGN(value, softhsm::decrypt(key_, stored.view()));
    }
    if (is_secret_attribute(class_, type, private_)) {
      object_.secrets.insert_or_assign(type, std::move(value));
    } else {
      object_.attributes.set(type, value.view());
    }
    return {};
  }

  NewObject& object_;
  const SecretBytes& key_;
  CK_OBJECT_CLASS class_;
  bool private_;
};

bool is_key(CK_OBJECT_CLASS object_class) {
  return object_class == CKO_PUBLIC_KEY || object_class == CKO_PRIVATE_KEY || object_class == CKO_SECRET_KEY;
}

Result<NewObject> converted(const softhsm::SourceObject& source, const SecretBytes& key) {
  NewObject object;
  Taker taker(object, source, key);
  for (const auto& [type, value] : source.values) CARDEA_TRY(taker.take(type, value));
  const CK_OBJECT_CLASS object_class = object.attributes.get_ulong(CKA_CLASS, CKO_VENDOR_DEFINED);
  object.attributes.set_bool(CKA_TOKEN, true);
  CARDEA_ASSIGN(const std::string unique, random_serial());
  object.attributes.set_text(CKA_UNIQUE_ID, unique);
  if (!is_key(object_class)) return object;
  if (object_class != CKO_SECRET_KEY) CARDEA_TRY(complete_key(object));
  if (object_class != CKO_PUBLIC_KEY) object.attributes.set_ulong(CKA_CARDEA_EVER, unknown_past);
  // Made once for proof: a key that could not be used is better reported than taken over.
  const auto usable = make_key(object.attributes, object.secrets);
  if (!usable) return usable.error();
  return object;
}

Result<std::string> new_token(const Settings& settings, const std::string& label, const Pin& user_pin,
                              const Pin& so_pin, std::shared_ptr<KeystoreToken>& token) {
  CARDEA_ASSIGN(std::string serial, random_serial());
  token = std::make_shared<KeystoreToken>(settings, serial);
  CARDEA_TRY(token->initialize(so_pin, label));
  CARDEA_TRY(token->login(Role::security_officer, so_pin));
  CARDEA_TRY(token->set_user_pin(user_pin));
  token->logout();
  CARDEA_TRY(token->login(Role::user, user_pin));
  return serial;
}

Result<SecretBytes> unlocked(const softhsm::SourceObject& description, CK_ATTRIBUTE_TYPE blob, const Pin& pin,
                             const std::string& whose) {
  auto key = softhsm::unlock(description.bytes(blob), pin);
  if (key) return key;
  return error(key.code(), whose + " of the SoftHSM2 token");
}

}  // namespace

Result<std::vector<SofthsmToken>> find_softhsm_tokens(const fs::path& token_directory) {
  std::error_code failed;
  fs::directory_iterator entries(token_directory, failed);
  if (failed) return error(Code::not_found, token_directory.string() + ": " + failed.message());
  std::vector<SofthsmToken> tokens;
  for (; !failed && entries != fs::directory_iterator(); entries.increment(failed)) {
    const auto description = softhsm::read_description(entries->path());
    if (!description) continue;
    tokens.push_back({.path = entries->path(),
                      .label = text_of_label(description->bytes(softhsm::token_label)),
                      .serial = text_of_label(description->bytes(softhsm::token_serial))});
  }
  std::sort(tokens.begin(), tokens.end(), [](const auto& a, const auto& b) { return a.path < b.path; });
  return tokens;
}

Result<ImportReport> import_softhsm(const Settings& settings, const fs::path& token, const Pin& user_pin,
                                    const Pin& so_pin) {
  CARDEA_ASSIGN(softhsm::SourceToken source, softhsm::read_token(token));
  if (source.description.bytes(softhsm::user_pin_blob).empty()) {
    return error(Code::user_pin_not_initialized, "the SoftHSM2 token holds no private objects yet");
  }
  CARDEA_ASSIGN(const SecretBytes key, unlocked(source.description, softhsm::user_pin_blob, user_pin, "the user PIN"));
  // Tried too, because the new token gets it: a mistyped SO PIN would show only when it is needed most.
  CARDEA_ASSIGN(const SecretBytes so_key, unlocked(source.description, softhsm::so_pin_blob, so_pin, "the SO PIN"));
  if (!equal_in_constant_time(key.view(), so_key.view())) {
    return error(Code::store_corrupt, "user PIN and SO PIN open different keys");
  }
  ImportReport report;
  report.label = text_of_label(source.description.bytes(softhsm::token_label));
  report.skipped = std::move(source.damaged);
  std::vector<NewObject> objects;
  for (const softhsm::SourceObject& object : source.objects) {
    auto taken = converted(object, key);
    if (taken) {
      objects.push_back(std::move(*taken));
    } else {
      report.skipped.push_back("object " + object.name + ": " + describe(taken.error()));
    }
  }
  report.imported = objects.size();
  std::shared_ptr<KeystoreToken> target;
  auto serial = new_token(settings, report.label, user_pin, so_pin, target);
  Status stored = serial ? Status() : Status(serial.error());
  if (stored && !objects.empty()) {
    const auto created = target->create(std::move(objects));
    if (!created) stored = created.error();
  }
  if (!stored) {
    // All or nothing: half a token would look like a whole one.
    const std::string half = target ? target->describe().serial : std::string();
    if (target && !target->blank()) static_cast<void>(delete_token(settings, half));
    return std::move(stored).error();
  }
  report.serial = std::move(*serial);
  return report;
}

}  // namespace cardea::keystore
