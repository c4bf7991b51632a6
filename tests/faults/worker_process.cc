// Tasks on processes and threads: forking, loading again and again, leaving in every way, logging in beside others.
#include <dlfcn.h>
#include <malloc.h>
#include <sys/wait.h>
#include <unistd.h>

#include <atomic>
#include <chrono>
#include <cstdlib>
#include <latch>
#include <memory>
#include <thread>
#include <utility>

#include "faults/setting.h"
#include "faults/worker.h"

namespace cardea::test {

namespace {

// Never destroyed: threads still sign it while the process exits.
const Blob& digest = *new Blob(32, 0x5a);

void log_in_and_sign(const Host& host) {
  const CK_SESSION_HANDLE session = host.open(host.slot(token_label));
  host.login(session, user_pin);
  host.sign(session, signing_key(host, session), CKM_ECDSA, digest);
}

// Waits for a child that must end well; bounded by an alarm, because a deadlock after fork is what we look for.
void expect_child(pid_t child) {
  int status = 0;
  alarm(30);
  if (waitpid(child, &status, 0) != child || status != 0) {
    throw std::runtime_error("a forked child failed with status " + std::to_string(status));
  }
  alarm(0);
}

template <class Body>
pid_t forked(Body body) {
  const pid_t child = fork();
  if (child != 0) return child;
  alarm(30);
  int status = 1;
  try {
    body();
    status = 0;
  } catch (const std::exception& failure) {
    tell(std::string("child: ") + failure.what());
  }
  _exit(status);
}

void require(bool condition, const char* what) {
  if (!condition) throw std::runtime_error(what);
}

int sign(const Arguments&) {
  Token token;
  token.host.login(token.session, user_pin);
  token.host.sign(token.session, signing_key(token.host, token.session), CKM_ECDSA, digest);
  return 0;
}

// The child sees a module that is not initialised, starts anew, signs, writes and leaves; the parent's session, its
// login and an operation begun before the fork go on as if nothing had been.
int fork_once(const Arguments&) {
  Token token;
  const Host& host = token.host;
  host.login(token.session, user_pin);
  const CK_OBJECT_HANDLE key = signing_key(host, token.session);
  for (int round = 0; round < 10; ++round) {
    CK_MECHANISM mechanism{CKM_ECDSA, nullptr, 0};
    expect_ok(host->C_SignInit(token.session, &mechanism, key), "C_SignInit");
    const std::string id = "child" + std::to_string(round);
    expect_child(forked([&] {
      CK_INFO info{};
      require(host->C_GetInfo(&info) == CKR_CRYPTOKI_NOT_INITIALIZED, "the child inherits an initialised module");
      require(host->C_Finalize(nullptr) == CKR_CRYPTOKI_NOT_INITIALIZED, "the child can finalise for its parent");
      host.start();
      log_in_and_sign(host);
      create_secret(host, host.open(host.slot(token_label)), id);
      host.finalize();
    }));
    Blob data = digest, signature(128);
    CK_ULONG size = signature.size();
    expect_ok(host->C_Sign(token.session, data.data(), data.size(), signature.data(), &size), "C_Sign after fork");
    create_secret(host, token.session, "parent" + std::to_string(round));
    Attributes wanted;
    wanted.text(CKA_ID, id);
    require(host.find(token.session, wanted).size() == 1, "the parent does not see what its child created");
  }
  return 0;
}

// Forks while other threads sign and write.
int fork_among_threads(const Arguments&) {
  Token token;
  const Host& host = token.host;
  host.login(token.session, user_pin);
  std::atomic<bool> stop = false;
  std::atomic<int> failures = 0;
  std::vector<std::thread> threads;
  for (int i = 0; i < 4; ++i) {
    threads.emplace_back([&, i] {
      try {
        const CK_SESSION_HANDLE session = host.open(token.slot);
        const CK_OBJECT_HANDLE key = signing_key(host, session);
        for (int round = 0; !stop; ++round) {
          host.sign(session, key, CKM_ECDSA, digest);
          const CK_OBJECT_HANDLE made =
              create_secret(host, session, "t" + std::to_string(i) + "." + std::to_string(round));
          expect_ok(host->C_DestroyObject(session, made), "C_DestroyObject");
        }
      } catch (const std::exception& failure) {
        tell(std::string("thread: ") + failure.what());
        ++failures;
      }
    });
  }
  try {
    for (int round = 0; round < 25; ++round) {
      expect_child(forked([&] {
        host.start();
        log_in_and_sign(host);
        host.finalize();
      }));
    }
  } catch (const std::exception& failure) {
    tell(failure.what());
    ++failures;
  }
  stop = true;
  for (std::thread& thread : threads) thread.join();
  return failures == 0 ? 0 : 1;
}

// cycles COUNT: load, initialise, sign, finalise, unload. Tells the bytes in use a quarter of the way and at the end.
int cycles(const Arguments& arguments) {
  const int count = std::stoi(arguments.at(0));
  for (int round = 1; round <= count; ++round) {
    {
      const Host host(module_path());
      host.start();
      log_in_and_sign(host);
      host.finalize();
    }
    if (round == count / 4 || round == count) tell(std::to_string(mallinfo2().uordblks));
  }
  return 0;
}

void* load(const char* name) {
  void* const library = dlopen(name, RTLD_NOW | RTLD_LOCAL);
  if (library == nullptr) throw std::runtime_error(dlerror());
  return library;
}

// unload-order NUMBER: the module and libraries that it uses itself, loaded and dropped in one of eight orders.
int unload_order(const Arguments& arguments) {
  const int order = std::stoi(arguments.at(0));
  const bool libraries_first = (order & 1) != 0, libraries_last = (order & 2) != 0, finalise = (order & 4) != 0;
  std::vector<void*> libraries;
  const auto load_libraries = [&] { libraries = {load("libcrypto.so.3"), load("libsqlite3.so.0")}; };
  const auto drop_libraries = [&] {
    for (void* const library : libraries) dlclose(library);
  };
  if (libraries_first) load_libraries();
  auto host = std::make_unique<Host>(module_path());
  if (!libraries_first) load_libraries();
  host->start();
  log_in_and_sign(*host);
  if (!libraries_last) drop_libraries();
  if (finalise) host->finalize();
  host.reset();
  if (libraries_last) drop_libraries();
  return 0;
}

// For handlers that run while the process exits; never destroyed, as in hosts that fare well.
Host* leaving_host = nullptr;
CK_SESSION_HANDLE leaving_session = CK_INVALID_HANDLE;
CK_OBJECT_HANDLE leaving_key = CK_INVALID_HANDLE;

// What OpenSSL's PKCS#11 engine and others do from atexit handlers. Any answer is right, but it must be an answer.
void call_late() {
  Host& host = *leaving_host;
  CK_MECHANISM mechanism{CKM_ECDSA, nullptr, 0};
  Blob data = digest, signature(128);
  CK_ULONG size = signature.size();
  host->C_SignInit(leaving_session, &mechanism, leaving_key);
  host->C_Sign(leaving_session, data.data(), data.size(), signature.data(), &size);
  host->C_CloseSession(leaving_session);
  host->C_CloseAllSessions(0);
  host->C_Finalize(nullptr);
  host->C_SignInit(leaving_session, &mechanism, leaving_key);
  host->C_CloseAllSessions(0);
}

// Runs among the destructors of static objects, after those of everything that was constructed later.
struct CallsLate {
  bool armed = false;
  ~CallsLate() {
    if (armed) call_late();
  }
};
CallsLate static_destructor;

// leave WAY: ends by exit() with the module in use and late calls from handlers, destructors or running threads.
int leave(const Arguments& arguments) {
  const std::string way = arguments.at(0);
  if (way == "handler-before") std::atexit(call_late);
  leaving_host = new Host(module_path());
  leaving_host->start();
  leaving_session = leaving_host->open(leaving_host->slot(token_label));
  leaving_host->login(leaving_session, user_pin);
  leaving_key = signing_key(*leaving_host, leaving_session);
  leaving_host->sign(leaving_session, leaving_key, CKM_ECDSA, digest);
  if (way == "handler-after") std::atexit(call_late);
  if (way == "destructor") static_destructor.armed = true;
  if (way == "threads") {
    constexpr int threads = 4;
    static std::latch signing(threads);  // outlives this function, as the threads do
    for (int i = 0; i < threads; ++i) {
      std::thread([session = leaving_host->open(leaving_host->slot(token_label))] {
        CK_MECHANISM mechanism{CKM_ECDSA, nullptr, 0};
        bool begun = false;
        for (;;) {
          Blob data = digest, signature(128);
          CK_ULONG size = signature.size();
          (*leaving_host)->C_SignInit(session, &mechanism, leaving_key);
          const CK_RV rv = (*leaving_host)->C_Sign(session, data.data(), data.size(), signature.data(), &size);
          if (rv == CKR_OK && !std::exchange(begun, true)) signing.count_down();
        }
      }).detach();
    }
    signing.wait();  // who started this process bounds its life
  }
  std::exit(0);
}

// storm COUNT: logs in and out.
int storm(const Arguments& arguments) {
  Token token;
  for (int round = std::stoi(arguments.at(0)); round > 0; --round) {
    token.host.login(token.session, user_pin);
    expect_ok(token.host->C_Logout(token.session), "C_Logout");
  }
  return 0;
}

bool exists(const std::string& path) {
  return access(path.c_str(), F_OK) == 0;
}

// sign-until FILE: signs until the file appears; says how often.
int sign_until(const Arguments& arguments) {
  Token token;
  token.host.login(token.session, user_pin);
  const CK_OBJECT_HANDLE key = signing_key(token.host, token.session);
  long count = 0;
  for (; !exists(arguments.at(0)); ++count) token.host.sign(token.session, key, CKM_ECDSA, digest);
  tell(std::to_string(count));
  return count > 0 ? 0 : 1;
}

// never FILE HANDLE: without a login, no private key is to be found and no handle of one is of use.
int never_signs(const Arguments& arguments) {
  Token token;
  Attributes wanted;
  wanted.ulong(CKA_CLASS, CKO_PRIVATE_KEY);
  const auto guess = static_cast<CK_OBJECT_HANDLE>(std::stoul(arguments.at(1)));
  CK_MECHANISM mechanism{CKM_ECDSA, nullptr, 0};
  while (!exists(arguments.at(0))) {
    require(token.host.find(token.session, wanted).empty(), "a private key is visible without login");
    require(token.host->C_SignInit(token.session, &mechanism, guess) != CKR_OK, "signing begins without login");
  }
  return 0;
}

// key-handle: the handle under which a logged-in process sees the signing key.
int key_handle(const Arguments&) {
  Token token;
  token.host.login(token.session, user_pin);
  tell(std::to_string(signing_key(token.host, token.session)));
  return 0;
}

// login-at FILE PIN: waits for the file, then logs in; exit status 0 when it was accepted. Tells the return value.
int login_at(const Arguments& arguments) {
  Token token;
  for (int wait = 0; !exists(arguments.at(0)); ++wait) {
    require(wait < 30000, "the start was never given");
    std::this_thread::sleep_for(std::chrono::milliseconds(1));
  }
  const CK_RV rv = token.host.try_login(token.session, arguments.at(1));
  tell(std::to_string(rv));
  return rv == CKR_OK ? 0 : 1;
}

// flags: those of the token, as a number.
int flags(const Arguments&) {
  Token token;
  CK_TOKEN_INFO info{};
  expect_ok(token.host->C_GetTokenInfo(token.slot, &info), "C_GetTokenInfo");
  tell(std::to_string(info.flags));
  return 0;
}

}  // namespace

std::vector<Task> process_tasks() {
  return {{"sign", sign},
          {"fork", fork_once},
          {"fork-among-threads", fork_among_threads},
          {"cycles", cycles},
          {"unload-order", unload_order},
          {"leave", leave},
          {"storm", storm},
          {"sign-until", sign_until},
          {"never", never_signs},
          {"key-handle", key_handle},
          {"login-at", login_at},
          {"flags", flags}};
}

}  // namespace cardea::test
