/* Keys of the sample card: RSA-2048 without padding, P-256 and P-384. */
#include <string.h>

#include "sample_card.h"

/* How the card numbers its types of key. */
enum { TYPE_RSA_2048 = 0x07, TYPE_P256 = 0x11, TYPE_P384 = 0x14 };

/* First parameters of the use of a key. */
enum { USE_RSA = 0x80, USE_AGREE = 0x85, USE_SIGN = 0x9e };

static uint8_t type_of(const cardea_plugin_key_request* request) {
  if (request->key_type == CARDEA_PLUGIN_KEY_P256) return TYPE_P256;
  if (request->key_type == CARDEA_PLUGIN_KEY_P384) return TYPE_P384;
  return request->key_type == CARDEA_PLUGIN_KEY_RSA && request->key_bits == 2048 ? TYPE_RSA_2048 : 0;
}

cardea_plugin_status sample_create_container(cardea_plugin_context* context, uint32_t container,
                                             const cardea_plugin_key_request* request) {
  uint8_t data[4096];
  sample_command command = {SAMPLE_GENERATE, (uint8_t)container, type_of(request), data, 1, 0};
  cardea_plugin_status status;
  if (container >= SAMPLE_SLOTS || command.p2 == 0) return CARDEA_PLUGIN_NOT_SUPPORTED;
  data[0] = request->pin_policy;
  if (request->pkcs8 == NULL) return sample_send(context, &command, NULL, NULL, NULL);
  if (request->pkcs8_size >= sizeof data) return CARDEA_PLUGIN_WRONG_LENGTH;
  memcpy(data + 1, request->pkcs8, request->pkcs8_size);
  command.ins = SAMPLE_IMPORT_KEY;
  command.data_size = 1 + request->pkcs8_size;
  command.secrets = CARDEA_PLUGIN_SECRET_COMMAND;
  status = sample_send(context, &command, NULL, NULL, NULL);
  context->host->wipe(data, sizeof data);
  return status;
}

cardea_plugin_status sample_delete_container(cardea_plugin_context* context, uint32_t container) {
  const sample_command command = {SAMPLE_DELETE_KEY, (uint8_t)container, 0, NULL, 0, 0};
  if (container >= SAMPLE_SLOTS) return CARDEA_PLUGIN_NOT_FOUND;
  return sample_send(context, &command, NULL, NULL, NULL);
}

cardea_plugin_status sample_get_container_info(cardea_plugin_context* context, uint32_t container,
                                               cardea_plugin_container_info* info) {
  uint8_t answer[2];
  size_t size = sizeof answer;
  const sample_command ask = {SAMPLE_GET_DATA, (uint8_t)container, SAMPLE_KEY_INFO, NULL, 0, 0};
  cardea_plugin_status status;
  if (container >= SAMPLE_SLOTS) return CARDEA_PLUGIN_NOT_FOUND;
  status = sample_send(context, &ask, answer, &size, NULL);
  if (status != CARDEA_PLUGIN_OK) return status;
  if (size != sizeof answer) return CARDEA_PLUGIN_INVALID_DATA;
  info->key_bits = 0;
  switch (answer[0]) {
    case TYPE_RSA_2048:
      info->key_type = CARDEA_PLUGIN_KEY_RSA;
      info->key_bits = 2048;
      break;
    case TYPE_P256:
      info->key_type = CARDEA_PLUGIN_KEY_P256;
      break;
    case TYPE_P384:
      info->key_type = CARDEA_PLUGIN_KEY_P384;
      break;
    default:
      return CARDEA_PLUGIN_INVALID_DATA;
  }
  info->signs = 1;
  info->decrypts = 1;
  info->pin_policy = answer[1];
  return CARDEA_PLUGIN_OK;
}

cardea_plugin_status sample_get_public_key(cardea_plugin_context* context, uint32_t container, uint8_t* key_info,
                                           size_t* size) {
  const sample_command ask = {SAMPLE_GET_DATA, (uint8_t)container, SAMPLE_PUBLIC_KEY, NULL, 0, 0};
  if (container >= SAMPLE_SLOTS) return CARDEA_PLUGIN_NOT_FOUND;
  return sample_send(context, &ask, key_info, size, NULL);
}

/* One INTEGER of a DER SEQUENCE of short lengths, to the right end of `out`. 0 when there is none or it does not fit.
 */
static size_t take_integer(const uint8_t* der, size_t der_size, uint8_t* out, size_t out_size) {
  size_t length, skipped = 0;
  if (der_size < 2 || der[0] != 0x02 || der[1] >= 0x80) return 0;
  length = der[1];
  if (length == 0 || length > der_size - 2) return 0;
  while (skipped < length && der[2 + skipped] == 0) ++skipped;
  if (length - skipped > out_size) return 0;
  memset(out, 0, out_size);
  memcpy(out + out_size - (length - skipped), der + 2 + skipped, length - skipped);
  return 2 + length;
}

/* The card's ECDSA signature is DER (RFC 3279, 2.2.3); the host wants r and s, each as long as the order. */
static cardea_plugin_status plain_signature(const uint8_t* der, size_t der_size, size_t half, uint8_t* signature,
                                            size_t* size) {
  const size_t room = *size;
  size_t first;
  *size = 2 * half;
  if (room < 2 * half) return CARDEA_PLUGIN_BUFFER_TOO_SMALL;
  if (der_size < 2 || der[0] != 0x30 || der[1] >= 0x80 || der[1] != der_size - 2) return CARDEA_PLUGIN_CARD_ERROR;
  first = take_integer(der + 2, der_size - 2, signature, half);
  if (first == 0) return CARDEA_PLUGIN_CARD_ERROR;
  return take_integer(der + 2 + first, der_size - 2 - first, signature + half, half) == der_size - 2 - first
             ? CARDEA_PLUGIN_OK
             : CARDEA_PLUGIN_CARD_ERROR;
}

static cardea_plugin_status bare_rsa(cardea_plugin_context* context, uint32_t container,
                                     const cardea_plugin_operation* operation, uint8_t* out, size_t* size) {
  const sample_command use = {SAMPLE_USE_KEY,        USE_RSA,
                              (uint8_t)container,    operation->input,
                              operation->input_size, CARDEA_PLUGIN_SECRET_ANSWER};
  return sample_send(context, &use, out, size, NULL);
}

cardea_plugin_status sample_sign(cardea_plugin_context* context, uint32_t container,
                                 const cardea_plugin_operation* operation, uint8_t* signature, size_t* size) {
  uint8_t der[160];
  size_t der_size = sizeof der;
  cardea_plugin_container_info info;
  const sample_command use = {SAMPLE_USE_KEY, USE_SIGN, (uint8_t)container, operation->input, operation->input_size, 0};
  cardea_plugin_status status;
  if (operation->padding != CARDEA_PLUGIN_PADDING_NONE) return CARDEA_PLUGIN_NOT_SUPPORTED;
  memset(&info, 0, sizeof info);
  info.size = sizeof info;
  status = sample_get_container_info(context, container, &info);
  if (status != CARDEA_PLUGIN_OK) return status;
  if (info.key_type == CARDEA_PLUGIN_KEY_RSA) return bare_rsa(context, container, operation, signature, size);
  status = sample_send(context, &use, der, &der_size, NULL);
  if (status != CARDEA_PLUGIN_OK) return status;
  return plain_signature(der, der_size, info.key_type == CARDEA_PLUGIN_KEY_P256 ? 32 : 48, signature, size);
}

cardea_plugin_status sample_decrypt(cardea_plugin_context* context, uint32_t container,
                                    const cardea_plugin_operation* operation, uint8_t* plain, size_t* size) {
  if (container >= SAMPLE_SLOTS) return CARDEA_PLUGIN_NOT_FOUND;
  if (operation->padding != CARDEA_PLUGIN_PADDING_NONE) return CARDEA_PLUGIN_NOT_SUPPORTED;
  return bare_rsa(context, container, operation, plain, size);
}

/* The card agrees in one step, so the peer's point waits here for derive_key. */
cardea_plugin_status sample_construct_dh_agreement(cardea_plugin_context* context, uint32_t container,
                                                   const uint8_t* peer, size_t peer_size, uint32_t* agreement) {
  if (container >= SAMPLE_SLOTS) return CARDEA_PLUGIN_NOT_FOUND;
  if (peer_size == 0 || peer_size > sizeof context->peer) return CARDEA_PLUGIN_WRONG_LENGTH;
  memcpy(context->peer, peer, peer_size);
  context->peer_size = peer_size;
  context->peer_container = container;
  *agreement = 1;
  return CARDEA_PLUGIN_OK;
}

cardea_plugin_status sample_derive_key(cardea_plugin_context* context, uint32_t agreement, uint8_t* secret,
                                       size_t* size) {
  const sample_command use = {SAMPLE_USE_KEY, USE_AGREE,          (uint8_t)context->peer_container,
                              context->peer,  context->peer_size, CARDEA_PLUGIN_SECRET_ANSWER};
  if (agreement != 1 || context->peer_size == 0) return CARDEA_PLUGIN_INVALID_ARGUMENT;
  return sample_send(context, &use, secret, size, NULL);
}

cardea_plugin_status sample_destroy_dh_agreement(cardea_plugin_context* context, uint32_t agreement) {
  if (agreement != 1) return CARDEA_PLUGIN_INVALID_ARGUMENT;
  context->peer_size = 0;
  return CARDEA_PLUGIN_OK;
}
