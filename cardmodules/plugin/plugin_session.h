// One card in the hands of a plug-in: what the plug-in may call, and how it is called so that it cannot hold us.
#pragma once

#include <atomic>
#include <chrono>
#include <functional>
#include <memory>

#include "base/bounded_worker.h"
#include "pcsc/card_transaction.h"
#include "plugin/loader.h"

namespace cardea::card::plugin {

/// How long a plug-in may take.
struct CallLimits {
  std::chrono::milliseconds usual{5'000};
  std::chrono::milliseconds key_generation{120'000};
};

/// What both sides share. A call that never ends keeps it alive.
struct Session;
using SessionPtr = std::shared_ptr<Session>;

/// An output buffer as a plug-in gets it. Behind its end stand bytes that must stay as they are; all is wiped.
class OutputBuffer {
 public:
  explicit OutputBuffer(std::size_t capacity);
  ~OutputBuffer() { wipe(bytes_); }
  OutputBuffer(const OutputBuffer&) = delete;
  OutputBuffer& operator=(const OutputBuffer&) = delete;

  std::uint8_t* data() noexcept { return bytes_.data(); }
  std::size_t* size() noexcept { return &size_; }
  std::size_t claimed() const noexcept { return size_; }
  /// What was written. device_error when the plug-in claims or wrote more than there is room.
  Result<ByteView> written() const;

 private:
  Bytes bytes_;
  std::size_t capacity_;
  std::size_t size_;
};
using OutputBufferPtr = std::shared_ptr<OutputBuffer>;

/// Calls a plug-in on a thread of its own. After a call that took too long the card is dead to it.
class PluginCaller {
 public:
  PluginCaller(Plugin plugin, Bytes atr, CallLimits limits);
  /// Deletes the context, unless a call hangs.
  ~PluginCaller();
  PluginCaller(const PluginCaller&) = delete;
  PluginCaller& operator=(const PluginCaller&) = delete;

  const Plugin& plugin() const noexcept;
  const CallLimits& limits() const noexcept { return limits_; }

  /// What a call does with the table and the context. It must own all that it touches, since it may outlive this
  /// object.
  using Work = std::function<cardea_plugin_status(const cardea_plugin& table, cardea_plugin_context* context)>;

  /// Lets the plug-in recognise the card.
  Result<cardea_plugin_match> acquire(CardTransaction& transaction);
  /// Runs a call; the plug-in's status, INTERNAL for an exception. timed_out, and from then on always.
  Result<cardea_plugin_status> run(CardTransaction& transaction, const Work& work, std::chrono::milliseconds limit);
  /// The same, where only OK is of use. `attempts` is what the call wrote there, if it has such.
  Status call(CardTransaction& transaction, const Work& work, const std::shared_ptr<std::int32_t>& attempts = {});
  Status call_for(CardTransaction& transaction, std::chrono::milliseconds limit, const Work& work);
  /// A call with an output buffer, repeated once with a larger one. The answer is wiped when it goes.
  using Fetch = std::function<cardea_plugin_status(const cardea_plugin& table, cardea_plugin_context* context,
                                                   std::uint8_t* out, std::size_t* size)>;
  Result<SecretBytes> fetch(CardTransaction& transaction, const Fetch& fetch, std::size_t first_size);

  /// A plug-in's status as an error, with the last line that it logged.
  Error failure(cardea_plugin_status status, std::int32_t attempts_left = -1) const;

 private:
  SessionPtr session_;
  CallLimits limits_;
  BoundedWorker worker_;
  bool dead_ = false;
};

}  // namespace cardea::card::plugin
