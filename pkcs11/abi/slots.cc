// PKCS#11 3.2, 5.4 and 5.5: general purpose, slot and token management.
#include <algorithm>
#include <array>

#include "abi/functions.h"
#include "abi/text_field.h"
#include "session/built_in_objects.h"
#include "session/output_buffer.h"
#include "session/provider.h"

namespace cardea::abi {
namespace {

constexpr std::string_view manufacturer = "Cardea project";
constexpr CK_VERSION library_version{CARDEA_VERSION_MAJOR, CARDEA_VERSION_MINOR};

/// Fills a caller's array by the convention of 5.2.
template <class T>
Status fill(const std::vector<T>& values, T* out, CK_ULONG_PTR count) {
  if (count == nullptr) return Code::arguments_bad;
  const CK_ULONG room = *count;
  *count = values.size();
  if (out == nullptr) return {};
  if (room < values.size()) return Code::buffer_too_small;
  std::copy(values.begin(), values.end(), out);
  return {};
}

bool token_present(const Slot& slot) {
  return slot.source()->occupant() != 0;
}

/// The flags of one PIN: set up, tries used, last try, locked (PKCS#11 3.2, table 6).
struct PinFlags {
  CK_FLAGS count_low;
  CK_FLAGS final_try;
  CK_FLAGS locked;
  CK_FLAGS to_be_changed;
};

CK_FLAGS pin_flags(const PinState& pin, const PinFlags& flags) {
  CK_FLAGS result = 0;
  if (pin.locked) result |= flags.locked;
  if (pin.to_be_changed) result |= flags.to_be_changed;
  if (pin.retries_left && !pin.locked) {
    if (pin.retry_limit > 0 && *pin.retries_left < pin.retry_limit) result |= flags.count_low;
    if (*pin.retries_left == 1) result |= flags.final_try;
  }
  return result;
}

CK_FLAGS token_flags(const TokenDescription& token) {
  CK_FLAGS flags = CKF_RNG | CKF_DUAL_CRYPTO_OPERATIONS | CKF_RESTORE_KEY_NOT_NEEDED | CKF_CLOCK_ON_TOKEN;
  if (token.login_required) flags |= CKF_LOGIN_REQUIRED;
  if (token.initialized) flags |= CKF_TOKEN_INITIALIZED;
  if (token.user_pin.initialized) flags |= CKF_USER_PIN_INITIALIZED;
  if (token.write_protected) flags |= CKF_WRITE_PROTECTED;
  if (token.protected_authentication_path) flags |= CKF_PROTECTED_AUTHENTICATION_PATH;
  flags |= pin_flags(token.user_pin,
                     {CKF_USER_PIN_COUNT_LOW, CKF_USER_PIN_FINAL_TRY, CKF_USER_PIN_LOCKED, CKF_USER_PIN_TO_BE_CHANGED});
  flags |= pin_flags(token.so_pin,
                     {CKF_SO_PIN_COUNT_LOW, CKF_SO_PIN_FINAL_TRY, CKF_SO_PIN_LOCKED, CKF_SO_PIN_TO_BE_CHANGED});
  return flags;
}

/// Every mechanism that signs or verifies does so message by message too, but for GMAC, whose IV serves one message.
CK_MECHANISM_INFO shown_info(Token& token, const Mechanism& mechanism) {
  CK_MECHANISM_INFO info = offered(token, mechanism);
  if (mechanism.type() == CKM_AES_GMAC) return info;
  if ((info.flags & CKF_SIGN) != 0) info.flags |= CKF_MESSAGE_SIGN;
  if ((info.flags & CKF_VERIFY) != 0) info.flags |= CKF_MESSAGE_VERIFY;
  return info;
}

}  // namespace

Status C_GetInfo(CK_INFO_PTR info) {
  if (!provider().started()) return Code::not_initialized;
  if (info == nullptr) return Code::arguments_bad;
  *info = CK_INFO{};
  info->cryptokiVersion = {3, 2};
  set_text(info->manufacturerID, manufacturer);
  set_text(info->libraryDescription, "Cardea token middleware");
  info->libraryVersion = library_version;
  return {};
}

Status C_GetSlotList(CK_BBOOL present_only, CK_SLOT_ID_PTR slot_list, CK_ULONG_PTR count) {
  CARDEA_ASSIGN(const std::vector<SlotPtr> slots, provider().slots(slot_list == nullptr));
  std::vector<CK_SLOT_ID> ids;
  for (const SlotPtr& slot : slots) {
    if (present_only == CK_FALSE || token_present(*slot)) ids.push_back(slot->id());
  }
  return fill(ids, slot_list, count);
}

Status C_GetSlotInfo(CK_SLOT_ID slot_id, CK_SLOT_INFO_PTR info) {
  CARDEA_ASSIGN(const SlotPtr slot, provider().slot(slot_id));
  if (info == nullptr) return Code::arguments_bad;
  const SlotDescription description = slot->source()->describe();
  *info = CK_SLOT_INFO{};
  set_text(info->slotDescription, description.description);
  set_text(info->manufacturerID, description.manufacturer);
  if (token_present(*slot)) info->flags |= CKF_TOKEN_PRESENT;
  if (description.removable) info->flags |= CKF_REMOVABLE_DEVICE;
  if (description.hardware) info->flags |= CKF_HW_SLOT;
  info->hardwareVersion = info->firmwareVersion = library_version;
  return {};
}

Status C_GetTokenInfo(CK_SLOT_ID slot_id, CK_TOKEN_INFO_PTR info) {
  CARDEA_ASSIGN(const SlotPtr slot, provider().slot(slot_id));
  if (info == nullptr) return Code::arguments_bad;
  CARDEA_ASSIGN(const TokenPtr token, slot->token());
  const TokenDescription description = token->describe();
  const Slot::SessionCounts sessions = slot->session_counts();
  *info = CK_TOKEN_INFO{};
  set_text(info->label, description.label);
  set_text(info->manufacturerID, description.manufacturer);
  set_text(info->model, description.model);
  set_text(info->serialNumber, description.serial);
  info->flags = token_flags(description);
  info->ulMaxSessionCount = info->ulMaxRwSessionCount = CK_EFFECTIVELY_INFINITE;
  info->ulSessionCount = sessions.total;
  info->ulRwSessionCount = sessions.read_write;
  info->ulMinPinLen = description.min_pin_length;
  info->ulMaxPinLen = description.max_pin_length;
  info->ulTotalPublicMemory = info->ulFreePublicMemory = CK_UNAVAILABLE_INFORMATION;
  info->ulTotalPrivateMemory = info->ulFreePrivateMemory = CK_UNAVAILABLE_INFORMATION;
  info->hardwareVersion = info->firmwareVersion = library_version;
  set_text(info->utcTime, utc_time());
  return {};
}

Status C_GetMechanismList(CK_SLOT_ID slot_id, CK_MECHANISM_TYPE_PTR mechanism_list, CK_ULONG_PTR count) {
  CARDEA_ASSIGN(const SlotPtr slot, provider().slot(slot_id));
  CARDEA_ASSIGN(const TokenPtr token, slot->token());
  std::vector<CK_MECHANISM_TYPE> types;
  for (const Mechanism* const mechanism : mechanisms().all()) {
    if (offered(*token, *mechanism).flags != 0) types.push_back(mechanism->type());
  }
  return fill(types, mechanism_list, count);
}

Status C_GetMechanismInfo(CK_SLOT_ID slot_id, CK_MECHANISM_TYPE type, CK_MECHANISM_INFO_PTR info) {
  CARDEA_ASSIGN(const SlotPtr slot, provider().slot(slot_id));
  if (info == nullptr) return Code::arguments_bad;
  CARDEA_ASSIGN(const TokenPtr token, slot->token());
  const Mechanism* const mechanism = mechanisms().find(type);
  if (mechanism == nullptr) return Code::mechanism_invalid;
  const CK_MECHANISM_INFO shown = shown_info(*token, *mechanism);
  if (shown.flags == 0) return Code::mechanism_invalid;
  *info = shown;
  return {};
}

Status C_InitToken(CK_SLOT_ID slot_id, CK_UTF8CHAR_PTR pin, CK_ULONG pin_len, CK_UTF8CHAR_PTR label) {
  CARDEA_ASSIGN(const SlotPtr slot, provider().slot(slot_id));
  CARDEA_ASSIGN(const ByteView so_pin, input_bytes(pin, pin_len));
  if (label == nullptr) return Code::arguments_bad;
  if (slot->session_counts().total != 0) return Code::session_exists;
  CARDEA_ASSIGN(const TokenPtr token, slot->token());
  TokenInitializer* const initializer = token->initializer();
  if (initializer == nullptr) return Code::token_write_protected;
  constexpr std::size_t label_width = 32;
  std::string_view text(reinterpret_cast<const char*>(label), label_width);
  text = text.substr(0, text.find_last_not_of(' ') + 1);
  return initializer->initialize(Pin(so_pin), text);
}

Status C_InitPIN(CK_SESSION_HANDLE session_handle, CK_UTF8CHAR_PTR pin, CK_ULONG pin_len) {
  CARDEA_ASSIGN(const SessionPtr session, provider().session(session_handle));
  CARDEA_ASSIGN(const ByteView new_pin, input_bytes(pin, pin_len));
  if (session->slot().role() != Role::security_officer) return Code::user_not_logged_in;
  PinManager* const pins = session->token().pin_manager();
  if (pins == nullptr) return Code::token_write_protected;
  return pins->set_user_pin(Pin(new_pin));
}

Status C_SetPIN(CK_SESSION_HANDLE session_handle, CK_UTF8CHAR_PTR old_pin, CK_ULONG old_len, CK_UTF8CHAR_PTR new_pin,
                CK_ULONG new_len) {
  CARDEA_ASSIGN(const SessionPtr session, provider().session(session_handle));
  CARDEA_ASSIGN(const ByteView old_bytes, input_bytes(old_pin, old_len));
  CARDEA_ASSIGN(const ByteView new_bytes, input_bytes(new_pin, new_len));
  if (!session->read_write()) return Code::session_read_only;
  PinManager* const pins = session->token().pin_manager();
  if (pins == nullptr) return Code::token_write_protected;
  const Role role = session->slot().role() == Role::security_officer ? Role::security_officer : Role::user;
  return pins->change(role, Pin(old_bytes), Pin(new_bytes));
}

Status C_WaitForSlotEvent(CK_FLAGS flags, CK_SLOT_ID_PTR slot, CK_VOID_PTR reserved) {
  if (!provider().started()) return Code::not_initialized;
  if (slot == nullptr || reserved != nullptr) return Code::arguments_bad;
  CARDEA_ASSIGN(*slot, provider().wait_for_event((flags & CKF_DONT_BLOCK) == 0));
  return {};
}

}  // namespace cardea::abi
