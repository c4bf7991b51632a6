// The functions of tpm2-tss that we use, found in its libraries at run time: a process that has no virtual card to
// serve loads none of them. Internal to this folder.
#pragma once

#include <tss2/tss2_esys.h>
#include <tss2/tss2_mu.h>
#include <tss2/tss2_sys.h>
#include <tss2/tss2_tctildr.h>

#include "base/result.h"

namespace cardea::tpm {

// F(member of Tss2Api that is the library's handle, function)
#define CARDEA_TSS2_FUNCTIONS(F)                \
  F(loader, Tss2_TctiLdr_Initialize)            \
  F(loader, Tss2_TctiLdr_Finalize)              \
  F(marshal, Tss2_MU_TPM2B_PUBLIC_Marshal)      \
  F(marshal, Tss2_MU_TPM2B_PUBLIC_Unmarshal)    \
  F(marshal, Tss2_MU_TPMT_SIGNATURE_Marshal)    \
  F(sapi, Tss2_Sys_GetCpBuffer)                 \
  F(sapi, Tss2_Sys_SetCmdAuths)                 \
  F(sapi, Tss2_Sys_Execute)                     \
  F(sapi, Tss2_Sys_GetRspAuths)                 \
  F(sapi, Tss2_Sys_GetRpBuffer)                 \
  F(sapi, Tss2_Sys_GetDecryptParam)             \
  F(sapi, Tss2_Sys_SetDecryptParam)             \
  F(sapi, Tss2_Sys_GetEncryptParam)             \
  F(sapi, Tss2_Sys_SetEncryptParam)             \
  F(sapi, Tss2_Sys_StartAuthSession)            \
  F(sapi, Tss2_Sys_FlushContext)                \
  F(sapi, Tss2_Sys_PolicySigned)                \
  F(sapi, Tss2_Sys_Create_Prepare)              \
  F(sapi, Tss2_Sys_Create_Complete)             \
  F(sapi, Tss2_Sys_PolicySecret)                \
  F(sapi, Tss2_Sys_Certify_Prepare)             \
  F(sapi, Tss2_Sys_Certify_Complete)            \
  F(sapi, Tss2_Sys_ActivateCredential_Prepare)  \
  F(sapi, Tss2_Sys_ActivateCredential_Complete) \
  F(sapi, Tss2_Sys_ObjectChangeAuth_Prepare)    \
  F(sapi, Tss2_Sys_ObjectChangeAuth_Complete)   \
  F(sapi, Tss2_Sys_Import_Prepare)              \
  F(sapi, Tss2_Sys_Import_Complete)             \
  F(sapi, Tss2_Sys_Unseal_Prepare)              \
  F(sapi, Tss2_Sys_Unseal_Complete)             \
  F(sapi, Tss2_Sys_Sign_Prepare)                \
  F(sapi, Tss2_Sys_Sign_Complete)               \
  F(sapi, Tss2_Sys_RSA_Decrypt_Prepare)         \
  F(sapi, Tss2_Sys_RSA_Decrypt_Complete)        \
  F(sapi, Tss2_Sys_ECDH_ZGen_Prepare)           \
  F(sapi, Tss2_Sys_ECDH_ZGen_Complete)          \
  F(esys, Esys_GetSysContext)                   \
  F(esys, Esys_TR_GetTpmHandle)                 \
  F(esys, Esys_Initialize)                      \
  F(esys, Esys_Finalize)                        \
  F(esys, Esys_Free)                            \
  F(esys, Esys_GetPollHandles)                  \
  F(esys, Esys_TR_SetAuth)                      \
  F(esys, Esys_TR_FromTPMPublic)                \
  F(esys, Esys_TR_Close)                        \
  F(esys, Esys_NV_ReadPublic)                   \
  F(esys, Esys_NV_Read)                         \
  F(esys, Esys_TR_GetName)                      \
  F(esys, Esys_FlushContext)                    \
  F(esys, Esys_GetCapability)                   \
  F(esys, Esys_TestParms)                       \
  F(esys, Esys_GetRandom)                       \
  F(esys, Esys_CreatePrimary)                   \
  F(esys, Esys_Load)                            \
  F(esys, Esys_LoadExternal)                    \
  F(esys, Esys_DictionaryAttackLockReset)       \
  F(esys, Esys_ECDH_ZGen)

/// Callable as tss.Esys_Sign(…) is in C.
struct Tss2Api {
#define CARDEA_TSS2_MEMBER(library, function) decltype(&::function) function = nullptr;
  CARDEA_TSS2_FUNCTIONS(CARDEA_TSS2_MEMBER)
#undef CARDEA_TSS2_MEMBER
};

/// The libraries, loaded on first use and kept until the process ends. token_absent when they are not installed.
/// They are kept from writing to stderr (esapi/quiet_tss2.h).
Result<const Tss2Api*> tss2_api();

}  // namespace cardea::tpm
