// The card service made of memory. It is a _test.cc because it belongs to the tests alone.
#include <algorithm>
#include <chrono>
#include <cstring>

#include "pcsc/fake_pcsc.h"
#include "pcsc/test_support.h"

namespace cardea::card {
namespace {

FakePcsc* current = nullptr;

/// The reader that stands for readers that are to come.
bool is_notification(const SCARD_READERSTATE& asked) {
  return std::string_view(asked.szReader) == "\\\\?PnP?\\Notification";
}

constexpr std::chrono::seconds longest_wait{10};

}  // namespace

/// The functions of the table.
struct FakePcsc::Calls {
  /// Every call is counted while it is inside, so that a test cannot end under an abandoned thread.
  class Inside {
   public:
    Inside() : fake(*current), lock(fake.mutex_) { ++fake.inside_; }
    ~Inside() {
      --fake.inside_;
      fake.changed_.notify_all();
    }
    void wait(const std::function<bool()>& condition) {
      fake.changed_.wait(lock, [&] { return fake.closing_ || condition(); });
    }
    FakePcsc& fake;
    std::unique_lock<std::mutex> lock;
  };

  static LONG establish_context(DWORD, LPCVOID, LPCVOID, LPSCARDCONTEXT context) {
    Inside inside;
    FakePcsc& fake = inside.fake;
    if (!fake.running_) return SCARD_E_NO_SERVICE;
    *context = ++fake.last_number_;
    fake.contexts_[*context] = false;
    return SCARD_S_SUCCESS;
  }

  static LONG release_context(SCARDCONTEXT context) {
    Inside inside;
    FakePcsc& fake = inside.fake;
    std::erase_if(fake.handles_, [&](const auto& entry) { return entry.second.context == context; });
    return fake.contexts_.erase(context) == 1 ? SCARD_S_SUCCESS : SCARD_E_INVALID_HANDLE;
  }

  static LONG list_readers(SCARDCONTEXT context, LPCSTR, LPSTR names, LPDWORD size) {
    Inside inside;
    FakePcsc& fake = inside.fake;
    inside.wait([&] { return !fake.hanging_; });
    if (!fake.contexts_.contains(context)) return SCARD_E_INVALID_HANDLE;
    std::string all;
    for (const auto& [name, slot] : fake.slots_) all += name + '\0';
    if (all.empty()) return SCARD_E_NO_READERS_AVAILABLE;
    all += '\0';
    const bool fits = all.size() <= *size;
    *size = all.size();
    if (!fits) return SCARD_E_INSUFFICIENT_BUFFER;
    std::memcpy(names, all.data(), all.size());
    return SCARD_S_SUCCESS;
  }

  static LONG get_status_change(SCARDCONTEXT context, DWORD timeout, SCARD_READERSTATE* asked, DWORD count) {
    Inside inside;
    FakePcsc& fake = inside.fake;
    inside.wait([&] { return !fake.hanging_; });
    if (!fake.contexts_.contains(context)) return SCARD_E_INVALID_HANDLE;
    for (DWORD i = 0; i < count; ++i) {
      if (!is_notification(asked[i]) && !fake.slots_.contains(asked[i].szReader)) return SCARD_E_UNKNOWN_READER;
    }
    if (timeout != 0) {
      if (!fake.reader_before_wait_.empty()) fake.put_reader(std::exchange(fake.reader_before_wait_, {}));
      // Whatever changes ends the wait, also what makes no difference to who asks.
      const std::uint64_t before = fake.changes_;
      const auto over = [&] {
        return fake.closing_ || !fake.running_ || fake.contexts_[context] || fake.changes_ != before ||
               std::any_of(asked, asked + count, [&](const SCARD_READERSTATE& one) {
                 if (is_notification(one)) return fake.knows_another_count(one);
                 const auto slot = fake.slots_.find(one.szReader);
                 return slot != fake.slots_.end() &&
                        one.dwCurrentState != (slot->second.state | DWORD{slot->second.events} << 16);
               });
      };
      const bool news = fake.changed_.wait_for(inside.lock, std::chrono::milliseconds(timeout), over);
      for (DWORD i = 0; i < count; ++i) fake.fill(asked[i]);
      if (!news) return SCARD_E_TIMEOUT;
      if (!fake.running_) return SCARD_E_NO_SERVICE;
      if (std::exchange(fake.contexts_[context], false)) return SCARD_E_CANCELLED;
      return SCARD_S_SUCCESS;
    }
    for (DWORD i = 0; i < count; ++i) fake.fill(asked[i]);
    return SCARD_S_SUCCESS;
  }

  static LONG cancel(SCARDCONTEXT context) {
    Inside inside;
    if (const auto found = inside.fake.contexts_.find(context); found != inside.fake.contexts_.end())
      found->second = true;
    return SCARD_S_SUCCESS;
  }

  static LONG connect(SCARDCONTEXT context, LPCSTR reader, DWORD, DWORD, LPSCARDHANDLE handle, LPDWORD protocol) {
    Inside inside;
    FakePcsc& fake = inside.fake;
    if (!fake.contexts_.contains(context)) return SCARD_E_INVALID_HANDLE;
    const auto slot = fake.slots_.find(reader);
    if (slot == fake.slots_.end()) return SCARD_E_UNKNOWN_READER;
    if (slot->second.exclusive) return SCARD_E_SHARING_VIOLATION;
    // PC/SC-lite lets no one connect while somebody holds a transaction.
    inside.wait([&] { return !slot->second.held; });
    if ((slot->second.state & SCARD_STATE_PRESENT) == 0) return SCARD_E_NO_SMARTCARD;
    if ((slot->second.state & SCARD_STATE_MUTE) != 0) return SCARD_W_UNPOWERED_CARD;
    *handle = ++fake.last_number_;
    *protocol = fake.protocol_;
    fake.handles_[*handle] = {context, reader, slot->second.events, slot->second.resets};
    ++fake.connects_;
    return SCARD_S_SUCCESS;
  }

  static LONG reconnect(SCARDHANDLE handle, DWORD, DWORD, DWORD, LPDWORD protocol) {
    Inside inside;
    FakePcsc& fake = inside.fake;
    const auto found = fake.handles_.find(handle);
    if (found == fake.handles_.end()) return SCARD_E_INVALID_HANDLE;
    found->second.resets = fake.slots_[found->second.reader].resets;
    *protocol = fake.protocol_;
    return SCARD_S_SUCCESS;
  }

  static LONG disconnect(SCARDHANDLE handle, DWORD) {
    Inside inside;
    FakePcsc& fake = inside.fake;
    for (auto& [name, slot] : fake.slots_) {
      if (slot.owner == handle) slot.owner = 0;
    }
    return fake.handles_.erase(handle) == 1 ? SCARD_S_SUCCESS : SCARD_E_INVALID_HANDLE;
  }

  static LONG begin_transaction(SCARDHANDLE handle) {
    Inside inside;
    FakePcsc& fake = inside.fake;
    const auto free = [&] {
      const auto found = fake.handles_.find(handle);
      if (found == fake.handles_.end()) return true;
      const Slot& slot = fake.slots_[found->second.reader];
      return !slot.held && (slot.owner == 0 || slot.owner == handle);
    };
    inside.wait(free);
    if (const LONG rv = fake.check(handle); rv != SCARD_S_SUCCESS) return rv;
    fake.slots_[fake.handles_[handle].reader].owner = handle;
    return SCARD_S_SUCCESS;
  }

  static LONG end_transaction(SCARDHANDLE handle, DWORD action) {
    Inside inside;
    FakePcsc& fake = inside.fake;
    if (const LONG rv = fake.check(handle); rv != SCARD_S_SUCCESS) return rv;
    Slot& slot = fake.slots_[fake.handles_[handle].reader];
    slot.owner = 0;
    if (action == SCARD_RESET_CARD) ++slot.resets;
    return SCARD_S_SUCCESS;
  }

  static LONG transmit(SCARDHANDLE handle, const SCARD_IO_REQUEST*, LPCBYTE command, DWORD command_size,
                       SCARD_IO_REQUEST*, LPBYTE answer, LPDWORD answer_size) {
    Inside inside;
    FakePcsc& fake = inside.fake;
    if (const LONG rv = fake.check(handle); rv != SCARD_S_SUCCESS) return rv;
    const std::string reader = fake.handles_[handle].reader;
    fake.commands_.push_back(to_hex({command, command_size}));
    inside.wait([&] { return !fake.slots_[reader].mute; });
    if (fake.exchange_failure_ != SCARD_S_SUCCESS) return fake.exchange_failure_;
    const Bytes bytes = fake.exchange_ ? fake.exchange_({command, command_size}) : Bytes{0x90, 0x00};
    std::copy(bytes.begin(), bytes.end(), answer);
    *answer_size = bytes.size();
    return SCARD_S_SUCCESS;
  }

  static LONG control(SCARDHANDLE handle, DWORD code, LPCVOID input, DWORD input_size, LPVOID output, DWORD output_size,
                      LPDWORD returned) {
    Inside inside;
    FakePcsc& fake = inside.fake;
    if (const LONG rv = fake.check(handle); rv != SCARD_S_SUCCESS) return rv;
    if (!fake.control_) return SCARD_E_NOT_TRANSACTED;
    Bytes bytes;
    const LONG rv = fake.control_(code, {static_cast<const Byte*>(input), input_size}, bytes);
    if (bytes.size() > output_size) return SCARD_E_INSUFFICIENT_BUFFER;
    std::copy(bytes.begin(), bytes.end(), static_cast<Byte*>(output));
    *returned = bytes.size();
    return rv;
  }

  static std::string service_identity() {
    Inside inside;
    return inside.fake.running_ ? "run " + std::to_string(inside.fake.run_) : std::string();
  }
};

FakePcsc::FakePcsc() {
  BOOST_REQUIRE(current == nullptr);
  current = this;
  api_ = {Calls::establish_context, Calls::release_context, Calls::list_readers,
          Calls::get_status_change, Calls::cancel,          Calls::connect,
          Calls::reconnect,         Calls::disconnect,      Calls::begin_transaction,
          Calls::end_transaction,   Calls::transmit,        Calls::control,
          Calls::service_identity};
}

FakePcsc::~FakePcsc() {
  std::unique_lock lock(mutex_);
  closing_ = true;
  changed_.notify_all();
  changed_.wait_for(lock, longest_wait, [this] { return inside_ == 0 && handles_.empty() && contexts_.empty(); });
  BOOST_TEST(handles_.empty());
  BOOST_TEST(contexts_.empty());
  BOOST_REQUIRE(inside_ == 0u);
  current = nullptr;
}

LONG FakePcsc::check(SCARDHANDLE handle) {
  if (!running_) return SCARD_E_NO_SERVICE;
  const auto found = handles_.find(handle);
  if (found == handles_.end()) return SCARD_E_INVALID_HANDLE;
  const auto slot = slots_.find(found->second.reader);
  if (slot == slots_.end()) return SCARD_E_READER_UNAVAILABLE;
  if (slot->second.events != found->second.events) return SCARD_W_REMOVED_CARD;
  if (slot->second.resets != found->second.resets) return SCARD_W_RESET_CARD;
  return SCARD_S_SUCCESS;
}

bool FakePcsc::knows_another_count(const SCARD_READERSTATE& asked) const {
  const DWORD known = asked.dwCurrentState >> 16;
  return counting_ && known != 0 && known != reader_events_;
}

void FakePcsc::put_reader(const std::string& name) {
  slots_[name] = {};
  ++reader_events_;
}

void FakePcsc::fill(SCARD_READERSTATE& asked) {
  if (is_notification(asked)) asked.dwEventState = counting_ ? reader_events_ << 16 : 0;
  const auto found = slots_.find(asked.szReader);
  if (found == slots_.end()) return;
  const Slot& slot = found->second;
  asked.dwEventState = slot.state | SCARD_STATE_CHANGED | DWORD{slot.events} << 16;
  asked.cbAtr = slot.atr.size();
  std::copy(slot.atr.begin(), slot.atr.end(), asked.rgbAtr);
}

namespace {

/// A change of the world that everybody who waits gets to see.
template <class Change>
void change(std::mutex& mutex, std::condition_variable& changed, std::uint64_t& changes, const Change& make) {
  const std::lock_guard lock(mutex);
  make();
  ++changes;
  changed.notify_all();
}

}  // namespace

void FakePcsc::add_reader(const std::string& name) {
  change(mutex_, changed_, changes_, [&] { put_reader(name); });
}

void FakePcsc::add_reader_before_next_wait(const std::string& name) {
  const std::lock_guard lock(mutex_);
  reader_before_wait_ = name;
}

void FakePcsc::remove_reader(const std::string& name) {
  change(mutex_, changed_, changes_, [&] { reader_events_ += slots_.erase(name); });
}

void FakePcsc::insert(const std::string& name, Bytes atr) {
  change(mutex_, changed_, changes_, [&] {
    Slot& slot = slots_[name];
    slot.state = SCARD_STATE_PRESENT;
    slot.atr = std::move(atr);
    ++slot.events;
  });
}

void FakePcsc::pull(const std::string& name) {
  change(mutex_, changed_, changes_, [&] {
    Slot& slot = slots_[name];
    slot.state = SCARD_STATE_EMPTY;
    slot.atr.clear();
    slot.owner = 0;
    ++slot.events;
  });
}

void FakePcsc::make_mute(const std::string& name) {
  change(mutex_, changed_, changes_, [&] {
    slots_[name].state |= SCARD_STATE_MUTE;
    slots_[name].atr.clear();
  });
}

void FakePcsc::reset_by_another(const std::string& name) {
  change(mutex_, changed_, changes_, [&] { ++slots_[name].resets; });
}

void FakePcsc::hold(const std::string& name, bool held) {
  change(mutex_, changed_, changes_, [&] { slots_[name].held = held; });
}

void FakePcsc::hold_exclusively(const std::string& name, bool held) {
  change(mutex_, changed_, changes_, [&] { slots_[name].exclusive = held; });
}

void FakePcsc::stop_service() {
  change(mutex_, changed_, changes_, [&] {
    running_ = false;
    handles_.clear();
    contexts_.clear();
    slots_.clear();
  });
}

void FakePcsc::start_service() {
  change(mutex_, changed_, changes_, [&] {
    running_ = true;
    ++run_;
  });
}

void FakePcsc::hang(bool hanging) {
  change(mutex_, changed_, changes_, [&] { hanging_ = hanging; });
}

void FakePcsc::count_readers() {
  change(mutex_, changed_, changes_, [&] { counting_ = true; });
}

void FakePcsc::answer_by(Exchange exchange) {
  change(mutex_, changed_, changes_, [&] { exchange_ = std::move(exchange); });
}

void FakePcsc::mute_exchanges(const std::string& name, bool mute) {
  change(mutex_, changed_, changes_, [&] { slots_[name].mute = mute; });
}

void FakePcsc::fail_exchanges_with(LONG rv) {
  change(mutex_, changed_, changes_, [&] { exchange_failure_ = rv; });
}

void FakePcsc::use_protocol(DWORD protocol) {
  change(mutex_, changed_, changes_, [&] { protocol_ = protocol; });
}

void FakePcsc::control_by(Control control) {
  change(mutex_, changed_, changes_, [&] { control_ = std::move(control); });
}

std::size_t FakePcsc::open_contexts() {
  const std::lock_guard lock(mutex_);
  return contexts_.size();
}

std::size_t FakePcsc::open_handles() {
  const std::lock_guard lock(mutex_);
  return handles_.size();
}

std::size_t FakePcsc::connects() {
  const std::lock_guard lock(mutex_);
  return connects_;
}

std::vector<std::string> FakePcsc::commands() {
  const std::lock_guard lock(mutex_);
  return commands_;
}

bool FakePcsc::eventually(const std::function<bool()>& condition) {
  const auto deadline = std::chrono::steady_clock::now() + longest_wait;
  while (!condition()) {
    if (std::chrono::steady_clock::now() > deadline) return false;
    std::unique_lock lock(mutex_);
    changed_.wait_for(lock, std::chrono::milliseconds(5));
  }
  return true;
}

InsertedCard FakePcsc::card_in(const std::string& name) {
  const std::string service = Calls::service_identity();
  const std::lock_guard lock(mutex_);
  return {name, slots_[name].atr, slots_[name].events, service};
}

}  // namespace cardea::card
