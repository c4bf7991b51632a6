#include "esapi/esapi_context.h"

#include <fcntl.h>
#include <unistd.h>

#include <cerrno>
#include <string_view>

namespace cardea::tpm {
namespace {

constexpr std::string_view device_prefix = "device:";

/// Asked before tpm2-tss is, which would complain in its own way.
Status check_device(std::string_view tcti) {
  if (!tcti.starts_with(device_prefix)) return {};
  const std::string path(tcti.substr(device_prefix.size()));
  if (access(path.c_str(), R_OK | W_OK) == 0) return {};
  if (errno == EACCES) {
    return error(Code::permission_denied, path + " is not for this user; membership of the group tss gives access");
  }
  return error(Code::token_absent, "there is no TPM at " + path);
}

/// A program that the host starts must not keep our connection alive, and with it what we have loaded.
void close_on_exec(const Tss2Api& tss, ESYS_CONTEXT* esys) {
  TSS2_TCTI_POLL_HANDLE* handles = nullptr;
  std::size_t count = 0;
  if (tss.Esys_GetPollHandles(esys, &handles, &count) != TSS2_RC_SUCCESS) return;
  const EsysPtr<TSS2_TCTI_POLL_HANDLE> owner(handles, EsysFree(tss));
  for (std::size_t i = 0; i < count; ++i) fcntl(handles[i].fd, F_SETFD, FD_CLOEXEC);
}

}  // namespace

Result<std::shared_ptr<EsapiContext>> EsapiContext::open(const std::string& tcti, const Patience& patience) {
  CARDEA_TRY(check_device(tcti));
  CARDEA_ASSIGN(const Tss2Api* const tss, tss2_api());
  std::shared_ptr<EsapiContext> context(new EsapiContext(*tss));
  if (!tcti.starts_with(device_prefix)) {
    CARDEA_ASSIGN(context->bounded_, BoundedTcti::open(*tss, tcti, patience));
  } else if (tss->Tss2_TctiLdr_Initialize(tcti.c_str(), &context->tcti_) != TSS2_RC_SUCCESS) {
    return error(Code::token_absent, "there is no TPM behind \"" + tcti + "\"");
  }
  TSS2_TCTI_CONTEXT* const way = context->bounded_ ? context->bounded_->get() : context->tcti_;
  // Null: any version of the interface; ours are the functions of its first.
  CARDEA_TRY(context->checked(tss->Esys_Initialize(&context->esys_, way, nullptr)));
  CARDEA_TRY(context->checked(tss->Esys_GetSysContext(context->esys_, &context->sys_)));
  close_on_exec(*tss, context->esys_);
  return context;
}

EsapiContext::~EsapiContext() {
  if (esys_ != nullptr) tss_.Esys_Finalize(&esys_);
  if (tcti_ != nullptr) tss_.Tss2_TctiLdr_Finalize(&tcti_);
}

Status EsapiContext::checked(TSS2_RC response, SourcePlace where) {
  if (response == TSS2_RC_SUCCESS) return {};
  if (mute()) {
    lost_ = true;
    return error(Code::device_error, bounded_->silence(), where);
  }
  Error failure = response_error(response, where);
  if (failure.code == Code::device_removed) lost_ = true;
  return failure;
}

void EsapiContext::flush(ESYS_TR handle) noexcept {
  if (lost_) return;
  // What cannot be flushed is not there any more; whether the connection still is, the next command tells.
  static_cast<void>(tss_.Esys_FlushContext(esys_, handle));
}

Result<TPM2_HANDLE> EsapiContext::tpm_handle(const Loaded& object) {
  TPM2_HANDLE handle = 0;
  CARDEA_TRY(checked(tss_.Esys_TR_GetTpmHandle(esys_, object.handle(), &handle)));
  return handle;
}

Result<Bytes> EsapiContext::name(const Loaded& object) {
  TPM2B_NAME* name = nullptr;
  CARDEA_TRY(checked(tss_.Esys_TR_GetName(esys_, object.handle(), &name)));
  const EsysPtr<TPM2B_NAME> owner(name, EsysFree(tss_));
  return Bytes(name->name, name->name + name->size);
}

Loaded::Loaded(Loaded&& other) noexcept
    : context_(std::move(other.context_)),
      handle_(std::exchange(other.handle_, ESYS_TR_NONE)),
      auth_(std::move(other.auth_)),
      point_(std::move(other.point_)) {}

Loaded& Loaded::operator=(Loaded&& other) noexcept {
  if (this != &other) {
    flush();
    context_ = std::move(other.context_);
    handle_ = std::exchange(other.handle_, ESYS_TR_NONE);
    auth_ = std::move(other.auth_);
    point_ = std::move(other.point_);
  }
  return *this;
}

Loaded::~Loaded() {
  flush();
}

void Loaded::flush() noexcept {
  if (context_ == nullptr) return;
  context_->flush(handle_);
  context_.reset();
}

Result<Bytes> marshal(const Tss2Api& tss, const TPM2B_PUBLIC& area) {
  Bytes bytes(sizeof(area));
  std::size_t used = 0;
  if (tss.Tss2_MU_TPM2B_PUBLIC_Marshal(&area, bytes.data(), bytes.size(), &used) != TSS2_RC_SUCCESS) {
    return error(Code::internal, "a public area cannot be written");
  }
  bytes.resize(used);
  return bytes;
}

Result<TPM2B_PUBLIC> unmarshal(const Tss2Api& tss, ByteView bytes) {
  TPM2B_PUBLIC area{};
  std::size_t used = 0;
  if (tss.Tss2_MU_TPM2B_PUBLIC_Unmarshal(bytes.data(), bytes.size(), &used, &area) != TSS2_RC_SUCCESS ||
      used != bytes.size()) {
    return error(Code::store_corrupt, "a public area of the TPM's is damaged");
  }
  return area;
}

TPM2_ECC_CURVE curve_number(crypto::KeyAlgorithm curve) noexcept {
  switch (curve) {
    case crypto::KeyAlgorithm::p256:
      return TPM2_ECC_NIST_P256;
    case crypto::KeyAlgorithm::p384:
      return TPM2_ECC_NIST_P384;
    case crypto::KeyAlgorithm::p521:
      return TPM2_ECC_NIST_P521;
    default:
      return TPM2_ECC_NONE;
  }
}

}  // namespace cardea::tpm
