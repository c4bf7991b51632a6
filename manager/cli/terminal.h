// The user's terminal: questions, and PINs typed without echo.
#pragma once

#include <string>
#include <string_view>

#include "base/result.h"
#include "base/secret.h"

namespace cardea::cli {

/// True when there is a controlling terminal to ask on.
bool has_terminal();

/// Asks on the terminal and reads one line without echo. user_not_logged_in when there is no terminal,
/// function_canceled when the user ends the input or interrupts.
Result<Pin> ask_pin(const std::string& prompt);

/// Asks on the terminal and reads one line that is no secret. user_not_logged_in when there is no terminal,
/// function_canceled when the user ends the input.
Result<std::string> ask_line(const std::string& prompt);

/// Asks on the terminal; true only for "yes". False without a terminal.
bool confirm(const std::string& question);

}  // namespace cardea::cli
