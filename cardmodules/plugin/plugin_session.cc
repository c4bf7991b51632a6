#include "plugin/plugin_session.h"

#include <fmt/format.h>

#include <algorithm>
#include <cstring>
#include <mutex>

/// The host's side of one card, as plug-ins hold it.
struct cardea_plugin_connection {
  std::mutex busy;  // held while a command is under way
  cardea::card::CardTransaction* transaction =
      nullptr;  // guarded by busy; null outside a call, and once it was given up
  cardea::Bytes atr;
  cardea::BoundedWorker::Clock::time_point deadline;  // guarded by busy; of the present call
  std::string last_line;                              // guarded by busy
};

namespace cardea::card::plugin {
namespace {

constexpr std::size_t longest_line = 200;
constexpr std::size_t longest_command = 0x10000;
constexpr std::size_t longest_answer = 0x100000;
constexpr std::size_t guard_size = 16;
constexpr Byte guard_byte = 0xa5;
constexpr std::chrono::milliseconds idle{10'000};

cardea_plugin_status status_of(const Error& failure) {
  switch (failure.code) {
    case Code::device_removed:
    case Code::token_absent:
      return CARDEA_PLUGIN_CARD_REMOVED;
    case Code::timed_out:
      return CARDEA_PLUGIN_TIMED_OUT;
    default:
      return CARDEA_PLUGIN_CARD_ERROR;
  }
}

cardea_plugin_status deliver(ByteView bytes, std::uint8_t* out, std::size_t* size) {
  const std::size_t room = std::exchange(*size, bytes.size());
  if (bytes.size() > room) return CARDEA_PLUGIN_BUFFER_TOO_SMALL;
  std::copy(bytes.begin(), bytes.end(), out);
  return CARDEA_PLUGIN_OK;
}

// No longer than the call itself may still take, so that giving up a call never waits long for its command.
std::chrono::milliseconds patience_for(const cardea_plugin_command& command,
                                       BoundedWorker::Clock::time_point deadline) {
  const auto left = std::chrono::duration_cast<std::chrono::milliseconds>(deadline - BoundedWorker::Clock::now());
  const std::chrono::milliseconds wanted(command.patience_ms);
  return std::max(usual_patience, std::min(wanted, left));
}

cardea_plugin_status host_transmit(cardea_plugin_connection* connection, const cardea_plugin_command* command,
                                   std::uint8_t* answer, std::size_t* answer_size, std::uint16_t* status_word) {
  if (connection == nullptr || command == nullptr || answer_size == nullptr || status_word == nullptr ||
      (answer == nullptr && *answer_size != 0) || command->size < sizeof *command ||
      command->data_size > longest_command || (command->data == nullptr && command->data_size != 0)) {
    return CARDEA_PLUGIN_INVALID_ARGUMENT;
  }
  const std::lock_guard lock(connection->busy);
  if (connection->transaction == nullptr) return CARDEA_PLUGIN_CARD_REMOVED;
  const Result<Response> response =
      connection->transaction->transmit({.cla = command->cla,
                                         .ins = command->ins,
                                         .p1 = command->p1,
                                         .p2 = command->p2,
                                         .data = {command->data, command->data_size},
                                         .expects_data = command->expects_data != 0,
                                         .secret_data = (command->secrets & CARDEA_PLUGIN_SECRET_COMMAND) != 0,
                                         .secret_answer = (command->secrets & CARDEA_PLUGIN_SECRET_ANSWER) != 0,
                                         .patience = patience_for(*command, connection->deadline)});
  if (!response) return status_of(response.error());
  *status_word = response->status;
  return deliver(response->data, answer, answer_size);
}

cardea_plugin_status host_atr(cardea_plugin_connection* connection, std::uint8_t* atr, std::size_t* size) {
  if (connection == nullptr || size == nullptr || (atr == nullptr && *size != 0)) return CARDEA_PLUGIN_INVALID_ARGUMENT;
  return deliver(connection->atr, atr, size);
}

void host_log(cardea_plugin_connection* connection, std::int32_t level, const char* text) {
  if (connection == nullptr || text == nullptr || level > CARDEA_PLUGIN_LOG_ERROR) return;
  std::string line;
  for (; *text != '\0' && line.size() < longest_line; ++text) line.push_back(*text >= ' ' ? *text : ' ');
  const std::lock_guard lock(connection->busy);
  connection->last_line = std::move(line);
}

void host_wipe(void* memory, std::size_t size) {
  if (memory != nullptr) wipe({static_cast<Byte*>(memory), size});
}

constexpr cardea_plugin_host host{
    sizeof(cardea_plugin_host), CARDEA_PLUGIN_ABI_VERSION, host_transmit, host_atr, host_log, host_wipe};

Code code_of(cardea_plugin_status status) {
  switch (status) {
    case CARDEA_PLUGIN_NOT_SUPPORTED:
      return Code::function_not_supported;
    case CARDEA_PLUGIN_NOT_FOUND:
      return Code::not_found;
    case CARDEA_PLUGIN_EXISTS:
      return Code::exists;
    case CARDEA_PLUGIN_NO_SPACE:
      return Code::device_memory;
    case CARDEA_PLUGIN_INVALID_DATA:
      return Code::data_invalid;
    case CARDEA_PLUGIN_WRONG_LENGTH:
      return Code::data_length;
    case CARDEA_PLUGIN_NOT_AUTHENTICATED:
      return Code::user_not_logged_in;
    case CARDEA_PLUGIN_WRONG_PIN:
      return Code::pin_incorrect;
    case CARDEA_PLUGIN_PIN_BLOCKED:
      return Code::pin_locked;
    case CARDEA_PLUGIN_PIN_LENGTH:
      return Code::pin_length;
    case CARDEA_PLUGIN_WRONG_PADDING:
      return Code::encrypted_data_invalid;
    case CARDEA_PLUGIN_CANCELLED:
      return Code::function_rejected;
    case CARDEA_PLUGIN_TIMED_OUT:
      return Code::timed_out;
    case CARDEA_PLUGIN_CARD_REMOVED:
      return Code::device_removed;
    case CARDEA_PLUGIN_NO_MEMORY:
      return Code::host_memory;
    default:
      return Code::device_error;
  }
}

}  // namespace

struct Session {
  Session(Plugin taken, Bytes answer_to_reset) : plugin(std::move(taken)) {
    connection.atr = std::move(answer_to_reset);
  }

  Plugin plugin;
  cardea_plugin_connection connection;
  cardea_plugin_context* context = nullptr;  // touched on the worker's thread only
};

OutputBuffer::OutputBuffer(std::size_t capacity)
    : bytes_(capacity + guard_size, guard_byte), capacity_(capacity), size_(capacity) {}

Result<ByteView> OutputBuffer::written() const {
  const ByteView guard = ByteView(bytes_).subspan(capacity_);
  const bool intact = std::all_of(guard.begin(), guard.end(), [](Byte b) { return b == guard_byte; });
  if (size_ > capacity_ || !intact) return error(Code::device_error, "the card's plug-in wrote beyond its buffer");
  return ByteView(bytes_).first(size_);
}

PluginCaller::PluginCaller(Plugin plugin, Bytes atr, CallLimits limits)
    : session_(std::make_shared<Session>(std::move(plugin), std::move(atr))), limits_(limits), worker_(idle, [] {}) {}

PluginCaller::~PluginCaller() {
  if (dead_) return;
  const auto work = [session = session_] {
    if (session->context == nullptr) return;
    try {
      session->plugin.table.delete_context(std::exchange(session->context, nullptr));
    } catch (...) {
      // The context is the plug-in's; what it did not free is lost.
    }
  };
  (void)worker_.run(BoundedWorker::Clock::now() + limits_.usual, work, [] {});
}

const Plugin& PluginCaller::plugin() const noexcept {
  return session_->plugin;
}

Result<cardea_plugin_status> PluginCaller::run(CardTransaction& transaction, const Work& work,
                                               std::chrono::milliseconds limit) {
  if (dead_) return failure(CARDEA_PLUGIN_TIMED_OUT);
  const BoundedWorker::Clock::time_point deadline = BoundedWorker::Clock::now() + limit;
  {
    const std::lock_guard lock(session_->connection.busy);
    session_->connection.transaction = &transaction;
    session_->connection.last_line.clear();
    session_->connection.deadline = deadline;
  }
  const auto outcome = std::make_shared<cardea_plugin_status>(CARDEA_PLUGIN_INTERNAL);
  const auto guarded = [session = session_, work, outcome] {
    try {
      *outcome = work(session->plugin.table, session->context);
    } catch (...) {
      *outcome = CARDEA_PLUGIN_INTERNAL;
    }
  };
  Status ended = worker_.run(deadline, guarded, [] {});
  {
    // Waits for a command that is under way; none can begin after this.
    const std::lock_guard lock(session_->connection.busy);
    session_->connection.transaction = nullptr;
  }
  if (ended) return *outcome;
  if (ended.code() != Code::timed_out) return std::move(ended).error();
  dead_ = true;
  return failure(CARDEA_PLUGIN_TIMED_OUT);
}

Result<cardea_plugin_match> PluginCaller::acquire(CardTransaction& transaction) {
  const auto match = std::make_shared<cardea_plugin_match>(CARDEA_PLUGIN_MATCH_NONE);
  const Work work = [session = session_, match](const cardea_plugin& table, cardea_plugin_context*) {
    return table.acquire_context(&host, &session->connection, match.get(), &session->context);
  };
  CARDEA_TRY(call_for(transaction, limits_.usual, work));
  const bool matches = *match == CARDEA_PLUGIN_MATCH_POSSIBLE || *match == CARDEA_PLUGIN_MATCH_CERTAIN;
  if (!matches) return CARDEA_PLUGIN_MATCH_NONE;
  // Nobody runs on the worker's thread now, so the context may be looked at.
  if (session_->context == nullptr) return failure(CARDEA_PLUGIN_INTERNAL);
  return *match;
}

Status PluginCaller::call(CardTransaction& transaction, const Work& work,
                          const std::shared_ptr<std::int32_t>& attempts) {
  CARDEA_ASSIGN(const cardea_plugin_status status, run(transaction, work, limits_.usual));
  if (status == CARDEA_PLUGIN_OK) return {};
  return failure(status, attempts ? *attempts : -1);
}

Status PluginCaller::call_for(CardTransaction& transaction, std::chrono::milliseconds limit, const Work& work) {
  CARDEA_ASSIGN(const cardea_plugin_status status, run(transaction, work, limit));
  if (status == CARDEA_PLUGIN_OK) return {};
  return failure(status);
}

Result<SecretBytes> PluginCaller::fetch(CardTransaction& transaction, const Fetch& fetch, std::size_t first_size) {
  std::size_t capacity = first_size;
  for (int attempt = 0; attempt < 2; ++attempt) {
    const auto buffer = std::make_shared<OutputBuffer>(capacity);
    const Work work = [fetch, buffer](const cardea_plugin& table, cardea_plugin_context* context) {
      return fetch(table, context, buffer->data(), buffer->size());
    };
    CARDEA_ASSIGN(const cardea_plugin_status status, run(transaction, work, limits_.usual));
    if (status == CARDEA_PLUGIN_BUFFER_TOO_SMALL && buffer->claimed() > capacity &&
        buffer->claimed() <= longest_answer) {
      capacity = buffer->claimed();
      continue;
    }
    if (status != CARDEA_PLUGIN_OK) return failure(status);
    CARDEA_ASSIGN(const ByteView written, buffer->written());
    return SecretBytes(written);
  }
  return failure(CARDEA_PLUGIN_BUFFER_TOO_SMALL);
}

Error PluginCaller::failure(cardea_plugin_status status, std::int32_t attempts_left) const {
  std::string line;
  {
    const std::lock_guard lock(session_->connection.busy);
    line = session_->connection.last_line;
  }
  const std::string separator = line.empty() ? "" : ": ";
  Error made = error(code_of(status), fmt::format("plug-in {}{}{}", session_->plugin.name, separator, line));
  constexpr std::int32_t most_tries = 255;
  if (attempts_left >= 0 && attempts_left <= most_tries) made.retries_left = attempts_left;
  return made;
}

}  // namespace cardea::card::plugin
