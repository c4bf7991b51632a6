#include "cli/connection.h"

#include <fmt/format.h>

#include "cli/exit_status.h"
#include "cli/pins.h"

namespace cardea::cli {
namespace {

std::string listing(const std::vector<TokenInfo>& tokens) {
  std::string result;
  for (const TokenInfo& token : tokens) {
    result += fmt::format("{}'{}' (serial {})", result.empty() ? "" : ", ", token.label, token.serial);
  }
  return result;
}

Result<std::vector<TokenInfo>> initialized_tokens(const Module& module) {
  CARDEA_ASSIGN(auto tokens, module.tokens());
  std::erase_if(tokens, [](const TokenInfo& token) { return !token.initialized(); });
  return tokens;
}

Result<TokenInfo> only_one(std::vector<TokenInfo> fitting, const std::vector<TokenInfo>& all, std::string_view wanted) {
  if (fitting.size() == 1) return std::move(fitting.front());
  if (all.empty()) {
    return failure(Code::not_found, "There is no initialised token. Make one with `cardea token init --label NAME`.");
  }
  if (fitting.empty()) {
    return failure(Code::not_found, fmt::format("No token is {}. There are: {}.", wanted, listing(all)));
  }
  return failure(Code::arguments_bad,
                 fmt::format("{} tokens fit: {}. Choose one with --token SERIAL.", fitting.size(), listing(fitting)));
}

bool asked_to_log_in(const Context& context) {
  const Options& options = context.options;
  return options.login || options.pin_stdin || !options.pin_file.empty() || (context.uri && context.uri->pin_file);
}

Status log_in_for(const Context& context, Session& session, Access access) {
  switch (access) {
    case Access::look:
      return asked_to_log_in(context) ? log_in(context, session, CKU_USER) : Status();
    case Access::use:
    case Access::change:
      return log_in(context, session, CKU_USER);
    case Access::administer:
      return log_in(context, session, CKU_SO);
    case Access::open_write:
      return {};
  }
  return {};
}

}  // namespace

std::string wanted_module(const Context& context) {
  std::string path = context.options.module;
  if (path.empty() && context.uri && context.uri->module_path) path = *context.uri->module_path;
  return module_path(path);
}

Result<std::unique_ptr<Module>> load_module(const Context& context) {
  return Module::load(wanted_module(context));
}

Result<TokenInfo> select_token(const Module& module, const Context& context) {
  CARDEA_ASSIGN(const auto tokens, initialized_tokens(module));
  std::vector<TokenInfo> fitting = tokens;
  const std::string& wanted = context.options.token;
  if (!wanted.empty()) {
    std::optional<Uri> uri;
    if (is_uri(wanted)) {
      CARDEA_ASSIGN(uri, parse_uri(wanted));
    }
    std::erase_if(fitting, [&](const TokenInfo& token) {
      return uri ? !matches(*uri, token) : token.label != wanted && token.serial != wanted;
    });
  }
  if (context.uri) {
    std::erase_if(fitting, [&](const TokenInfo& token) { return !matches(*context.uri, token); });
  }
  const std::string words = wanted.empty() ? "as the URI says" : fmt::format("called '{}'", wanted);
  return only_one(std::move(fitting), tokens, words);
}

Result<Connection> connect(const Context& context, std::unique_ptr<Module> module, const TokenInfo& token,
                           Access access) {
  const bool read_write = access != Access::look && access != Access::use;
  CARDEA_ASSIGN(auto session, Session::open(*module, token, read_write));
  Connection connection{std::move(module), std::make_unique<Session>(std::move(session))};
  CARDEA_TRY(log_in_for(context, *connection.session, access));
  connection->on_context_login(
      [&context](const Session& again) { return log_in(context, again, CKU_CONTEXT_SPECIFIC); });
  return connection;
}

Result<Connection> connect(const Context& context, Access access) {
  CARDEA_ASSIGN(auto module, load_module(context));
  CARDEA_ASSIGN(const TokenInfo token, select_token(*module, context));
  return connect(context, std::move(module), token, access);
}

Result<bool> take_uri(Context& context, const std::string& argument) {
  if (!is_uri(argument)) return false;
  CARDEA_ASSIGN(context.uri, parse_uri(argument));
  return true;
}

}  // namespace cardea::cli
