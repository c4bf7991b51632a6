#include "pcsc/pcsc_api.h"

#include <dlfcn.h>
#include <fmt/format.h>
#include <sys/stat.h>

#include <array>
#include <atomic>
#include <cstdlib>

#include "base/process_root.h"

namespace cardea::card {
namespace {

constexpr const char* library_name = "libpcsclite.so.1";
constexpr const char* usual_socket = "/run/pcscd/pcscd.comm";

/// Where the service listens, found as the library finds it.
std::string service_socket() {
  const char* const told = secure_getenv("PCSCLITE_CSOCK_NAME");
  return told != nullptr ? told : usual_socket;
}

std::string file_identity(const std::string& path) {
  struct stat file {};
  if (stat(path.c_str(), &file) != 0) return {};
  return fmt::format("{:x}.{:x}.{:x}.{:x}", file.st_dev, file.st_ino, file.st_ctim.tv_sec, file.st_ctim.tv_nsec);
}

/// The socket may belong to the service manager and outlive the service; its process id file does not.
std::string identity_of_service() {
  const std::string socket = service_socket();
  const std::string identity = file_identity(socket);
  if (identity.empty()) return {};
  return identity + "/" + file_identity(socket.substr(0, socket.rfind('/') + 1) + "pcscd.pid");
}

template <class Function>
bool find(void* library, const char* name, Function& function) {
  function = reinterpret_cast<Function>(dlsym(library, name));
  return function != nullptr;
}

const PcscApi* load() {
  void* const library = dlopen(library_name, RTLD_NOW | RTLD_LOCAL);
  if (library == nullptr) return nullptr;
  auto* const api = new PcscApi{};
  api->service_identity = identity_of_service;
  const bool complete = find(library, "SCardEstablishContext", api->establish_context) &&
                        find(library, "SCardReleaseContext", api->release_context) &&
                        find(library, "SCardListReaders", api->list_readers) &&
                        find(library, "SCardGetStatusChange", api->get_status_change) &&
                        find(library, "SCardCancel", api->cancel) && find(library, "SCardConnect", api->connect) &&
                        find(library, "SCardReconnect", api->reconnect) &&
                        find(library, "SCardDisconnect", api->disconnect) &&
                        find(library, "SCardBeginTransaction", api->begin_transaction) &&
                        find(library, "SCardEndTransaction", api->end_transaction) &&
                        find(library, "SCardTransmit", api->transmit) && find(library, "SCardControl", api->control);
  if (complete) return api;
  delete api;
  return nullptr;
}

struct Meaning {
  LONG rv;
  Code code;
  std::string_view words;
};

constexpr std::array meanings{
    Meaning{SCARD_E_NO_SMARTCARD, Code::device_removed, "there is no card in the reader"},
    Meaning{SCARD_W_REMOVED_CARD, Code::device_removed, "the card was removed"},
    Meaning{SCARD_E_READER_UNAVAILABLE, Code::device_removed, "the reader was removed"},
    Meaning{SCARD_E_UNKNOWN_READER, Code::device_removed, "the reader was removed"},
    Meaning{SCARD_E_NO_SERVICE, Code::device_removed, "the card service (pcscd) is not running"},
    Meaning{SCARD_E_SERVICE_STOPPED, Code::device_removed, "the card service (pcscd) has stopped"},
    Meaning{SCARD_E_INVALID_HANDLE, Code::device_removed, "the card service (pcscd) was started anew"},
    Meaning{SCARD_E_SHARING_VIOLATION, Code::timed_out, "another program keeps the card for itself"},
    Meaning{SCARD_E_TIMEOUT, Code::timed_out, "the reader did not answer in time"},
    Meaning{SCARD_W_UNRESPONSIVE_CARD, Code::device_error, "the card does not answer; is it inserted the right way?"},
    Meaning{SCARD_W_UNPOWERED_CARD, Code::device_error, "the reader cannot power the card"},
    Meaning{SCARD_W_UNSUPPORTED_CARD, Code::device_error, "the reader does not understand the card's answer to reset"},
    Meaning{SCARD_W_RESET_CARD, Code::device_error, "the card was reset by another program"},
    Meaning{SCARD_E_PROTO_MISMATCH, Code::device_error, "another program uses the card with another protocol"},
    Meaning{SCARD_E_NOT_TRANSACTED, Code::device_error, "the card or reader did not complete the exchange"},
    Meaning{SCARD_F_COMM_ERROR, Code::device_error, "the card or reader broke off the exchange"},
    Meaning{SCARD_E_NO_MEMORY, Code::host_memory, "the card service is out of memory"},
    Meaning{SCARD_W_SECURITY_VIOLATION, Code::permission_denied,
            "the system's policy (polkit, org.debian.pcsc-lite) does not let this user use cards"},
};

}  // namespace

Result<const PcscApi*> pcsc_api() {
  std::atomic<void*>& root = process_root(Root::card_readers);
  if (const void* const loaded = root.load(std::memory_order_acquire)) return static_cast<const PcscApi*>(loaded);
  if (identity_of_service().empty())
    return error(Code::device_error, "the card service (pcscd) is not running: there is no " + service_socket());
  const PcscApi* const api = load();
  if (api == nullptr)
    return error(Code::device_error, fmt::format("{} cannot be loaded; is it installed?", library_name));
  void* expected = nullptr;
  if (root.compare_exchange_strong(expected, const_cast<PcscApi*>(api), std::memory_order_acq_rel)) return api;
  delete api;
  return static_cast<const PcscApi*>(expected);
}

Error pcsc_error(LONG rv, std::string_view doing, SourcePlace where) {
  for (const Meaning& meaning : meanings) {
    if (meaning.rv == rv) return error(meaning.code, fmt::format("{}: {}", doing, meaning.words), where);
  }
  return error(Code::device_error,
               fmt::format("{}: the card service reports {:#010x}", doing, static_cast<std::uint32_t>(rv)), where);
}

bool is_service_lost(LONG rv) noexcept {
  return rv == SCARD_E_NO_SERVICE || rv == SCARD_E_SERVICE_STOPPED || rv == SCARD_E_INVALID_HANDLE ||
         rv == SCARD_F_COMM_ERROR;
}

bool is_card_gone(LONG rv) noexcept {
  return rv == SCARD_E_NO_SMARTCARD || rv == SCARD_W_REMOVED_CARD || rv == SCARD_E_READER_UNAVAILABLE ||
         rv == SCARD_E_UNKNOWN_READER;
}

}  // namespace cardea::card
