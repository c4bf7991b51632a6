// One process of a fault test. The first argument names the task; the token is that of CARDEA_HOME.
#include "faults/worker.h"

#include <sys/syscall.h>
#include <unistd.h>

#include <cstdio>

#include "faults/setting.h"

namespace cardea::test {

Token::Token() : host(module_path()), slot(0), session(CK_INVALID_HANDLE) {
  host.start();
  slot = host.slot(token_label);
  session = host.open(slot);
}

void tell(const std::string& line) {
  const std::string whole = line + "\n";
  if (syscall(SYS_write, STDOUT_FILENO, whole.data(), whole.size()) != static_cast<long>(whole.size())) _exit(3);
}

Blob value_of(const std::string& id) {
  std::string text = "the value of " + id;
  text.resize(32, '.');
  return p11::bytes_of(text);
}

CK_OBJECT_HANDLE create_secret(const Host& host, CK_SESSION_HANDLE session, const std::string& id) {
  Attributes attributes;
  attributes.ulong(CKA_CLASS, CKO_SECRET_KEY).ulong(CKA_KEY_TYPE, CKK_GENERIC_SECRET).boolean(CKA_TOKEN, true);
  attributes.boolean(CKA_PRIVATE, true).boolean(CKA_SENSITIVE, false).boolean(CKA_EXTRACTABLE, true);
  attributes.text(CKA_ID, id).text(CKA_LABEL, "new").bytes(CKA_VALUE, value_of(id));
  return host.create(session, attributes);
}

CK_OBJECT_HANDLE signing_key(const Host& host, CK_SESSION_HANDLE session) {
  Attributes wanted;
  wanted.ulong(CKA_CLASS, CKO_PRIVATE_KEY).text(CKA_ID, "signer");
  const std::vector<CK_OBJECT_HANDLE> found = host.find(session, wanted);
  if (found.size() != 1) throw std::runtime_error(std::to_string(found.size()) + " signing keys instead of one");
  return found.front();
}

namespace {

int run_task(const Arguments& arguments) {
  for (const auto& tasks : {store_tasks(), process_tasks(), host_tasks()}) {
    for (const Task& task : tasks) {
      if (!arguments.empty() && arguments.front() == task.name)
        return task.run({arguments.begin() + 1, arguments.end()});
    }
  }
  std::fputs("no such task\n", stderr);
  return 2;
}

}  // namespace

}  // namespace cardea::test

int main(int count, char** arguments) {
  try {
    return cardea::test::run_task({arguments + 1, arguments + count});
  } catch (const std::exception& failure) {
    std::fprintf(stderr, "%s\n", failure.what());
    return 1;
  }
}
