// A TCTI around another one that does not wait for ever: a TPM that has gone mute behind a socket counts as lost.
// Internal to this folder.
#pragma once

#include <memory>
#include <string>

#include "base/bounded_worker.h"
#include "esapi/tpm_connection.h"
#include "esapi/tss2_api.h"

namespace cardea::tpm {

/// Hands commands to the TCTI that it owns on a thread that may be left behind. tpm2-tss offers no other way that fits
/// all of them: those of swtpm and mssim heed no time limit and tell no descriptor to wait on, connecting may block as
/// well as reading, and 3.2's swtpm connects once more for each command. The kernel's driver has limits of its own, so
/// that nobody needs this around it.
class BoundedTcti {
 public:
  /// token_absent when there is no TPM; device_error when connecting takes longer than `patience.usual`.
  static Result<std::unique_ptr<BoundedTcti>> open(const Tss2Api& tss, const std::string& configuration,
                                                   const Patience& patience);
  BoundedTcti(const BoundedTcti&) = delete;
  BoundedTcti& operator=(const BoundedTcti&) = delete;

  /// For Esys_Initialize.
  TSS2_TCTI_CONTEXT* get() noexcept { return reinterpret_cast<TSS2_TCTI_CONTEXT*>(&outer_); }
  /// Nothing when all was answered in time; else what to tell people. Nothing works any more then.
  const std::string& silence() const noexcept { return silence_; }

 private:
  // C's idea of inheritance: the context begins with the functions (TSS 2.0 TCTI, 3.2).
  struct Outer {
    TSS2_TCTI_CONTEXT_COMMON_V1 functions;
    BoundedTcti* owner;
  };
  struct Inner;
  struct Exchange;

  BoundedTcti(std::shared_ptr<Inner> inner, const Patience& patience);
  static BoundedTcti& of(TSS2_TCTI_CONTEXT* context) noexcept { return *reinterpret_cast<Outer*>(context)->owner; }
  static TSS2_RC transmit(TSS2_TCTI_CONTEXT* context, std::size_t size, const std::uint8_t* command);
  static TSS2_RC receive(TSS2_TCTI_CONTEXT* context, std::size_t* size, std::uint8_t* response, std::int32_t timeout);
  static TSS2_RC poll_handles(TSS2_TCTI_CONTEXT* context, TSS2_TCTI_POLL_HANDLE* handles, std::size_t* count);
  TSS2_RC answer(const Exchange& exchange, std::size_t* size, std::uint8_t* response) const;

  const std::shared_ptr<Inner> inner_;
  const Patience patience_;
  std::shared_ptr<Exchange> exchange_;  // between transmit and receive
  std::string silence_;
  Outer outer_{};
  BoundedWorker worker_;
};

}  // namespace cardea::tpm
