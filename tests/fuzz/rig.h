// The module inside a fuzz program, with a token in a folder of its own and a key of every common type.
#pragma once

#include <filesystem>

#include "fuzz/arguments.h"

namespace cardea::fuzz {

inline constexpr const char* pin = "123456";

/// A folder for this process under $TMPDIR, and CARDEA_HOME and CARDEA_CONF pointing into it. Removed by the next run.
const std::filesystem::path& home();

/// Initialises the module and makes the token; once a process.
void make_rig();
CK_SLOT_ID slot();
/// All mechanisms of the token.
const std::vector<CK_MECHANISM_TYPE>& mechanisms();

/// A logged-in R/W session with session keys of every common type; closing it destroys them.
class Rig {
 public:
  Rig();
  ~Rig();
  Rig(const Rig&) = delete;
  Rig& operator=(const Rig&) = delete;
  CK_SESSION_HANDLE session() const { return session_; }
  /// Keys, and handles of what calls have made since.
  Handles handles;

 private:
  CK_SESSION_HANDLE session_ = CK_INVALID_HANDLE;
};

/// The value of a sensitive key that the rig holds. It must not come out of any call.
const std::vector<CK_BYTE>& planted();
/// Ends the process when half of the planted value stands in `bytes`.
void expect_not_planted(const CK_BYTE* bytes, std::size_t size);

}  // namespace cardea::fuzz
