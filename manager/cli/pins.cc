#include "cli/pins.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>

#include "cli/exit_status.h"
#include "cli/keystore_tokens.h"
#include "cli/output.h"
#include "cli/terminal.h"

namespace cardea::cli {
namespace {

constexpr std::size_t longest_pin = 1024;

// The first line of what can be read from fd, byte by byte so that standard input keeps what follows.
Result<Pin> read_pin_line(int fd, const std::string& name, std::string_view what = "PIN") {
  SecretBytes line(longest_pin);
  std::size_t size = 0;
  while (true) {
    Byte byte = 0;
    const ssize_t count = read(fd, &byte, 1);
    if (count < 0 && errno == EINTR) continue;
    if (count < 0)
      return failure(Code::permission_denied, fmt::format("{} cannot be read: {}.", name, std::strerror(errno)));
    if (count == 0 || byte == '\n') break;
    if (size == line.size()) {
      return failure(Code::pin_length, fmt::format("The first line of {} is longer than {} bytes, so it is no {}.",
                                                   name, longest_pin, what));
    }
    line.data()[size++] = byte;
  }
  if (size > 0 && line.data()[size - 1] == '\r') --size;
  if (size == 0) {
    return failure(Code::user_not_logged_in, fmt::format("{} holds no {}: its line is empty or missing.", name, what));
  }
  return Pin(line.view().first(size));
}

std::string pin_file(const Context& context, PinRole role) {
  const Options& options = context.options;
  if (role == PinRole::officer) return options.so_pin_file;
  if (role == PinRole::fresh) return options.new_pin_file;
  if (options.pin_file.empty() && !options.pin_stdin && context.uri && context.uri->pin_file)
    return *context.uri->pin_file;
  return options.pin_file;
}

std::string prompt_for(CK_USER_TYPE user, const TokenInfo& token) {
  switch (user) {
    case CKU_SO:
      return fmt::format("Security officer's PIN of token '{}': ", token.label);
    case CKU_CONTEXT_SPECIFIC:
      return fmt::format("PIN of token '{}' once more for this key: ", token.label);
    default:
      return fmt::format("PIN of token '{}': ", token.label);
  }
}

Status check_length(const Pin& pin, const TokenInfo& token, const std::string& name) {
  const bool short_enough = token.max_pin_length == 0 || pin.size() <= token.max_pin_length;
  if (pin.size() >= token.min_pin_length && short_enough) return {};
  return failure(Code::pin_length, fmt::format("{} must have {} to {} bytes. Nothing was changed.", name,
                                               token.min_pin_length, token.max_pin_length));
}

}  // namespace

Result<Pin> read_pin_file(const std::string& path, std::string_view what) {
  const int fd = open(path.c_str(), O_RDONLY | O_CLOEXEC | O_NOCTTY);
  if (fd < 0) {
    return failure(errno == ENOENT ? Code::not_found : Code::permission_denied,
                   fmt::format("The {} file {} cannot be opened: {}. Check the path and its permissions.", what, path,
                               std::strerror(errno)));
  }
  struct stat about {};
  if (fstat(fd, &about) == 0 && S_ISREG(about.st_mode) && (about.st_mode & 0077) != 0) {
    note(fmt::format("warning: others on this machine can read the {} file {}; run: chmod 600 {}", what, path, path));
  }
  auto pin = read_pin_line(fd, fmt::format("the {} file {}", what, path), what);
  close(fd);
  return pin;
}

Result<Pin> obtain_pin(const Context& context, PinRole role, const std::string& prompt) {
  if (const std::string file = pin_file(context, role); !file.empty()) return read_pin_file(file);
  if (context.options.pin_stdin) return read_pin_line(STDIN_FILENO, "standard input");
  return ask_pin(prompt);
}

Result<Pin> obtain_new_pin(const Context& context, PinRole role, const std::string& name, const TokenInfo& token) {
  const bool typed = pin_file(context, role).empty() && !context.options.pin_stdin;
  CARDEA_ASSIGN(Pin pin, obtain_pin(context, role, fmt::format("New {}: ", name)));
  CARDEA_TRY(check_length(pin, token, "The " + name));
  if (typed) {
    CARDEA_ASSIGN(const Pin again, ask_pin(fmt::format("New {} again: ", name)));
    if (!equal_in_constant_time(pin.view(), again.view())) {
      return failure(Code::pin_invalid, "The two entries differ. Nothing was changed; run the command again.");
    }
  }
  return pin;
}

bool asks_by_itself(const Context& context, const TokenInfo& token, CK_USER_TYPE user) {
  const bool named = context.options.pin_stdin || !pin_file(context, PinRole::user).empty();
  return user != CKU_SO && !named && token.has(CKF_PROTECTED_AUTHENTICATION_PATH);
}

bool is_final_try(const TokenInfo& token, CK_USER_TYPE user) {
  return token.has(user == CKU_SO ? CKF_SO_PIN_FINAL_TRY : CKF_USER_PIN_FINAL_TRY);
}

Status check_tries(const TokenInfo& token, CK_USER_TYPE user) {
  if (user == CKU_SO && token.has(CKF_SO_PIN_LOCKED)) {
    return failure(Code::pin_locked,
                   fmt::format("The security officer's PIN of token '{}' is locked and nothing unlocks it. "
                               "Objects stay usable with the user PIN; `cardea token delete` makes room "
                               "for a new token.",
                               token.label));
  }
  if (user != CKU_SO && token.has(CKF_USER_PIN_LOCKED)) {
    return failure(Code::pin_locked,
                   fmt::format("The PIN of token '{}' is locked. {}", token.label, advice(Code::pin_locked)));
  }
  if (user != CKU_SO && !token.has(CKF_USER_PIN_INITIALIZED)) {
    return failure(Code::user_pin_not_initialized, fmt::format("Token '{}' has no user PIN yet. {}", token.label,
                                                               advice(Code::user_pin_not_initialized)));
  }
  return {};
}

Status confirm_final_try() {
  if (confirm("This is the last try: a wrong PIN locks it.")) return {};
  return failure(
      Code::pin_incorrect,
      "Only one try is left, and it was not used. The last try is made only after a \"yes\" on a terminal, with "
      "the PIN typed there; the security officer can set a new PIN with `cardea token pin unlock`.");
}

Error pin_failure(const Session& session, CK_RV rv, CK_USER_TYPE user, std::string_view what) {
  const bool counts = rv == CKR_PIN_INCORRECT || rv == CKR_PIN_LOCKED;
  if (!counts) return login_failure(session, rv, what);
  const auto now = session.token_now();
  std::optional<int> tries = keystore_tries_left(session.module(), session.token(), user);
  if (!tries && now && is_final_try(*now, user)) tries = 1;
  if (rv == CKR_PIN_LOCKED || (now && !check_tries(*now, user).ok())) tries = 0;
  return p11_failure(rv, what, tries);
}

Status log_in(const Context& context, const Session& session, CK_USER_TYPE user) {
  CARDEA_ASSIGN(const TokenInfo token, session.token_now());
  if (!token.has(CKF_LOGIN_REQUIRED) && user == CKU_USER) return {};
  CARDEA_TRY(check_tries(token, user));
  const bool last = is_final_try(token, user);
  if (last) CARDEA_TRY(confirm_final_try());
  CK_RV rv = CKR_OK;
  if (asks_by_itself(context, token, user)) {
    note("enter the PIN at the reader or in the token's own window");
    rv = session.login(user, nullptr);
  } else {
    const std::string prompt = prompt_for(user, token);
    const PinRole role = user == CKU_SO ? PinRole::officer : PinRole::user;
    CARDEA_ASSIGN(const Pin pin, last ? ask_pin(prompt) : obtain_pin(context, role, prompt));
    const Progress progress("logging in");
    rv = session.login(user, &pin);
  }
  if (rv == CKR_OK || rv == CKR_USER_ALREADY_LOGGED_IN) return {};
  return pin_failure(session, rv, user, fmt::format("Login to token '{}' failed", token.label));
}

}  // namespace cardea::cli
