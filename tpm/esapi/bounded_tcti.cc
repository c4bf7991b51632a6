#include "esapi/bounded_tcti.h"

#include <algorithm>

namespace cardea::tpm {
namespace {

constexpr std::chrono::seconds thread_rests_after{10};
constexpr std::size_t longest_answer = 4096;  // bytes, TPM2_MAX_RESPONSE_SIZE

/// Whether the command makes a key, which may take minutes.
bool makes_key(ByteView command) {
  constexpr std::size_t place = 6;  // behind tag and size (TPM 2.0 Library, part 1, 18.2)
  if (command.size() < place + 4) return false;
  std::uint32_t code = 0;
  for (const Byte byte : command.subspan(place, 4)) code = code << 8 | byte;
  return code == TPM2_CC_Create || code == TPM2_CC_CreatePrimary;
}

std::string silence_after(std::chrono::milliseconds limit) {
  const auto seconds = std::chrono::ceil<std::chrono::seconds>(limit).count();
  return "the TPM did not answer within " + std::to_string(seconds) + (seconds == 1 ? " second" : " seconds");
}

}  // namespace

/// Lives as long as a thread is in it.
struct BoundedTcti::Inner {
  explicit Inner(const Tss2Api& functions) : tss(functions) {}
  Inner(const Inner&) = delete;
  Inner& operator=(const Inner&) = delete;
  ~Inner() {
    if (tcti != nullptr) tss.Tss2_TctiLdr_Finalize(&tcti);
  }

  const Tss2Api& tss;
  TSS2_TCTI_CONTEXT* tcti = nullptr;
  TSS2_RC opened = TSS2_TCTI_RC_GENERAL_FAILURE;
};

/// A command and its answer, which may both hold secrets.
struct BoundedTcti::Exchange {
  std::shared_ptr<Inner> inner;
  SecretBytes command;
  std::chrono::milliseconds limit{};
  SecretBytes answer;
  TSS2_RC outcome = TSS2_TCTI_RC_GENERAL_FAILURE;

  void run() {
    outcome = Tss2_Tcti_Transmit(inner->tcti, command.size(), command.data());
    if (outcome != TSS2_RC_SUCCESS) return;
    answer = SecretBytes(longest_answer);
    std::size_t size = answer.size();
    outcome = Tss2_Tcti_Receive(inner->tcti, &size, answer.data(), TSS2_TCTI_TIMEOUT_BLOCK);
    answer.truncate(outcome == TSS2_RC_SUCCESS ? size : 0);
  }
};

Result<std::unique_ptr<BoundedTcti>> BoundedTcti::open(const Tss2Api& tss, const std::string& configuration,
                                                       const Patience& patience) {
  const auto inner = std::make_shared<Inner>(tss);
  std::unique_ptr<BoundedTcti> opened(new BoundedTcti(inner, patience));
  const Status ended =
      opened->worker_.run(BoundedWorker::Clock::now() + patience.usual,
                          [inner, configuration] {
                            inner->opened = inner->tss.Tss2_TctiLdr_Initialize(configuration.c_str(), &inner->tcti);
                          },
                          {});
  if (!ended && ended.code() == Code::timed_out) return error(Code::device_error, silence_after(patience.usual));
  CARDEA_TRY(ended);
  if (inner->opened != TSS2_RC_SUCCESS) {
    return error(Code::token_absent, "there is no TPM behind \"" + configuration + "\"");
  }
  return opened;
}

BoundedTcti::BoundedTcti(std::shared_ptr<Inner> inner, const Patience& patience)
    : inner_(std::move(inner)), patience_(patience), worker_(thread_rests_after, {}) {
  constexpr std::uint64_t magic = 0x6361726465612d31;
  outer_.owner = this;
  outer_.functions.magic = magic;
  outer_.functions.version = 1;
  outer_.functions.transmit = transmit;
  outer_.functions.receive = receive;
  outer_.functions.getPollHandles = poll_handles;
}

TSS2_RC BoundedTcti::transmit(TSS2_TCTI_CONTEXT* context, std::size_t size, const std::uint8_t* command) {
  BoundedTcti& self = of(context);
  if (!self.silence_.empty()) return TSS2_TCTI_RC_IO_ERROR;
  self.exchange_ = std::make_shared<Exchange>();
  self.exchange_->inner = self.inner_;
  self.exchange_->command = SecretBytes(ByteView(command, size));
  self.exchange_->limit = makes_key({command, size}) ? self.patience_.making : self.patience_.usual;
  return TSS2_RC_SUCCESS;
}

/// Who is not willing to wait has to wait all the same, as with the TCTI of swtpm; ESAPI's usual calls are.
TSS2_RC BoundedTcti::receive(TSS2_TCTI_CONTEXT* context, std::size_t* size, std::uint8_t* response, std::int32_t) {
  if (size == nullptr) return TSS2_TCTI_RC_BAD_REFERENCE;
  if (response == nullptr) {
    *size = longest_answer;
    return TSS2_RC_SUCCESS;
  }
  BoundedTcti& self = of(context);
  const std::shared_ptr<Exchange> exchange = std::exchange(self.exchange_, nullptr);
  if (!exchange) return TSS2_TCTI_RC_BAD_SEQUENCE;
  const Status ended =
      self.worker_.run(BoundedWorker::Clock::now() + exchange->limit, [exchange] { exchange->run(); }, {});
  if (ended) return self.answer(*exchange, size, response);
  if (ended.code() != Code::timed_out) return TSS2_TCTI_RC_MEMORY;
  self.silence_ = silence_after(exchange->limit);
  return TSS2_TCTI_RC_IO_ERROR;
}

TSS2_RC BoundedTcti::answer(const Exchange& exchange, std::size_t* size, std::uint8_t* response) const {
  if (exchange.outcome != TSS2_RC_SUCCESS) return exchange.outcome;
  if (exchange.answer.size() > *size) return TSS2_TCTI_RC_INSUFFICIENT_BUFFER;
  const ByteView bytes = exchange.answer.view();
  std::copy(bytes.begin(), bytes.end(), response);
  *size = bytes.size();
  return TSS2_RC_SUCCESS;
}

TSS2_RC BoundedTcti::poll_handles(TSS2_TCTI_CONTEXT* context, TSS2_TCTI_POLL_HANDLE* handles, std::size_t* count) {
  return Tss2_Tcti_GetPollHandles(of(context).inner_->tcti, handles, count);
}

}  // namespace cardea::tpm
