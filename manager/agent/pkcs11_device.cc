#include "agent/pkcs11_device.h"

#include <fmt/format.h>

#include <algorithm>

#include "agent/key_use.h"
#include "p11client/failure.h"
#include "p11client/keystore.h"
#include "p11client/tpm_cards.h"

namespace cardea::agent {
namespace {

using p11client::p11_failure;
using p11client::Session;
using p11client::Template;
using p11client::TokenInfo;

constexpr std::size_t unknown_pin_digits = 16;
constexpr std::size_t longest_label = 32;  // PKCS#11 3.2, 5.5.7: bytes of UTF-8, padded with blanks
constexpr std::string_view keystore_model = "Keystore";

CK_UTF8CHAR* in(ByteView bytes) {
  return const_cast<CK_UTF8CHAR*>(bytes.data());  // PKCS#11 declares inputs without const
}

/// The administrator's key as C_Login takes it (docs/tpm.md).
Pin as_login(const SecretBytes& key) {
  constexpr std::string_view digits = "0123456789abcdef";
  SecretBytes text(2 * key.size());
  for (std::size_t i = 0; i < key.size(); ++i) {
    text.data()[2 * i] = static_cast<Byte>(digits[key.data()[i] >> 4]);
    text.data()[2 * i + 1] = static_cast<Byte>(digits[key.data()[i] & 0x0f]);
  }
  return Pin(text.view());
}

Result<p11client::TpmCards> cards_of(const p11client::Module& module) {
  if (auto cards = p11client::TpmCards::near(module.path())) return *cards;
  return error(Code::function_not_supported, "the PKCS#11 module has no virtual cards");
}

Result<std::optional<TokenInfo>> labelled(const p11client::Module& module, MadeKind kind, const std::string& label) {
  CARDEA_ASSIGN(const std::vector<TokenInfo> tokens, Pkcs11Device::list(module, kind));
  for (const TokenInfo& token : tokens) {
    if (token.label == label) return std::optional(token);
  }
  return std::optional<TokenInfo>();
}

/// C_SetPIN for whoever is logged in.
Status replace_secret(const Session& open, const Pin& present, const Pin& fresh) {
  const CK_RV rv =
      open.module()->C_SetPIN(open.handle(), in(present.view()), present.size(), in(fresh.view()), fresh.size());
  if (rv != CKR_OK) return p11_failure(rv, "The secret could not be changed");
  return {};
}

/// Whether the token is what an earlier attempt of the same job made. On a keystore a wrong SO PIN is counted, so only
/// one without a user PIN, which is not in use yet, is asked; an administrator's key is not counted.
bool is_unfinished(const p11client::Module& module, MadeKind kind, const TokenInfo& token, const NewToken& wanted) {
  if (kind == MadeKind::keystore && token.has(CKF_USER_PIN_INITIALIZED)) return false;
  const Pin secret = kind == MadeKind::keystore ? Pin(wanted.so_pin.view()) : as_login(wanted.admin_key);
  const auto session = Session::open(module, token, true);
  if (!session || session->login(CKU_SO, &secret) != CKR_OK) return false;
  module->C_Logout(session->handle());
  return true;
}

/// A certificate that stands on the token for chains, and in no container.
bool is_authority(const Session& open, CK_OBJECT_HANDLE certificate) {
  return open.number(certificate, CKA_CERTIFICATE_CATEGORY) == CK_CERTIFICATE_CATEGORY_AUTHORITY;
}

/// The label with a number behind it, cut where it is too long; never within a character.
std::string numbered(const std::string& label, int number) {
  const std::string suffix = fmt::format(" {}", number);
  std::string shorter = label.substr(0, longest_label - suffix.size());
  while (shorter.size() < label.size() && !shorter.empty() &&
         (static_cast<Byte>(label[shorter.size()]) & 0xc0) == 0x80) {
    shorter.pop_back();
  }
  return shorter + suffix;
}

}  // namespace

std::string_view kind_name(MadeKind kind) {
  return kind == MadeKind::keystore ? "keystore" : "tpm";
}

Result<std::vector<TokenInfo>> Pkcs11Device::list(const p11client::Module& module, MadeKind kind) {
  std::vector<std::string> virtual_serials;
  if (const auto cards = p11client::TpmCards::near(module.path())) {
    if (const auto all = cards->list()) {
      for (const p11client::TpmCard& card : *all) virtual_serials.push_back(card.serial);
    }
  }
  CARDEA_ASSIGN(std::vector<TokenInfo> tokens, module.tokens());
  std::erase_if(tokens, [&](const TokenInfo& token) {
    if (!token.initialized()) return true;
    const bool is_virtual = std::ranges::find(virtual_serials, token.serial) != virtual_serials.end();
    if (kind == MadeKind::tpm) return !is_virtual;
    return is_virtual || !token.model.starts_with(keystore_model);
  });
  return tokens;
}

Result<std::unique_ptr<Pkcs11Device>> Pkcs11Device::open(ModulePtr module, MadeKind kind, const std::string& serial) {
  CARDEA_ASSIGN(const std::vector<TokenInfo> tokens, list(*module, kind));
  for (const TokenInfo& token : tokens) {
    if (token.serial == serial) return std::unique_ptr<Pkcs11Device>(new Pkcs11Device(std::move(module), kind, token));
  }
  return error(Code::token_absent,
               fmt::format("there is no {} token with the serial number {}", kind_name(kind), serial));
}

Result<std::unique_ptr<Pkcs11Device>> Pkcs11Device::create_keystore(ModulePtr module, const NewToken& token) {
  CARDEA_ASSIGN(const std::vector<TokenInfo> tokens, module->tokens());
  const auto free = std::ranges::find_if(tokens, [](const TokenInfo& each) { return !each.initialized(); });
  if (free == tokens.end()) return error(Code::not_found, "no slot has a token that waits to be initialised");
  std::string padded = token.label;
  padded.resize(longest_label, ' ');
  const ByteView so_pin = token.so_pin.view();
  const CK_RV rv = (*module)->C_InitToken(free->slot, in(so_pin), so_pin.size(), in(view_of(padded)));
  if (rv != CKR_OK) return p11_failure(rv, "The token could not be made");
  CARDEA_ASSIGN(const auto made, labelled(*module, MadeKind::keystore, token.label));
  if (!made) return error(Code::device_error, "the token was made but does not show up");
  return std::unique_ptr<Pkcs11Device>(new Pkcs11Device(std::move(module), MadeKind::keystore, *made));
}

Result<std::unique_ptr<Pkcs11Device>> Pkcs11Device::create_virtual_card(ModulePtr module, const NewToken& token) {
  CARDEA_ASSIGN(const p11client::TpmCards cards, cards_of(*module));
  p11client::TpmCardSecrets secrets;
  CARDEA_ASSIGN(secrets.user_pin, random_digits(unknown_pin_digits));
  secrets.puk = Pin(token.puk.view());
  secrets.admin_key = token.admin_key.copy();
  CARDEA_ASSIGN(const std::string serial, cards.create(token.label, secrets));
  return open(std::move(module), MadeKind::tpm, serial);
}

Result<std::unique_ptr<Pkcs11Device>> Pkcs11Device::create(ModulePtr module, MadeKind kind, const NewToken& token) {
  if (token.label.empty() || token.label.size() > longest_label) {
    return error(Code::arguments_bad, "a token's label has 1 to 32 bytes");
  }
  // A person may have several tokens: the name is then followed by a number.
  NewToken candidate{.label = token.label,
                     .so_pin = Pin(token.so_pin.view()),
                     .puk = Pin(token.puk.view()),
                     .admin_key = token.admin_key.copy()};
  constexpr int most = 99;
  for (int number = 2; number <= most; ++number) {
    CARDEA_ASSIGN(const auto present, labelled(*module, kind, candidate.label));
    if (!present && kind == MadeKind::keystore) return create_keystore(std::move(module), candidate);
    if (!present) return create_virtual_card(std::move(module), candidate);
    if (is_unfinished(*module, kind, *present, token)) {
      return std::unique_ptr<Pkcs11Device>(new Pkcs11Device(std::move(module), kind, *present));
    }
    candidate.label = numbered(token.label, number);
  }
  return error(Code::exists, fmt::format("there are too many tokens '{}'", token.label));
}

Result<Session> Pkcs11Device::session() const {
  return Session::open(*module_, token_, true);
}

Result<Pin> Pkcs11Device::user_pin(Authority& authority, bool refused) const {
  bool is_last = false;
  {
    CARDEA_ASSIGN(const Session open, session());
    CARDEA_ASSIGN(const TokenInfo now, open.token_now());
    is_last = now.has(CKF_USER_PIN_FINAL_TRY);
  }
  return is_last ? authority.last_user_pin() : authority.user_pin(refused);
}

Status Pkcs11Device::as_user(Authority& authority, const Work& what) const {
  for (bool refused = false;; refused = true) {
    CARDEA_ASSIGN(const Pin pin, user_pin(authority, refused));
    CARDEA_ASSIGN(const Session open, session());
    const CK_RV rv = open.login(CKU_USER, &pin);
    if (rv == CKR_OK || rv == CKR_USER_ALREADY_LOGGED_IN) {
      Status done = what(open);
      (*module_)->C_Logout(open.handle());
      return done;
    }
    if (rv != CKR_PIN_INCORRECT && rv != CKR_PIN_LEN_RANGE) return p11_failure(rv, "The PIN was not accepted");
  }
}

Status Pkcs11Device::as_officer(const Pin& secret, const Work& what) const {
  CARDEA_ASSIGN(const Session open, session());
  if (const CK_RV rv = open.login(CKU_SO, &secret); rv != CKR_OK) {
    return p11_failure(rv, "The unblock secret was not accepted");
  }
  Status done = what(open);
  (*module_)->C_Logout(open.handle());
  return done;
}

Result<DeviceDescription> Pkcs11Device::describe() {
  CARDEA_ASSIGN(const Session open, session());
  CARDEA_ASSIGN(const TokenInfo now, open.token_now());
  DeviceDescription about;
  about.kind = kind_name(kind_);
  about.serial = now.serial;
  about.label = now.label;
  about.model = now.model;
  about.min_pin_length = now.min_pin_length;
  about.max_pin_length = now.max_pin_length;
  about.user_writes = true;
  about.user_pin.initialized = now.has(CKF_USER_PIN_INITIALIZED);
  about.user_pin.locked = now.has(CKF_USER_PIN_LOCKED);
  if (kind_ == MadeKind::keystore) {
    const auto keystore = p11client::Keystore::of(module_->path());
    if (keystore) about.user_pin.retries_left = keystore->tries_left(now.serial, CKU_USER);
  } else {
    about.admin_algorithm = "hmac-sha256";
    about.attests = true;
  }
  if (now.has(CKF_USER_PIN_FINAL_TRY)) about.user_pin.retries_left = 1;
  // There is no factory, so there is nothing of its.
  about.factory = {false, false, false};
  constexpr std::size_t plenty = 1000;
  about.free_history = plenty;
  // Private keys show only to the user; public keys and certificates stand beside them.
  for (const CK_OBJECT_CLASS of_class : {CKO_PUBLIC_KEY, CKO_CERTIFICATE}) {
    Template wanted;
    wanted.number(CKA_CLASS, of_class).flag(CKA_TOKEN, true);
    CARDEA_ASSIGN(const Objects objects, open.find(wanted));
    for (const CK_OBJECT_HANDLE object : objects) {
      if (of_class == CKO_CERTIFICATE && is_authority(open, object)) continue;
      const std::string name = open.text(object, CKA_LABEL);
      const bool known = std::ranges::any_of(about.containers, [&](const auto& each) { return each.name == name; });
      if (known) continue;
      CARDEA_ASSIGN(const Bytes der, certificate(open, name));
      DeviceContainer container;
      container.name = name;
      container.certificate = der;
      if (auto key = open.attribute(object, CKA_PUBLIC_KEY_INFO); key && of_class == CKO_PUBLIC_KEY) {
        container.public_key = std::move(*key);
        container.local = open.flag(object, CKA_LOCAL);
      } else if (auto certified = certified_key(der)) {
        container.public_key = std::move(*certified);
      }
      container.has_key = !container.public_key.empty();
      about.containers.push_back(std::move(container));
    }
  }
  return about;
}

Status Pkcs11Device::prove_administrator(Authority& authority) {
  if (kind_ == MadeKind::tpm) {
    return error(Code::function_not_supported, "a virtual card's administrator proves himself by what he does");
  }
  CARDEA_ASSIGN(const Pin secret, authority.unblocking_secret());
  return as_officer(secret, [](const Session&) { return Status(); });
}

Status Pkcs11Device::prove_user(Authority& authority) {
  return as_user(authority, [](const Session&) { return Status(); });
}

Status Pkcs11Device::set_admin_key(Authority& authority, const SecretBytes& fresh) {
  if (kind_ != MadeKind::tpm) {
    return error(Code::function_not_supported, "a keystore has an SO PIN in place of an administrator's key");
  }
  const Pin new_login = as_login(fresh);
  if (as_officer(new_login, [](const Session&) { return Status(); })) return {};
  CARDEA_ASSIGN(const SecretBytes present, authority.admin_key());
  const Pin login = as_login(present);
  return as_officer(login, [&](const Session& open) { return replace_secret(open, login, new_login); });
}

Status Pkcs11Device::set_puk(Authority& authority, const Pin& fresh) {
  CARDEA_ASSIGN(const Pin present, authority.unblocking_secret());
  const Status done = as_officer(present, [&](const Session& open) { return replace_secret(open, present, fresh); });
  if (done || done.code() != Code::pin_incorrect) return done;
  if (as_officer(fresh, [](const Session&) { return Status(); })) return {};
  return done;
}

Result<p11client::TpmCards> Pkcs11Device::virtual_cards() const {
  return cards_of(*module_);
}

Status Pkcs11Device::unblock_virtual_card(Authority& authority, const Pin& fresh) const {
  CARDEA_ASSIGN(const p11client::TpmCards cards, virtual_cards());
  for (int attempt = 0;; ++attempt) {
    std::optional<Error> unanswered;
    Status done = cards.unblock(token_.serial, fresh, [&](ByteView challenge) {
      Result<Bytes> answer = authority.answer({"hmac-sha256", to_bytes(challenge)}, attempt);
      if (!answer) unanswered = answer.error();
      return answer;
    });
    if (unanswered) return std::move(*unanswered);
    if (done || done.code() != Code::pin_incorrect) return done;
  }
}

Status Pkcs11Device::set_user_pin(Authority& authority, const Pin& fresh) {
  if (kind_ == MadeKind::tpm) return unblock_virtual_card(authority, fresh);
  CARDEA_ASSIGN(const Pin secret, authority.unblocking_secret());
  return as_officer(secret, [&](const Session& open) -> Status {
    const CK_RV rv = (*module_)->C_InitPIN(open.handle(), in(fresh.view()), fresh.size());
    if (rv != CKR_OK) return p11_failure(rv, "The PIN could not be set");
    return {};
  });
}

Status Pkcs11Device::set_first_pin(Authority& authority, const Pin& fresh) {
  return set_user_pin(authority, fresh);
}

Status Pkcs11Device::change_user_pin(const Pin& old_pin, const Pin& fresh) {
  CARDEA_ASSIGN(const Session open, session());
  const CK_RV rv =
      (*module_)->C_SetPIN(open.handle(), in(old_pin.view()), old_pin.size(), in(fresh.view()), fresh.size());
  if (rv != CKR_OK) return p11_failure(rv, "The PIN could not be changed");
  return {};
}

Status Pkcs11Device::block_user_pin(Authority& authority) {
  CARDEA_ASSIGN(const Pin unknown, random_digits(unknown_pin_digits));
  return set_user_pin(authority, unknown);
}

Result<bool> Pkcs11Device::erase(Authority&) {
  Status gone;
  if (kind_ == MadeKind::tpm) {
    CARDEA_ASSIGN(const p11client::TpmCards cards, virtual_cards());
    gone = cards.destroy(token_.serial);
  } else {
    const auto keystore = p11client::Keystore::near(module_->path());
    if (!keystore) return error(Code::function_not_supported, "the PKCS#11 module has no keystore of ours");
    gone = keystore->delete_token(token_.serial);
  }
  if (!gone && gone.code() != Code::not_found) return std::move(gone).error();
  return true;
}

}  // namespace cardea::agent
