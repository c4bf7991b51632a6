// The C interface of PKCS#11 3.2 (OASIS Standard) in C++: types and entry points.
//
// We keep our own rendering because the header that p11-kit installs differs between the Debian releases we build on
// (2.40 there, 3.1 here), and because one table of names and values also serves traces and the command line.
// Structures of mechanism parameters are in parameters.h; names of constants come from constants.def.
#pragma once

using CK_BYTE = unsigned char;
using CK_CHAR = CK_BYTE;
using CK_UTF8CHAR = CK_BYTE;
using CK_BBOOL = CK_BYTE;
using CK_ULONG = unsigned long;
using CK_LONG = long;
using CK_FLAGS = CK_ULONG;
using CK_NOTIFICATION = CK_ULONG;
using CK_SLOT_ID = CK_ULONG;
using CK_SESSION_HANDLE = CK_ULONG;
using CK_USER_TYPE = CK_ULONG;
using CK_STATE = CK_ULONG;
using CK_OBJECT_HANDLE = CK_ULONG;
using CK_OBJECT_CLASS = CK_ULONG;
using CK_HW_FEATURE_TYPE = CK_ULONG;
using CK_KEY_TYPE = CK_ULONG;
using CK_CERTIFICATE_TYPE = CK_ULONG;
using CK_CERTIFICATE_CATEGORY = CK_ULONG;
using CK_ATTRIBUTE_TYPE = CK_ULONG;
using CK_MECHANISM_TYPE = CK_ULONG;
using CK_RV = CK_ULONG;
using CK_PROFILE_ID = CK_ULONG;
using CK_SESSION_VALIDATION_FLAGS_TYPE = CK_ULONG;
using CK_VALIDATION_TYPE = CK_ULONG;
using CK_ML_DSA_PARAMETER_SET_TYPE = CK_ULONG;
using CK_SLH_DSA_PARAMETER_SET_TYPE = CK_ULONG;
using CK_ML_KEM_PARAMETER_SET_TYPE = CK_ULONG;
using CK_TRUST = CK_ULONG;

using CK_VOID_PTR = void*;
using CK_VOID_PTR_PTR = CK_VOID_PTR*;
using CK_BYTE_PTR = CK_BYTE*;
using CK_CHAR_PTR = CK_CHAR*;
using CK_UTF8CHAR_PTR = CK_UTF8CHAR*;
using CK_ULONG_PTR = CK_ULONG*;
using CK_FLAGS_PTR = CK_FLAGS*;
using CK_SLOT_ID_PTR = CK_SLOT_ID*;
using CK_SESSION_HANDLE_PTR = CK_SESSION_HANDLE*;
using CK_OBJECT_HANDLE_PTR = CK_OBJECT_HANDLE*;
using CK_OBJECT_CLASS_PTR = CK_OBJECT_CLASS*;
using CK_MECHANISM_TYPE_PTR = CK_MECHANISM_TYPE*;

#define CARDEA_CK(prefix, name, value) inline constexpr CK_ULONG name = value;
#include "cryptoki/constants.def"
#undef CARDEA_CK

extern "C" {
using CK_NOTIFY = CK_RV (*)(CK_SESSION_HANDLE, CK_NOTIFICATION, CK_VOID_PTR);
using CK_CREATEMUTEX = CK_RV (*)(CK_VOID_PTR_PTR);
using CK_DESTROYMUTEX = CK_RV (*)(CK_VOID_PTR);
using CK_LOCKMUTEX = CK_RV (*)(CK_VOID_PTR);
using CK_UNLOCKMUTEX = CK_RV (*)(CK_VOID_PTR);
}

struct CK_VERSION {
  CK_BYTE major;
  CK_BYTE minor;
};

struct CK_INFO {
  CK_VERSION cryptokiVersion;
  CK_UTF8CHAR manufacturerID[32];
  CK_FLAGS flags;
  CK_UTF8CHAR libraryDescription[32];
  CK_VERSION libraryVersion;
};

struct CK_SLOT_INFO {
  CK_UTF8CHAR slotDescription[64];
  CK_UTF8CHAR manufacturerID[32];
  CK_FLAGS flags;
  CK_VERSION hardwareVersion;
  CK_VERSION firmwareVersion;
};

struct CK_TOKEN_INFO {
  CK_UTF8CHAR label[32];
  CK_UTF8CHAR manufacturerID[32];
  CK_UTF8CHAR model[16];
  CK_CHAR serialNumber[16];
  CK_FLAGS flags;
  CK_ULONG ulMaxSessionCount;
  CK_ULONG ulSessionCount;
  CK_ULONG ulMaxRwSessionCount;
  CK_ULONG ulRwSessionCount;
  CK_ULONG ulMaxPinLen;
  CK_ULONG ulMinPinLen;
  CK_ULONG ulTotalPublicMemory;
  CK_ULONG ulFreePublicMemory;
  CK_ULONG ulTotalPrivateMemory;
  CK_ULONG ulFreePrivateMemory;
  CK_VERSION hardwareVersion;
  CK_VERSION firmwareVersion;
  CK_CHAR utcTime[16];
};

struct CK_SESSION_INFO {
  CK_SLOT_ID slotID;
  CK_STATE state;
  CK_FLAGS flags;
  CK_ULONG ulDeviceError;
};

struct CK_ATTRIBUTE {
  CK_ATTRIBUTE_TYPE type;
  CK_VOID_PTR pValue;
  CK_ULONG ulValueLen;
};

struct CK_DATE {
  CK_CHAR year[4];
  CK_CHAR month[2];
  CK_CHAR day[2];
};

struct CK_MECHANISM {
  CK_MECHANISM_TYPE mechanism;
  CK_VOID_PTR pParameter;
  CK_ULONG ulParameterLen;
};

struct CK_MECHANISM_INFO {
  CK_ULONG ulMinKeySize;
  CK_ULONG ulMaxKeySize;
  CK_FLAGS flags;
};

struct CK_INTERFACE {
  CK_UTF8CHAR_PTR pInterfaceName;
  CK_VOID_PTR pFunctionList;
  CK_FLAGS flags;
};

struct CK_C_INITIALIZE_ARGS {
  CK_CREATEMUTEX CreateMutex;
  CK_DESTROYMUTEX DestroyMutex;
  CK_LOCKMUTEX LockMutex;
  CK_UNLOCKMUTEX UnlockMutex;
  CK_FLAGS flags;
  CK_VOID_PTR pReserved;
};

struct CK_ASYNC_DATA {
  CK_ULONG ulVersion;
  CK_BYTE_PTR pValue;
  CK_ULONG ulValue;
  CK_OBJECT_HANDLE hObject;
  CK_OBJECT_HANDLE hAdditionalObject;
};

using CK_VERSION_PTR = CK_VERSION*;
using CK_INFO_PTR = CK_INFO*;
using CK_SLOT_INFO_PTR = CK_SLOT_INFO*;
using CK_TOKEN_INFO_PTR = CK_TOKEN_INFO*;
using CK_SESSION_INFO_PTR = CK_SESSION_INFO*;
using CK_ATTRIBUTE_PTR = CK_ATTRIBUTE*;
using CK_DATE_PTR = CK_DATE*;
using CK_MECHANISM_PTR = CK_MECHANISM*;
using CK_MECHANISM_INFO_PTR = CK_MECHANISM_INFO*;
using CK_INTERFACE_PTR = CK_INTERFACE*;
using CK_C_INITIALIZE_ARGS_PTR = CK_C_INITIALIZE_ARGS*;
using CK_ASYNC_DATA_PTR = CK_ASYNC_DATA*;
using CK_INTERFACE_PTR_PTR = CK_INTERFACE_PTR*;

struct CK_FUNCTION_LIST;
struct CK_FUNCTION_LIST_3_0;
struct CK_FUNCTION_LIST_3_2;
using CK_FUNCTION_LIST_PTR = CK_FUNCTION_LIST*;
using CK_FUNCTION_LIST_PTR_PTR = CK_FUNCTION_LIST_PTR*;
using CK_FUNCTION_LIST_3_0_PTR = CK_FUNCTION_LIST_3_0*;
using CK_FUNCTION_LIST_3_2_PTR = CK_FUNCTION_LIST_3_2*;

// The entry points themselves; a module exports exactly these.
#define CARDEA_FUNCTION(since, name, parameters, arguments) extern "C" CK_RV name parameters;
#include "cryptoki/functions.def"
#undef CARDEA_FUNCTION

// The three function lists grow by appending: each version's list begins with the one before it.
#define CARDEA_FUNCTION(since, name, parameters, arguments) decltype(&::name) name;
#define CARDEA_FUNCTION_LIST_2_40 1
struct CK_FUNCTION_LIST {
  CK_VERSION version;
#include "cryptoki/functions.def"
};
#define CARDEA_FUNCTION_LIST_3_0 1
struct CK_FUNCTION_LIST_3_0 {
  CK_VERSION version;
#include "cryptoki/functions.def"
};
#define CARDEA_FUNCTION_LIST_3_2 1
struct CK_FUNCTION_LIST_3_2 {
  CK_VERSION version;
#include "cryptoki/functions.def"
};
#undef CARDEA_FUNCTION_LIST_2_40
#undef CARDEA_FUNCTION_LIST_3_0
#undef CARDEA_FUNCTION_LIST_3_2
#undef CARDEA_FUNCTION
