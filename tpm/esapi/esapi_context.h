// The ESYS_CONTEXT with its TCTI, and small helpers around it. Internal to this folder.
#pragma once

#include <memory>
#include <string>

#include "esapi/bounded_tcti.h"
#include "esapi/response.h"
#include "esapi/tpm_connection.h"
#include "esapi/tss2_api.h"

namespace cardea::tpm {

/// Shared by a connection and what is loaded over it, so that flushing never meets a freed context.
class EsapiContext {
 public:
  static Result<std::shared_ptr<EsapiContext>> open(const std::string& tcti, const Patience& patience);
  EsapiContext(const EsapiContext&) = delete;
  EsapiContext& operator=(const EsapiContext&) = delete;
  ~EsapiContext();

  const Tss2Api& tss() const noexcept { return tss_; }
  ESYS_CONTEXT* get() const noexcept { return esys_; }
  bool lost() const noexcept { return lost_; }
  /// Lost because an answer did not come in time.
  bool mute() const noexcept { return bounded_ && !bounded_->silence().empty(); }

  /// The context one layer below, for commands that ESAPI cannot do for us (authorised.h).
  TSS2_SYS_CONTEXT* sys() const noexcept { return sys_; }
  /// What the TPM calls an object.
  Result<TPM2_HANDLE> tpm_handle(const Loaded& object);
  Result<Bytes> name(const Loaded& object);

  /// A call's answer as a Status; remembers when the connection is gone.
  Status checked(TSS2_RC response, SourcePlace where = SourcePlace::here());

  /// Runs a command once more for as long as the TPM wants to be asked again, a few times at most. ESAPI does that for
  /// its own commands.
  template <class Command>
  Status retried(Command&& command) {
    constexpr int most_tries = 5;
    for (int tried = 1;; ++tried) {
      Status done = command();
      if (done || done.code() != Code::timed_out || tried == most_tries) return done;
    }
  }

  void flush(ESYS_TR handle) noexcept;

 private:
  explicit EsapiContext(const Tss2Api& tss) : tss_(tss) {}
  const Tss2Api& tss_;
  TSS2_TCTI_CONTEXT* tcti_ = nullptr;     // of the kernel's device
  std::unique_ptr<BoundedTcti> bounded_;  // of anything else
  ESYS_CONTEXT* esys_ = nullptr;
  TSS2_SYS_CONTEXT* sys_ = nullptr;
  bool lost_ = false;
};

/// Frees what ESAPI allocated.
class EsysFree {
 public:
  EsysFree() = default;
  explicit EsysFree(const Tss2Api& tss) : free_(tss.Esys_Free) {}
  void operator()(void* memory) const noexcept { free_(memory); }

 private:
  decltype(&::Esys_Free) free_ = nullptr;
};
template <class T>
using EsysPtr = std::unique_ptr<T, EsysFree>;

/// Copies into one of the TPM's sized buffers; data_length when it does not fit.
template <class Sized>
Status fill_buffer(Sized& sized, ByteView bytes) {
  if (bytes.size() > sizeof(sized.buffer)) return Code::data_length;
  sized.size = static_cast<UINT16>(bytes.size());
  std::copy(bytes.begin(), bytes.end(), sized.buffer);
  return {};
}

template <class Sized>
ByteView view_of_buffer(const Sized& sized) {
  return {sized.buffer, sized.size};
}

/// TPM2B_PUBLIC as bytes and back. internal; store_corrupt.
Result<Bytes> marshal(const Tss2Api& tss, const TPM2B_PUBLIC& area);
Result<TPM2B_PUBLIC> unmarshal(const Tss2Api& tss, ByteView bytes);

/// The TPM's number of a curve.
TPM2_ECC_CURVE curve_number(crypto::KeyAlgorithm curve) noexcept;

}  // namespace cardea::tpm
