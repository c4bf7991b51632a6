#include "daemon/key_token_setup.h"

#include <fmt/format.h>

#include <algorithm>
#include <cstdlib>

#include "base/secret.h"
#include "crypto/random.h"
#include "daemon/private_files.h"
#include "p11client/module.h"
#include "p11client/session.h"

namespace cardea::manager {
namespace {

constexpr std::size_t pin_bytes = 24;   // 192 bits of entropy, 48 characters
constexpr std::size_t label_size = 32;  // PKCS#11 3.2, C_InitToken

// Hexadecimal in memory that is wiped.
Result<SecretBytes> random_pin() {
  SecretBytes raw(pin_bytes);
  CARDEA_TRY(crypto::random_bytes(raw.mutable_view()));
  SecretBytes text(2 * pin_bytes);
  constexpr std::string_view digits = "0123456789abcdef";
  for (std::size_t i = 0; i < pin_bytes; ++i) {
    text.data()[2 * i] = static_cast<Byte>(digits[raw.data()[i] >> 4]);
    text.data()[2 * i + 1] = static_cast<Byte>(digits[raw.data()[i] & 15]);
  }
  return text;
}

CK_UTF8CHAR* in(ByteView bytes) {
  return const_cast<CK_UTF8CHAR*>(bytes.data());
}

Status failed(CK_RV rv, std::string_view what) {
  if (rv == CKR_OK) return {};
  return error(Code::device_error, fmt::format("the key token's {} failed (CKR 0x{:x})", what, rv));
}

Status set_user_pin(const p11client::Module& module, const p11client::TokenInfo& token, const SecretBytes& so_pin,
                    const SecretBytes& pin) {
  CARDEA_ASSIGN(const p11client::Session session, p11client::Session::open(module, token, true));
  const Pin officer(so_pin.view());
  CARDEA_TRY(failed(session.login(CKU_SO, &officer), "login"));
  return failed(module->C_InitPIN(session.handle(), in(pin.view()), pin.size()), "PIN");
}

}  // namespace

void use_own_token_home(const std::filesystem::path& data_directory) {
  setenv("CARDEA_HOME", (data_directory / "keys").c_str(), 1);
}

Status make_own_key_token(const std::string& label, const std::filesystem::path& pin_file) {
  CARDEA_ASSIGN(const auto module, p11client::Module::load(p11client::own_module_path()));
  CARDEA_ASSIGN(const auto tokens, module->tokens());
  if (std::ranges::any_of(tokens, [&](const auto& token) { return token.initialized() && token.label == label; }))
    return error(Code::exists, fmt::format("there is a token '{}' already", label));
  const auto free = std::ranges::find_if(tokens, [](const auto& token) { return !token.initialized(); });
  if (free == tokens.end()) return error(Code::device_error, "our module offers no slot for a new token");
  CARDEA_ASSIGN(const SecretBytes so_pin, random_pin());
  CARDEA_ASSIGN(const SecretBytes pin, random_pin());
  // The PINs first: a token whose PIN nobody knows would be of no use, a PIN without a token does no harm.
  CARDEA_TRY(write_new_file(pin_file, pin.view(), FileAccess::owner));
  CARDEA_TRY(write_new_file(pin_file.string() + ".so", so_pin.view(), FileAccess::owner));
  std::string padded = label;
  padded.resize(label_size, ' ');
  CARDEA_TRY(failed((*module)->C_InitToken(free->slot, in(so_pin.view()), so_pin.size(), in(view_of(padded))),
                    "initialisation"));
  CARDEA_ASSIGN(const auto after, module->tokens());
  const auto made =
      std::ranges::find_if(after, [&](const auto& token) { return token.initialized() && token.label == label; });
  if (made == after.end()) return error(Code::device_error, "the key token was made but does not show up");
  return set_user_pin(*module, *made, so_pin, pin);
}

}  // namespace cardea::manager
