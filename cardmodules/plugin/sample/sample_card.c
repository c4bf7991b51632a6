/* The example plug-in: recognition, properties, and the table. Start reading at the end. */
#include "sample_card.h"

#include <stdlib.h>
#include <string.h>

static const uint8_t application[] = {0xf0, 'C', 'A', 'R', 'D', 'E', 'A', 'S', 'P'};

/* Status words (ISO 7816-4, 5.6) that the card uses. */
static cardea_plugin_status status_of(uint16_t word, int32_t* attempts_left) {
  if ((word & 0xfff0) == 0x63c0) {
    if (attempts_left != NULL) *attempts_left = word & 0x0f;
    return (word & 0x0f) != 0 ? CARDEA_PLUGIN_WRONG_PIN : CARDEA_PLUGIN_PIN_BLOCKED;
  }
  switch (word) {
    case 0x9000:
      return CARDEA_PLUGIN_OK;
    case 0x6700:
      return CARDEA_PLUGIN_WRONG_LENGTH;
    case 0x6982:
      return CARDEA_PLUGIN_NOT_AUTHENTICATED;
    case 0x6983:
      return CARDEA_PLUGIN_PIN_BLOCKED;
    case 0x6a80:
      return CARDEA_PLUGIN_INVALID_DATA;
    case 0x6a82:
    case 0x6a88:
      return CARDEA_PLUGIN_NOT_FOUND;
    case 0x6a84:
      return CARDEA_PLUGIN_NO_SPACE;
    case 0x6a89:
      return CARDEA_PLUGIN_EXISTS;
    case 0x6985:
    case 0x6a81:
    case 0x6a86:
    case 0x6d00:
      return CARDEA_PLUGIN_NOT_SUPPORTED;
    default:
      return CARDEA_PLUGIN_CARD_ERROR;
  }
}

cardea_plugin_status sample_send(cardea_plugin_context* context, const sample_command* command, uint8_t* answer,
                                 size_t* answer_size, int32_t* attempts_left) {
  size_t no_answer = 0;
  uint16_t word = 0;
  cardea_plugin_command sent;
  cardea_plugin_status status;
  memset(&sent, 0, sizeof sent);
  sent.size = sizeof sent;
  sent.ins = command->ins;
  sent.p1 = command->p1;
  sent.p2 = command->p2;
  sent.data = command->data;
  sent.data_size = command->data_size;
  sent.expects_data = answer_size != NULL;
  sent.secrets = command->secrets;
  if (command->ins == SAMPLE_GENERATE) sent.patience_ms = 60000;
  status = context->host->transmit(context->connection, &sent, answer, answer_size != NULL ? answer_size : &no_answer,
                                   &word);
  return status != CARDEA_PLUGIN_OK ? status : status_of(word, attempts_left);
}

/* The card answers SELECT with its version and its serial number. */
static cardea_plugin_status select_application(cardea_plugin_context* context) {
  uint8_t answer[1 + SAMPLE_SERIAL_SIZE];
  size_t size = sizeof answer;
  const sample_command select = {SAMPLE_SELECT, 4, 0, application, sizeof application, 0};
  const cardea_plugin_status status = sample_send(context, &select, answer, &size, NULL);
  if (status != CARDEA_PLUGIN_OK) return status;
  if (size != sizeof answer || answer[0] != 1) return CARDEA_PLUGIN_NOT_FOUND;
  memcpy(context->serial, answer + 1, SAMPLE_SERIAL_SIZE);
  return CARDEA_PLUGIN_OK;
}

static cardea_plugin_status acquire_context(const cardea_plugin_host* host, cardea_plugin_connection* connection,
                                            cardea_plugin_match* match, cardea_plugin_context** context) {
  cardea_plugin_status status;
  cardea_plugin_context* made = calloc(1, sizeof *made);
  *match = CARDEA_PLUGIN_MATCH_NONE;
  *context = NULL;
  if (made == NULL) return CARDEA_PLUGIN_NO_MEMORY;
  made->host = host;
  made->connection = connection;
  status = select_application(made);
  if (status == CARDEA_PLUGIN_OK) {
    *match = CARDEA_PLUGIN_MATCH_CERTAIN;
    *context = made;
    return status;
  }
  free(made);
  /* A card that does not know our application is another one; only a card that is gone is a failure. */
  return status == CARDEA_PLUGIN_CARD_REMOVED || status == CARDEA_PLUGIN_TIMED_OUT ? status : CARDEA_PLUGIN_OK;
}

static void delete_context(cardea_plugin_context* context) {
  free(context);
}

static cardea_plugin_status query_capabilities(cardea_plugin_context* context,
                                               cardea_plugin_capabilities* capabilities) {
  (void)context;
  capabilities->rsa_sign = 1u << CARDEA_PLUGIN_PADDING_NONE;
  capabilities->rsa_decrypt = 1u << CARDEA_PLUGIN_PADDING_NONE;
  capabilities->ecdsa = 1;
  capabilities->ecdh = 1;
  capabilities->generates = 1;
  capabilities->imports = 1;
  capabilities->user_writes = 1;
  capabilities->read_only = 0;
  return CARDEA_PLUGIN_OK;
}

static cardea_plugin_status query_free_space(cardea_plugin_context* context, cardea_plugin_free_space* space) {
  uint8_t answer[6];
  size_t size = sizeof answer;
  const sample_command ask = {SAMPLE_GET_DATA, 0, SAMPLE_SPACE, NULL, 0, 0};
  const cardea_plugin_status status = sample_send(context, &ask, answer, &size, NULL);
  if (status != CARDEA_PLUGIN_OK) return status;
  if (size != sizeof answer || answer[4] > answer[5]) return CARDEA_PLUGIN_INVALID_DATA;
  space->bytes_available =
      (uint32_t)answer[0] << 24 | (uint32_t)answer[1] << 16 | (uint32_t)answer[2] << 8 | (uint32_t)answer[3];
  space->containers_max = answer[5];
  space->containers_available = (uint32_t)(answer[5] - answer[4]);
  return CARDEA_PLUGIN_OK;
}

static cardea_plugin_status deliver(const void* bytes, size_t size, uint8_t* value, size_t* room) {
  const size_t capacity = *room;
  *room = size;
  if (size > capacity) return CARDEA_PLUGIN_BUFFER_TOO_SMALL;
  memcpy(value, bytes, size);
  return CARDEA_PLUGIN_OK;
}

static cardea_plugin_status get_property(cardea_plugin_context* context, cardea_plugin_property property,
                                         uint8_t* value, size_t* size) {
  static const uint8_t pin_lengths[] = {4, 12};
  sample_command tries = {SAMPLE_GET_DATA, 0, SAMPLE_USER_TRIES, NULL, 0, 0};
  switch (property) {
    case CARDEA_PLUGIN_LABEL:
      return deliver("Sample card", 11, value, size);
    case CARDEA_PLUGIN_MANUFACTURER:
      return deliver("Cardea", 6, value, size);
    case CARDEA_PLUGIN_MODEL:
      return deliver("Sample 1", 8, value, size);
    case CARDEA_PLUGIN_SERIAL:
      return deliver(context->serial, sizeof context->serial, value, size);
    case CARDEA_PLUGIN_PIN_LENGTHS:
      return deliver(pin_lengths, sizeof pin_lengths, value, size);
    case CARDEA_PLUGIN_UNBLOCK_TRIES:
      tries.p2 = SAMPLE_UNBLOCK_TRIES;
      return sample_send(context, &tries, value, size, NULL);
    case CARDEA_PLUGIN_USER_TRIES:
      return sample_send(context, &tries, value, size, NULL);
    default:
      return CARDEA_PLUGIN_NOT_FOUND;
  }
}

static cardea_plugin_status set_property(cardea_plugin_context* context, cardea_plugin_property property,
                                         const uint8_t* value, size_t size) {
  const sample_command set = {SAMPLE_SET_ADMIN_KEY, 0, 0, value, size, CARDEA_PLUGIN_SECRET_COMMAND};
  if (property != CARDEA_PLUGIN_ADMIN_KEY) return CARDEA_PLUGIN_NOT_SUPPORTED;
  return sample_send(context, &set, NULL, NULL, NULL);
}

static const cardea_plugin table = {
    .size = sizeof(cardea_plugin),
    .abi_version = CARDEA_PLUGIN_ABI_VERSION,
    .name = "sample",
    .version = "1.0",
    .acquire_context = acquire_context,
    .delete_context = delete_context,
    .select = select_application,
    .query_capabilities = query_capabilities,
    .query_free_space = query_free_space,
    .get_property = get_property,
    .set_property = set_property,
    .read_file = sample_read_file,
    .write_file = sample_write_file,
    .create_file = sample_create_file,
    .delete_file = sample_delete_file,
    .enumerate_files = sample_enumerate_files,
    .create_container = sample_create_container,
    .delete_container = sample_delete_container,
    .get_container_info = sample_get_container_info,
    .get_public_key = sample_get_public_key,
    .authenticate_pin = sample_authenticate_pin,
    .get_challenge = sample_get_challenge,
    .authenticate_challenge = sample_authenticate_challenge,
    .authenticate_admin = sample_authenticate_admin,
    .change_pin = sample_change_pin,
    .unblock_pin = sample_unblock_pin,
    .deauthenticate = sample_deauthenticate,
    .sign = sample_sign,
    .decrypt = sample_decrypt,
    .construct_dh_agreement = sample_construct_dh_agreement,
    .derive_key = sample_derive_key,
    .destroy_dh_agreement = sample_destroy_dh_agreement,
};

__attribute__((visibility("default"))) const cardea_plugin* cardea_card_plugin(uint32_t host_abi_version) {
  return host_abi_version >> 16 == CARDEA_PLUGIN_ABI_MAJOR ? &table : NULL;
}
