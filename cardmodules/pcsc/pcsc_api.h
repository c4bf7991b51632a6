// The functions of PC/SC-lite, loaded when first needed: the module must load fast, and at all, on hosts without it.
#pragma once

#include <winscard.h>

#include <string>

#include "base/bytes.h"
#include "base/result.h"

namespace cardea::card {

/// A table of functions instead of linked symbols; tests fill in their own.
struct PcscApi {
  decltype(&::SCardEstablishContext) establish_context;
  decltype(&::SCardReleaseContext) release_context;
  decltype(&::SCardListReaders) list_readers;
  decltype(&::SCardGetStatusChange) get_status_change;
  decltype(&::SCardCancel) cancel;
  decltype(&::SCardConnect) connect;
  decltype(&::SCardReconnect) reconnect;
  decltype(&::SCardDisconnect) disconnect;
  decltype(&::SCardBeginTransaction) begin_transaction;
  decltype(&::SCardEndTransaction) end_transaction;
  decltype(&::SCardTransmit) transmit;
  decltype(&::SCardControl) control;
  /// Tells one run of the card service from another, since event counters begin anew with it; empty when it is not
  /// there to be asked. Costs no exchange with it.
  std::string (*service_identity)();
};

/// The library, loaded once in a process and never unloaded. device_error in words for `doctor` when it is not
/// installed, or when the service's socket is absent: then nothing is loaded at all.
Result<const PcscApi*> pcsc_api();

/// What a return value of PC/SC means for who uses a card. `doing`: "connecting to the card", for the detail.
Error pcsc_error(LONG rv, std::string_view doing, SourcePlace where = SourcePlace::here());

/// The service stopped or was started anew: the context and all handles are void.
bool is_service_lost(LONG rv) noexcept;

/// The card or its reader is not there any more.
bool is_card_gone(LONG rv) noexcept;

}  // namespace cardea::card
