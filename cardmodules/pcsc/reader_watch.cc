#include "pcsc/reader_watch.h"

#include <algorithm>

namespace cardea::card {
namespace {

constexpr const char* new_readers = "\\\\?PnP?\\Notification";
constexpr std::size_t most_at_once = PCSCLITE_MAX_READERS_CONTEXTS;

SCARD_READERSTATE asking_for(const std::string& name, DWORD known) {
  SCARD_READERSTATE state{};
  state.szReader = name.c_str();
  state.dwCurrentState = known;
  return state;
}

/// Names stand one after the other, each with a terminator, and end with an empty one.
std::vector<std::string> split_names(const std::vector<char>& names) {
  std::vector<std::string> result;
  auto at = names.begin();
  while (at != names.end() && *at != '\0') {
    const auto end = std::find(at, names.end(), '\0');
    result.emplace_back(at, end);
    at = end == names.end() ? end : end + 1;
  }
  return result;
}

}  // namespace

LONG ReaderWatch::establish(const PcscApi& api) {
  if (connected_) return SCARD_S_SUCCESS;
  api_ = &api;
  SCARDCONTEXT context = 0;
  const LONG rv = api.establish_context(SCARD_SCOPE_SYSTEM, nullptr, nullptr, &context);
  context_ = context;
  connected_ = rv == SCARD_S_SUCCESS;
  return rv;
}

LONG ReaderWatch::list(std::vector<std::string>& names) {
  std::vector<char> buffer(most_at_once * MAX_READERNAME + 1);
  for (;;) {
    DWORD size = buffer.size();
    const LONG rv = api_.load()->list_readers(context_, nullptr, buffer.data(), &size);
    names.clear();
    if (rv == SCARD_E_NO_READERS_AVAILABLE) return SCARD_S_SUCCESS;
    if (rv == SCARD_E_INSUFFICIENT_BUFFER && size > buffer.size()) {
      buffer.resize(size);
      continue;
    }
    if (rv == SCARD_S_SUCCESS) names = split_names(buffer);
    return rv;
  }
}

LONG ReaderWatch::states(const std::vector<std::string>& names, std::vector<SeenReader>& seen) {
  seen.clear();
  std::vector<SCARD_READERSTATE> asked;
  for (std::size_t first = 0; first < names.size(); first += most_at_once) {
    asked.clear();
    for (std::size_t i = first; i < std::min(names.size(), first + most_at_once); ++i)
      asked.push_back(asking_for(names[i], SCARD_STATE_UNAWARE));
    const LONG rv = api_.load()->get_status_change(context_, 0, asked.data(), asked.size());
    if (rv != SCARD_S_SUCCESS && rv != SCARD_E_TIMEOUT) return rv;
    for (const SCARD_READERSTATE& state : asked) {
      const std::size_t atr_size = std::min<std::size_t>(state.cbAtr, sizeof state.rgbAtr);
      seen.push_back({state.szReader, state.dwEventState & ~DWORD{SCARD_STATE_CHANGED},
                      Bytes(state.rgbAtr, state.rgbAtr + atr_size)});
    }
  }
  return SCARD_S_SUCCESS;
}

Result<ReaderList> ReaderWatch::look(const PcscApi& api) {
  ReaderList result;
  std::vector<std::string> names;
  LONG rv = SCARD_S_SUCCESS;
  // Once more for a service that was started anew, or a reader that vanished between the two questions.
  for (int attempt = 0; attempt < 2; ++attempt) {
    rv = establish(api);
    if (rv == SCARD_S_SUCCESS) rv = list(names);
    if (rv == SCARD_S_SUCCESS) rv = states(names, result.readers);
    if (rv == SCARD_S_SUCCESS) break;
    if (rv != SCARD_E_UNKNOWN_READER) release();
  }
  if (rv != SCARD_S_SUCCESS) {
    const Error reason = pcsc_error(rv, "listing the readers");
    // Nothing was removed where nothing was listed.
    return error(reason.code == Code::device_removed ? Code::device_error : reason.code, reason.detail);
  }
  result.service = api.service_identity();
  saw_card_ = std::any_of(result.readers.begin(), result.readers.end(),
                          [](const SeenReader& reader) { return reader.has_card(); });
  return result;
}

bool ReaderWatch::wait(const ReaderList& seen, std::chrono::milliseconds at_most) {
  std::vector<SCARD_READERSTATE> asked;
  for (const SeenReader& reader : seen.readers) {
    // One place is for readers that are to come.
    if (asked.size() + 1 == most_at_once) break;
    asked.push_back(asking_for(reader.name, reader.state));
  }
  // Newer services count the comings and goings of readers, so that none is missed between two waits.
  const std::string notification = new_readers;
  asked.push_back(asking_for(notification, reader_events_));
  const LONG rv =
      api_.load()->get_status_change(context_, static_cast<DWORD>(at_most.count()), asked.data(), asked.size());
  reader_events_ = asked.back().dwEventState & ~DWORD{0xffff};
  return rv == SCARD_S_SUCCESS || rv == SCARD_E_TIMEOUT || rv == SCARD_E_CANCELLED || rv == SCARD_E_UNKNOWN_READER;
}

void ReaderWatch::cancel() noexcept {
  if (connected_) api_.load()->cancel(context_);
}

void ReaderWatch::release() {
  saw_card_ = false;
  reader_events_ = SCARD_STATE_UNAWARE;
  if (connected_.exchange(false)) api_.load()->release_context(context_);
}

}  // namespace cardea::card
