#include "gids/commands.h"

#include <array>

#include "base/tlv.h"

namespace cardea::card::gids {
namespace {

constexpr Byte ins_manage_environment = 0x22;
constexpr Byte ins_security_operation = 0x2a;
constexpr Byte ins_activate_file = 0x44;
constexpr Byte ins_generate = 0x47;
constexpr Byte ins_select = 0xa4;
constexpr Byte ins_get_data = 0xcb;
constexpr Byte ins_put_data = 0xdb;
constexpr Byte ins_create_file = 0xe0;
constexpr Byte ins_delete_file = 0xe4;

constexpr Byte key_files = 0xb0;

// RSA-4096 takes smart cards a minute and more to find; checking an imported one some seconds.
constexpr std::chrono::milliseconds generation{120'000};
constexpr std::chrono::milliseconds long_work{10'000};

constexpr Byte high(std::uint16_t value) {
  return static_cast<Byte>(value >> 8);
}
constexpr Byte low(std::uint16_t value) {
  return static_cast<Byte>(value);
}

Result<Response> get_data(CardTransaction& transaction, std::uint16_t file, ByteView wanted) {
  return transaction.call({.ins = ins_get_data, .p1 = high(file), .p2 = low(file), .data = wanted});
}

std::uint16_t key_file_of(Byte key) {
  return static_cast<std::uint16_t>(key_files << 8 | key);
}

Status select_file(CardTransaction& transaction, std::uint16_t file) {
  const std::array<Byte, 2> identifier{high(file), low(file)};
  constexpr Byte no_answer = 0x0c;
  CARDEA_TRY(transaction.call({.ins = ins_select, .p2 = no_answer, .data = identifier, .expects_data = false}));
  return {};
}

Status delete_file(CardTransaction& transaction, std::uint16_t file) {
  CARDEA_TRY(select_file(transaction, file));
  CARDEA_TRY(transaction.call({.ins = ins_delete_file, .expects_data = false}));
  return {};
}

}  // namespace

Result<Bytes> get_object(CardTransaction& transaction, ObjectPlace place) {
  const std::array<Byte, 4> tag_list{0x5c, 2, high(place.object), low(place.object)};
  CARDEA_ASSIGN(const Response response, get_data(transaction, place.file, tag_list));
  CARDEA_ASSIGN(const ByteView value, require_tlv(response.data, place.object));
  return to_bytes(value);
}

Result<Bytes> get_card_id(CardTransaction& transaction) {
  Result<Bytes> card_id = get_object(transaction, card_id_place);
  // 6985: the file was created and is not activated, since whoever initialised the card was cut off.
  const bool is_blank = !card_id && (card_id.code() == Code::not_found || card_id.code() == Code::function_failed);
  return is_blank ? Result<Bytes>(Bytes()) : std::move(card_id);
}

Status put_object(CardTransaction& transaction, ObjectPlace place, ByteView value) {
  const Bytes object = make_tlv(place.object, value);
  CARDEA_TRY(transaction.call(
      {.ins = ins_put_data, .p1 = high(place.file), .p2 = low(place.file), .data = object, .expects_data = false}));
  return {};
}

Result<Bytes> file_information(CardTransaction& transaction, std::uint16_t file, Byte p2) {
  const std::array<Byte, 2> identifier{high(file), low(file)};
  CARDEA_ASSIGN(Response response, transaction.call({.ins = ins_select, .p2 = p2, .data = identifier}));
  return std::move(response.data);
}

Result<Bytes> get_public_key(CardTransaction& transaction, Byte key) {
  // Table 52 of the specification begins the template with A3; Windows sends 70, and so do the cards expect.
  std::array<Byte, 10> wanted{0x70, 8, 0x84, 1, key, 0xa5, 3, 0x7f, 0x49, 0x80};
  Result<Response> response = get_data(transaction, application_file, wanted);
  if (!response && (response.code() == Code::data_invalid || response.code() == Code::not_found)) {
    wanted[0] = 0xa3;
    response = get_data(transaction, application_file, wanted);
  }
  if (!response) return std::move(response).error();
  return std::move(response->data);
}

Status put_key(CardTransaction& transaction, ByteView key_usage_template) {
  CARDEA_TRY(transaction.call({.ins = ins_put_data,
                               .p1 = high(application_file),
                               .p2 = low(application_file),
                               .data = key_usage_template,
                               .expects_data = false,
                               .secret_data = true,
                               .patience = long_work}));
  return {};
}

Status create_file(CardTransaction& transaction, std::uint16_t file, ByteView control_parameters) {
  const Command create{.ins = ins_create_file, .data = control_parameters, .expects_data = false};
  constexpr std::uint16_t file_exists = 0x6a89;
  CARDEA_ASSIGN(Response response, transaction.transmit(create));
  if (response.status == file_exists) {
    CARDEA_TRY(delete_file(transaction, file));
    CARDEA_ASSIGN(response, transaction.transmit(create));
  }
  if (!response.ok()) return status_error(response.status);
  CARDEA_TRY(transaction.call({.ins = ins_activate_file, .expects_data = false}));
  return {};
}

Status create_key_file(CardTransaction& transaction, Byte key, ByteView control_parameters) {
  return create_file(transaction, key_file_of(key), control_parameters);
}

Status delete_key_file(CardTransaction& transaction, Byte key) {
  return delete_file(transaction, key_file_of(key));
}

Status activate_application(CardTransaction& transaction) {
  CARDEA_TRY(select_file(transaction, application_file));
  CARDEA_TRY(transaction.call({.ins = ins_activate_file, .expects_data = false}));
  return {};
}

Result<Bytes> generate_key(CardTransaction& transaction, Byte key, Byte kind) {
  const std::array<Byte, 8> wanted{0xac, 6, 0x80, 1, kind, 0x83, 1, key};
  CARDEA_ASSIGN(Response response, transaction.call({.ins = ins_generate, .data = wanted, .patience = generation}));
  return std::move(response.data);
}

Status set_environment(CardTransaction& transaction, Byte reference_template, Byte mechanism, Byte key) {
  constexpr Byte set_for_computation = 0x41;
  const std::array<Byte, 6> environment{0x80, 1, mechanism, 0x84, 1, key};
  CARDEA_TRY(transaction.call({.ins = ins_manage_environment,
                               .p1 = set_for_computation,
                               .p2 = reference_template,
                               .data = environment,
                               .expects_data = false}));
  return {};
}

Result<Response> compute_signature(CardTransaction& transaction, ByteView input, std::chrono::milliseconds patience) {
  return transaction.transmit(
      {.ins = ins_security_operation, .p1 = 0x9e, .p2 = 0x9a, .data = input, .patience = patience});
}

Result<Response> decipher(CardTransaction& transaction, ByteView input, std::chrono::milliseconds patience) {
  // Table 60 puts a padding indicator before the cryptogram; Windows sends none, and no card wants one.
  return transaction.transmit({.ins = ins_security_operation,
                               .p1 = 0x80,
                               .p2 = 0x86,
                               .data = input,
                               .secret_answer = true,
                               .patience = patience});
}

}  // namespace cardea::card::gids
