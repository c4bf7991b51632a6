/* PINs and the administrator of the sample card. */
#include <string.h>

#include "sample_card.h"

cardea_plugin_status sample_authenticate_pin(cardea_plugin_context* context, cardea_plugin_role role,
                                             const uint8_t* pin, size_t size, int32_t* attempts_left) {
  const sample_command verify = {SAMPLE_VERIFY, 0, (uint8_t)role, pin, size, CARDEA_PLUGIN_SECRET_COMMAND};
  /* Without data the card would only tell the number of tries. */
  if (size == 0) return CARDEA_PLUGIN_PIN_LENGTH;
  return sample_send(context, &verify, NULL, NULL, attempts_left);
}

cardea_plugin_status sample_get_challenge(cardea_plugin_context* context, uint8_t* challenge, size_t* size) {
  const sample_command ask = {SAMPLE_GET_CHALLENGE, 0, 0, NULL, 0, 0};
  return sample_send(context, &ask, challenge, size, NULL);
}

/* The answer: the challenge enciphered with AES-256 under the administrator's key. */
cardea_plugin_status sample_authenticate_challenge(cardea_plugin_context* context, const uint8_t* answer, size_t size,
                                                   int32_t* attempts_left) {
  const sample_command prove = {SAMPLE_EXTERNAL_AUTHENTICATE, 0, 0, answer, size, CARDEA_PLUGIN_SECRET_COMMAND};
  return sample_send(context, &prove, NULL, NULL, attempts_left);
}

/* To spare this example a cipher, the card also takes the key itself. A real card would not. */
cardea_plugin_status sample_authenticate_admin(cardea_plugin_context* context, const uint8_t* key, size_t size,
                                               int32_t* attempts_left) {
  return sample_authenticate_pin(context, CARDEA_PLUGIN_ROLE_ADMIN, key, size, attempts_left);
}

/* Length of the first value, first value, second value. */
static cardea_plugin_status send_two(cardea_plugin_context* context, uint8_t ins, uint8_t p2, const uint8_t* first,
                                     size_t first_size, const uint8_t* second, size_t second_size,
                                     int32_t* attempts_left) {
  uint8_t data[64];
  sample_command command = {ins, 0, p2, data, 1 + first_size + second_size, CARDEA_PLUGIN_SECRET_COMMAND};
  cardea_plugin_status status;
  if (first_size > 31 || second_size > 31) return CARDEA_PLUGIN_PIN_LENGTH;
  data[0] = (uint8_t)first_size;
  memcpy(data + 1, first, first_size);
  memcpy(data + 1 + first_size, second, second_size);
  status = sample_send(context, &command, NULL, NULL, attempts_left);
  context->host->wipe(data, sizeof data);
  return status == CARDEA_PLUGIN_WRONG_LENGTH ? CARDEA_PLUGIN_PIN_LENGTH : status;
}

cardea_plugin_status sample_change_pin(cardea_plugin_context* context, cardea_plugin_role role, const uint8_t* old_pin,
                                       size_t old_size, const uint8_t* new_pin, size_t new_size,
                                       int32_t* attempts_left) {
  return send_two(context, SAMPLE_CHANGE_PIN, (uint8_t)role, old_pin, old_size, new_pin, new_size, attempts_left);
}

cardea_plugin_status sample_unblock_pin(cardea_plugin_context* context, const uint8_t* puk, size_t puk_size,
                                        const uint8_t* new_pin, size_t new_size, int32_t* attempts_left) {
  const sample_command by_admin = {SAMPLE_UNBLOCK, 2, 0, new_pin, new_size, CARDEA_PLUGIN_SECRET_COMMAND};
  cardea_plugin_status status;
  if (puk != NULL) return send_two(context, SAMPLE_UNBLOCK, 0, puk, puk_size, new_pin, new_size, attempts_left);
  status = sample_send(context, &by_admin, NULL, NULL, NULL);
  return status == CARDEA_PLUGIN_WRONG_LENGTH ? CARDEA_PLUGIN_PIN_LENGTH : status;
}

cardea_plugin_status sample_deauthenticate(cardea_plugin_context* context) {
  const sample_command forget = {SAMPLE_VERIFY, 0xff, 0, NULL, 0, 0};
  return sample_send(context, &forget, NULL, NULL, NULL);
}
