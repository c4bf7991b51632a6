/*
 * The parts of the example plug-in: its context, and how it talks to its card.
 *
 * The sample card knows files by name, a PIN, a PUK, an administrator's key, and up to eight keys. cardea-vcard
 * emulates it (create --kind sample); docs/card-plugins.md lists its commands.
 */
#ifndef CARDEA_SAMPLE_CARD_H
#define CARDEA_SAMPLE_CARD_H

#include "plugin_abi.h"

#define SAMPLE_SERIAL_SIZE 8u
#define SAMPLE_SLOTS 8u

struct cardea_plugin_context {
  const cardea_plugin_host* host;
  cardea_plugin_connection* connection;
  uint8_t serial[SAMPLE_SERIAL_SIZE];
  /* The one key agreement at a time. */
  uint8_t peer[133];
  size_t peer_size;
  uint32_t peer_container;
};

/* Instructions of the card (class 00). */
enum {
  SAMPLE_VERIFY = 0x20,
  SAMPLE_CHANGE_PIN = 0x24,
  SAMPLE_USE_KEY = 0x2a,
  SAMPLE_UNBLOCK = 0x2c,
  SAMPLE_GENERATE = 0x47,
  SAMPLE_EXTERNAL_AUTHENTICATE = 0x82,
  SAMPLE_GET_CHALLENGE = 0x84,
  SAMPLE_SELECT = 0xa4,
  SAMPLE_READ_FILE = 0xb0,
  SAMPLE_GET_DATA = 0xca,
  SAMPLE_WRITE_FILE = 0xd6,
  SAMPLE_CREATE_FILE = 0xe0,
  SAMPLE_DELETE_FILE = 0xe4,
  SAMPLE_DELETE_KEY = 0xe6,
  SAMPLE_IMPORT_KEY = 0xfe,
  SAMPLE_SET_ADMIN_KEY = 0xff
};

/* Second parameters of GET DATA. */
enum {
  SAMPLE_NAMES = 1,
  SAMPLE_SPACE = 2,
  SAMPLE_USER_TRIES = 3,
  SAMPLE_UNBLOCK_TRIES = 4,
  SAMPLE_KEY_INFO = 5,
  SAMPLE_PUBLIC_KEY = 6
};

/* A command to the card. `answer` and `answer_size` may be null when it answers a status word only. */
typedef struct sample_command {
  uint8_t ins, p1, p2;
  const uint8_t* data;
  size_t data_size;
  uint32_t secrets;
} sample_command;

/* Sends it and turns the status word into a status of the interface. `attempts_left` may be null. */
cardea_plugin_status sample_send(cardea_plugin_context* context, const sample_command* command, uint8_t* answer,
                                 size_t* answer_size, int32_t* attempts_left);

/* Writes "directory/name" with its terminating zero. INVALID_ARGUMENT when it is longer than the card allows. */
#define SAMPLE_PATH_SIZE 65u
cardea_plugin_status sample_path(const char* directory, const char* name, char path[SAMPLE_PATH_SIZE]);

/* The functions of the table, by file. sample_files.c: */
cardea_plugin_status sample_read_file(cardea_plugin_context*, const char*, const char*, uint8_t*, size_t*);
cardea_plugin_status sample_write_file(cardea_plugin_context*, const char*, const char*, const uint8_t*, size_t);
cardea_plugin_status sample_create_file(cardea_plugin_context*, const char*, const char*, cardea_plugin_access);
cardea_plugin_status sample_delete_file(cardea_plugin_context*, const char*, const char*);
cardea_plugin_status sample_enumerate_files(cardea_plugin_context*, const char*, char*, size_t*);

/* sample_pins.c: */
cardea_plugin_status sample_authenticate_pin(cardea_plugin_context*, cardea_plugin_role, const uint8_t*, size_t,
                                             int32_t*);
cardea_plugin_status sample_get_challenge(cardea_plugin_context*, uint8_t*, size_t*);
cardea_plugin_status sample_authenticate_challenge(cardea_plugin_context*, const uint8_t*, size_t, int32_t*);
cardea_plugin_status sample_authenticate_admin(cardea_plugin_context*, const uint8_t*, size_t, int32_t*);
cardea_plugin_status sample_change_pin(cardea_plugin_context*, cardea_plugin_role, const uint8_t*, size_t,
                                       const uint8_t*, size_t, int32_t*);
cardea_plugin_status sample_unblock_pin(cardea_plugin_context*, const uint8_t*, size_t, const uint8_t*, size_t,
                                        int32_t*);
cardea_plugin_status sample_deauthenticate(cardea_plugin_context*);

/* sample_keys.c: */
cardea_plugin_status sample_create_container(cardea_plugin_context*, uint32_t, const cardea_plugin_key_request*);
cardea_plugin_status sample_delete_container(cardea_plugin_context*, uint32_t);
cardea_plugin_status sample_get_container_info(cardea_plugin_context*, uint32_t, cardea_plugin_container_info*);
cardea_plugin_status sample_get_public_key(cardea_plugin_context*, uint32_t, uint8_t*, size_t*);
cardea_plugin_status sample_sign(cardea_plugin_context*, uint32_t, const cardea_plugin_operation*, uint8_t*, size_t*);
cardea_plugin_status sample_decrypt(cardea_plugin_context*, uint32_t, const cardea_plugin_operation*, uint8_t*,
                                    size_t*);
cardea_plugin_status sample_construct_dh_agreement(cardea_plugin_context*, uint32_t, const uint8_t*, size_t, uint32_t*);
cardea_plugin_status sample_derive_key(cardea_plugin_context*, uint32_t, uint8_t*, size_t*);
cardea_plugin_status sample_destroy_dh_agreement(cardea_plugin_context*, uint32_t);

#endif
