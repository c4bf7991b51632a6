// The ESYS_CONTEXT with its TCTI, and small helpers around it. Internal to this folder.
#pragma once

#include <memory>
#include <string>

#include "esapi/response.h"
#include "esapi/tpm_connection.h"
#include "esapi/tss2_api.h"

namespace cardea::tpm {

/// Shared by a connection and what is loaded over it, so that flushing never meets a freed context.
class EsapiContext {
 public:
  static Result<std::shared_ptr<EsapiContext>> open(const std::string& tcti);
  EsapiContext(const EsapiContext&) = delete;
  EsapiContext& operator=(const EsapiContext&) = delete;
  ~EsapiContext();

  const Tss2Api& tss() const noexcept { return tss_; }
  ESYS_CONTEXT* get() const noexcept { return esys_; }
  bool lost() const noexcept { return lost_; }

  /// A call's answer as a Status; remembers when the connection is gone.
  Status checked(TSS2_RC response, SourcePlace where = SourcePlace::here());

  void flush(ESYS_TR handle) noexcept;
  /// Frees ESAPI's own record of a session that the TPM has ended by itself.
  void forget(ESYS_TR handle) noexcept;

 private:
  explicit EsapiContext(const Tss2Api& tss) : tss_(tss) {}
  const Tss2Api& tss_;
  TSS2_TCTI_CONTEXT* tcti_ = nullptr;
  ESYS_CONTEXT* esys_ = nullptr;
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

/// A session for one command whose parameters it encrypts: HMAC, or policy. `salt` is the storage key.
Result<Loaded> start_session(const std::shared_ptr<EsapiContext>& context, const Loaded& salt, TPM2_SE type,
                             TPMA_SESSION attributes);

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
