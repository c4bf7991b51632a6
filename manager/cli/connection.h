// From options to a session: which module, which token, logged in as whom.
#pragma once

#include <memory>
#include <string>

#include "cli/context.h"
#include "cli/p11.h"

namespace cardea::cli {

/// A module and a session on one of its tokens.
struct Connection {
  std::unique_ptr<Module> module;  // declared before the session, so that it is closed after it
  std::unique_ptr<Session> session;
  Session* operator->() const { return session.get(); }
  Session& operator*() const { return *session; }
};

enum class Access {
  look,        ///< read-only; logs in only when --login or a PIN source was given
  use,         ///< read-only, logged in as user when the token wants it
  change,      ///< read-write, logged in as user
  administer,  ///< read-write, logged in as security officer
  open_write,  ///< read-write, not logged in
};

/// Path of the module that the options or the URI name, else as module_path says.
std::string wanted_module(const Context& context);

/// Loads that module.
Result<std::unique_ptr<Module>> load_module(const Context& context);

/// The one token that --token, or the URI, names; without either the only initialised one. not_found with the list of
/// those there are; arguments_bad when several fit.
Result<TokenInfo> select_token(const Module& module, const Context& context);

/// Loads, selects, opens and logs in.
Result<Connection> connect(const Context& context, Access access);

/// A session on this token of a module that is loaded already.
Result<Connection> connect(const Context& context, std::unique_ptr<Module> module, const TokenInfo& token,
                           Access access);

/// Takes a positional argument that may be a URI: remembers it in the context and answers true.
Result<bool> take_uri(Context& context, const std::string& argument);

}  // namespace cardea::cli
