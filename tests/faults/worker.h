// The worker's tasks, spread over files by what they prove. Each answers the process's exit status.
#pragma once

#include <string>
#include <vector>

#include "fakes/host.h"

namespace cardea::test {

using Arguments = std::vector<std::string>;

struct Task {
  const char* name;
  int (*run)(const Arguments& arguments);
};

/// Tasks on the token's store (worker_store.cc).
std::vector<Task> store_tasks();
/// Tasks on processes, threads, loading and leaving (worker_process.cc).
std::vector<Task> process_tasks();
/// Tasks on hosts with an OpenSSL of their own, and the call of every function (worker_host.cc).
std::vector<Task> host_tasks();

/// A module that is initialised, with the token's slot and a R/W session.
struct Token {
  Host host;
  CK_SLOT_ID slot;
  CK_SESSION_HANDLE session;
  Token();
};

/// Writes a line to standard output with no counted system call (fakes/failing_calls.h), at once.
void tell(const std::string& line);

/// The value of the secret key with that CKA_ID: 32 bytes, so that a mix-up of objects shows.
Blob value_of(const std::string& id);
CK_OBJECT_HANDLE create_secret(const Host& host, CK_SESSION_HANDLE session, const std::string& id);
/// The private key that every token made by "make-token" has.
CK_OBJECT_HANDLE signing_key(const Host& host, CK_SESSION_HANDLE session);

}  // namespace cardea::test
