// A card service made of memory behind the table of PC/SC functions: readers that come and go, cards that are pulled,
// reset, mute or held by others, a service that stops and starts.
#pragma once

#include <condition_variable>
#include <functional>
#include <map>
#include <mutex>
#include <string>
#include <vector>

#include "pcsc/pcsc_api.h"
#include "pcsc/pcsc_connection.h"

namespace cardea::card {

/// One at a time. Blocks in its destructor until no call is inside any more.
class FakePcsc {
 public:
  FakePcsc();
  ~FakePcsc();
  FakePcsc(const FakePcsc&) = delete;
  FakePcsc& operator=(const FakePcsc&) = delete;

  const PcscApi& api() const { return api_; }

  // What happens in the world.
  void add_reader(const std::string& name);
  void remove_reader(const std::string& name);
  /// A reader comes just before the next wait for changes begins, which therefore does not see it coming.
  void add_reader_before_next_wait(const std::string& name);
  void insert(const std::string& name, Bytes atr);
  void pull(const std::string& name);
  void make_mute(const std::string& name);
  /// Another program resets the card.
  void reset_by_another(const std::string& name);
  /// Another program begins or ends a transaction.
  void hold(const std::string& name, bool held);
  /// Another program has the card for itself alone.
  void hold_exclusively(const std::string& name, bool held);
  void stop_service();
  void start_service();
  /// Calls that ask for readers hang until this is false.
  void hang(bool hanging);

  // How cards, readers and the service behave.
  /// Newer services count how often a reader came or went, and end a wait that knows another count.
  void count_readers();
  using Exchange = std::function<Bytes(ByteView command)>;
  void answer_by(Exchange exchange);
  /// Commands are not answered until this is false.
  void mute_exchanges(const std::string& name, bool mute);
  void fail_exchanges_with(LONG rv);
  void use_protocol(DWORD protocol);
  using Control = std::function<LONG(DWORD code, ByteView input, Bytes& output)>;
  void control_by(Control control);

  // What was done to it.
  std::size_t open_contexts();
  std::size_t open_handles();
  std::size_t connects();
  std::vector<std::string> commands();  ///< hexadecimal

  /// Waits until that holds, at most ten seconds.
  bool eventually(const std::function<bool()>& condition);

  /// As a channel to the card in that reader is told.
  InsertedCard card_in(const std::string& name);

 private:
  struct Slot {
    DWORD state = SCARD_STATE_EMPTY;
    Bytes atr;
    std::uint16_t events = 0;
    std::uint64_t resets = 0;
    SCARDHANDLE owner = 0;  // of the transaction
    bool held = false;
    bool exclusive = false;
    bool mute = false;
  };
  struct Handle {
    SCARDCONTEXT context;
    std::string reader;
    std::uint16_t events;
    std::uint64_t resets;
  };
  struct Calls;
  friend struct Calls;

  void put_reader(const std::string& name);
  bool knows_another_count(const SCARD_READERSTATE& asked) const;
  void fill(SCARD_READERSTATE& asked);
  LONG check(SCARDHANDLE handle);

  PcscApi api_{};
  std::mutex mutex_;
  std::condition_variable changed_;
  std::map<std::string, Slot> slots_;
  std::map<SCARDCONTEXT, bool> contexts_;  // whether cancelled
  std::map<SCARDHANDLE, Handle> handles_;
  long last_number_ = 0;
  int run_ = 1;
  std::uint64_t changes_ = 0;
  std::string reader_before_wait_;
  DWORD reader_events_ = 1;
  bool counting_ = false;
  bool running_ = true;
  bool hanging_ = false;
  bool closing_ = false;
  std::size_t inside_ = 0;
  std::size_t connects_ = 0;
  LONG exchange_failure_ = SCARD_S_SUCCESS;
  DWORD protocol_ = SCARD_PROTOCOL_T1;
  Exchange exchange_;
  Control control_;
  std::vector<std::string> commands_;
};

}  // namespace cardea::card
