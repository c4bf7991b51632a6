// The first start: everything that a manager needs, from nothing.
#pragma once

#include <filesystem>
#include <string>

#include "base/result.h"

namespace cardea::manager {

struct Beginning {
  std::filesystem::path data_directory;
  std::filesystem::path settings_file;          ///< made unless it is there
  std::string organisation = "Cardea";          ///< O of the authorities' names
  std::string host = "localhost";               ///< DNS name or address of the server's certificate
  std::string administrator = "administrator";  ///< name of the first operator
  std::filesystem::path administrator_request;  ///< PKCS#10 of a key on a token; empty: a key in a file is made
};

/// Makes the data directory, settings, key token, database, a root and an issuing authority with certificate policies
/// and profiles, the server's certificate, and the first administrator with its certificate. Says on standard output
/// what it made and what to do next. exists when there is a manager in that directory already.
Status initialise(const Beginning& beginning);

}  // namespace cardea::manager
