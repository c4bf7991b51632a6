/*
 * The plug-in interface for cards: one shared object that makes a vendor's card a token like any other.
 *
 * It is shaped like the smart card minidriver (cards have files, containers, PIN roles and an administrator), so that a
 * minidriver can be turned into a plug-in by translating its entry points. The host does what Windows' base provider
 * does: it reads and writes the container map (mscp/cmapfile), the certificates (mscp/kxcNN, mscp/kscNN), and advances
 * the cache counters (cardcf). docs/card-plugins.md explains how to write, install and test one.
 *
 * Rules for both sides
 * - Every struct begins with its size, as the side that filled it knows it. A newer minor version only appends members;
 *   whoever reads a struct reads no further than its size.
 * - Every function answers a cardea_plugin_status and lets no exception and no longjmp out.
 * - An output buffer comes with its capacity in *size. The plug-in writes at most that much and sets *size to what it
 *   wrote; CARDEA_PLUGIN_BUFFER_TOO_SMALL with *size set to what is needed writes nothing.
 * - Strings are UTF-8. Pointers that the host passes in live for the call only.
 * - The host calls the functions of one context one after the other, from changing threads, always inside a transaction
 *   with the card. It waits a bounded time; a plug-in that takes longer loses its card until that is inserted again.
 */
#ifndef CARDEA_PLUGIN_ABI_H
#define CARDEA_PLUGIN_ABI_H

#include <stddef.h>
#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

/* A host loads a plug-in whose major version is its own, whatever the minor one. */
#define CARDEA_PLUGIN_ABI_MAJOR 1u
#define CARDEA_PLUGIN_ABI_MINOR 0u
#define CARDEA_PLUGIN_ABI_VERSION (CARDEA_PLUGIN_ABI_MAJOR << 16 | CARDEA_PLUGIN_ABI_MINOR)

/* The name of the one exported function (cardea_plugin_entry). */
#define CARDEA_PLUGIN_ENTRY "cardea_card_plugin"

typedef int32_t cardea_plugin_status;
enum {
  CARDEA_PLUGIN_OK = 0,
  CARDEA_PLUGIN_NOT_SUPPORTED = 1,    /* the card or the plug-in does not do this */
  CARDEA_PLUGIN_INVALID_ARGUMENT = 2, /* the host made no sense */
  CARDEA_PLUGIN_BUFFER_TOO_SMALL = 3,
  CARDEA_PLUGIN_NOT_FOUND = 4, /* no such file, container or property */
  CARDEA_PLUGIN_EXISTS = 5,
  CARDEA_PLUGIN_NO_SPACE = 6,
  CARDEA_PLUGIN_INVALID_DATA = 7,      /* the input, or what the card holds, does not parse */
  CARDEA_PLUGIN_WRONG_LENGTH = 8,      /* of the input */
  CARDEA_PLUGIN_NOT_AUTHENTICATED = 9, /* the card wants a PIN or the administrator first */
  CARDEA_PLUGIN_WRONG_PIN = 10,        /* also a wrong answer to a challenge; see attempts_left */
  CARDEA_PLUGIN_PIN_BLOCKED = 11,
  CARDEA_PLUGIN_PIN_LENGTH = 12,
  CARDEA_PLUGIN_WRONG_PADDING = 13, /* of a ciphertext; the host does not pass it on */
  CARDEA_PLUGIN_CANCELLED = 14,     /* by the user */
  CARDEA_PLUGIN_TIMED_OUT = 15,
  CARDEA_PLUGIN_CARD_REMOVED = 16,
  CARDEA_PLUGIN_CARD_ERROR = 17, /* the card failed, or answered what makes no sense */
  CARDEA_PLUGIN_NO_MEMORY = 18,
  CARDEA_PLUGIN_INTERNAL = 19
};

/* ---- what the host offers ------------------------------------------------------------------------------------- */

typedef struct cardea_plugin_connection cardea_plugin_connection; /* the host's side of one card */

enum { CARDEA_PLUGIN_LOG_ERROR = 0, CARDEA_PLUGIN_LOG_INFO = 1, CARDEA_PLUGIN_LOG_DEBUG = 2 };

/* For `secrets` of transmit: what a trace must not show. */
enum { CARDEA_PLUGIN_SECRET_COMMAND = 1u, CARDEA_PLUGIN_SECRET_ANSWER = 2u };

/* A command as the plug-in means it. The host splits and chains it and fetches the whole answer (GET RESPONSE). */
typedef struct cardea_plugin_command {
  uint32_t size;
  uint8_t cla, ins, p1, p2;
  const uint8_t* data;
  size_t data_size;
  uint8_t expects_data; /* 0: the card answers a status word only */
  uint32_t secrets;
  uint32_t patience_ms; /* how long the card may take; 0: as usual, less than two seconds */
} cardea_plugin_command;

typedef struct cardea_plugin_host {
  uint32_t size;
  uint32_t abi_version;
  /* Sends a command; the answer's data goes to `answer`, its status word to *status_word. Only from within a call of
   * the host, on that thread. BUFFER_TOO_SMALL loses the answer: *answer_size says what it was. */
  cardea_plugin_status (*transmit)(cardea_plugin_connection* connection, const cardea_plugin_command* command,
                                   uint8_t* answer, size_t* answer_size, uint16_t* status_word);
  /* The answer to reset of the card. */
  cardea_plugin_status (*atr)(cardea_plugin_connection* connection, uint8_t* atr, size_t* size);
  /* One line for people, without secrets. */
  void (*log)(cardea_plugin_connection* connection, int32_t level, const char* text);
  /* Overwrites memory in a way that the compiler keeps. */
  void (*wipe)(void* memory, size_t size);
} cardea_plugin_host;

/* ---- what a plug-in describes --------------------------------------------------------------------------------- */

typedef struct cardea_plugin_context cardea_plugin_context; /* the plug-in's side of one card */

typedef enum cardea_plugin_match {
  CARDEA_PLUGIN_MATCH_NONE = 0,
  CARDEA_PLUGIN_MATCH_POSSIBLE = 1, /* the application answered, but another card could imitate it */
  CARDEA_PLUGIN_MATCH_CERTAIN = 2
} cardea_plugin_match;

/* PIN roles, as in the minidriver: the user, the administrator (a key), and the PUK. */
typedef enum cardea_plugin_role {
  CARDEA_PLUGIN_ROLE_USER = 1,
  CARDEA_PLUGIN_ROLE_ADMIN = 2,
  CARDEA_PLUGIN_ROLE_UNBLOCK = 3
} cardea_plugin_role;

/* Access to files, as in the minidriver. */
typedef enum cardea_plugin_access {
  CARDEA_PLUGIN_EVERYONE_READ_USER_WRITE = 1,
  CARDEA_PLUGIN_EVERYONE_READ_ADMIN_WRITE = 2,
  CARDEA_PLUGIN_USER_READ_WRITE = 3
} cardea_plugin_access;

typedef enum cardea_plugin_key_type {
  CARDEA_PLUGIN_KEY_RSA = 1,
  CARDEA_PLUGIN_KEY_P256 = 2,
  CARDEA_PLUGIN_KEY_P384 = 3,
  CARDEA_PLUGIN_KEY_P521 = 4
} cardea_plugin_key_type;

typedef enum cardea_plugin_padding {
  CARDEA_PLUGIN_PADDING_NONE = 1,  /* RSA: the bare operation; ECDSA: over the digest */
  CARDEA_PLUGIN_PADDING_PKCS1 = 2, /* signing: over the given DigestInfo */
  CARDEA_PLUGIN_PADDING_PSS = 3,
  CARDEA_PLUGIN_PADDING_OAEP = 4
} cardea_plugin_padding;

typedef enum cardea_plugin_hash {
  CARDEA_PLUGIN_HASH_NONE = 0,
  CARDEA_PLUGIN_HASH_SHA1 = 1,
  CARDEA_PLUGIN_HASH_SHA256 = 2,
  CARDEA_PLUGIN_HASH_SHA384 = 3,
  CARDEA_PLUGIN_HASH_SHA512 = 4
} cardea_plugin_hash;

/* What keys of this card do, as sums of 1 << padding. Bits that the plug-in does not know stay 0. */
typedef struct cardea_plugin_capabilities {
  uint32_t size;
  uint32_t rsa_sign;    /* NONE, PKCS1, PSS */
  uint32_t rsa_decrypt; /* NONE, PKCS1, OAEP */
  uint8_t ecdsa;
  uint8_t ecdh;
  uint8_t generates;   /* create_container makes key pairs */
  uint8_t imports;     /* create_container takes private keys */
  uint8_t user_writes; /* containers and files are written with the user PIN rather than by the administrator */
  uint8_t read_only;   /* nothing can be written */
} cardea_plugin_capabilities;

typedef struct cardea_plugin_free_space {
  uint32_t size;
  uint32_t bytes_available;
  uint32_t containers_available;
  uint32_t containers_max; /* at most 256 */
} cardea_plugin_free_space;

typedef struct cardea_plugin_container_info {
  uint32_t size;
  cardea_plugin_key_type key_type;
  uint32_t key_bits; /* RSA only */
  uint8_t signs;
  uint8_t decrypts;   /* RSA: decrypts; EC: agrees on keys */
  uint8_t pin_policy; /* 0: no PIN, 1: once, 2: before each use */
} cardea_plugin_container_info;

/* A key to be made, or to be taken over when `pkcs8` is there (PKCS#8, DER; a secret). */
typedef struct cardea_plugin_key_request {
  uint32_t size;
  cardea_plugin_key_type key_type;
  uint32_t key_bits;
  uint8_t decrypts;
  uint8_t pin_policy;
  const uint8_t* pkcs8;
  size_t pkcs8_size;
} cardea_plugin_key_request;

/* A signature, or a decryption. */
typedef struct cardea_plugin_operation {
  uint32_t size;
  cardea_plugin_padding padding;
  cardea_plugin_hash hash;     /* PSS, OAEP */
  cardea_plugin_hash mgf_hash; /* PSS, OAEP */
  uint32_t salt_size;          /* PSS */
  const uint8_t* label;        /* OAEP */
  size_t label_size;
  const uint8_t* input; /* digest, DigestInfo, block or ciphertext, as the padding wants it */
  size_t input_size;
} cardea_plugin_operation;

typedef enum cardea_plugin_property {
  CARDEA_PLUGIN_LABEL = 1,        /* text, at most 32 bytes */
  CARDEA_PLUGIN_MANUFACTURER = 2, /* text, at most 32 bytes */
  CARDEA_PLUGIN_MODEL = 3,        /* text, at most 16 bytes */
  CARDEA_PLUGIN_SERIAL = 4,       /* bytes, stable for the life of the card */
  CARDEA_PLUGIN_PIN_LENGTHS = 5,  /* two bytes: shortest and longest user PIN */
  CARDEA_PLUGIN_USER_TRIES = 6,   /* two bytes: tries left (FF: unknown) and their limit (0: unknown) of the user PIN */
  CARDEA_PLUGIN_UNBLOCK_TRIES = 7,
  CARDEA_PLUGIN_ADMIN_KEY = 8 /* set only: a new administrator's key; a secret */
} cardea_plugin_property;

/* ---- the table ------------------------------------------------------------------------------------------------ */

/* attempts_left: tries left after WRONG_PIN, -1 when unknown. Functions marked "optional" may be null, which means
 * NOT_SUPPORTED; all others must be there. */
typedef struct cardea_plugin {
  uint32_t size;
  uint32_t abi_version;
  const char* name;    /* of the kind of card, for `doctor` and traces */
  const char* version; /* of the plug-in */

  /* Recognises the card, leaves its application selected, and makes a context. MATCH_NONE makes none. The host and the
   * connection stay valid until delete_context. */
  cardea_plugin_status (*acquire_context)(const cardea_plugin_host* host, cardea_plugin_connection* connection,
                                          cardea_plugin_match* match, cardea_plugin_context** context);
  /* Frees it. Does not talk to the card, which may be gone. */
  void (*delete_context)(cardea_plugin_context* context);
  /* Makes the application the current one again, after a reset or another application. */
  cardea_plugin_status (*select)(cardea_plugin_context* context);

  cardea_plugin_status (*query_capabilities)(cardea_plugin_context* context, cardea_plugin_capabilities* capabilities);
  cardea_plugin_status (*query_free_space)(cardea_plugin_context* context, cardea_plugin_free_space* space);
  cardea_plugin_status (*get_property)(cardea_plugin_context* context, cardea_plugin_property property, uint8_t* value,
                                       size_t* size);
  cardea_plugin_status (*set_property)(cardea_plugin_context* context, cardea_plugin_property property,
                                       const uint8_t* value, size_t size); /* optional */

  /* Files. `directory` is "" for the root. */
  cardea_plugin_status (*read_file)(cardea_plugin_context* context, const char* directory, const char* name,
                                    uint8_t* content, size_t* size);
  cardea_plugin_status (*write_file)(cardea_plugin_context* context, const char* directory, const char* name,
                                     const uint8_t* content, size_t size); /* optional; NOT_FOUND when not created */
  cardea_plugin_status (*create_file)(cardea_plugin_context* context, const char* directory, const char* name,
                                      cardea_plugin_access access); /* optional */
  cardea_plugin_status (*delete_file)(cardea_plugin_context* context, const char* directory, const char* name);
  /* optional */
  /* Names one after the other, each with its terminating zero. */
  cardea_plugin_status (*enumerate_files)(cardea_plugin_context* context, const char* directory, char* names,
                                          size_t* size);

  /* Containers, numbered from 0. The host keeps the container map. */
  cardea_plugin_status (*create_container)(cardea_plugin_context* context, uint32_t container,
                                           const cardea_plugin_key_request* request);           /* optional */
  cardea_plugin_status (*delete_container)(cardea_plugin_context* context, uint32_t container); /* optional */
  /* NOT_FOUND for an empty one. */
  cardea_plugin_status (*get_container_info)(cardea_plugin_context* context, uint32_t container,
                                             cardea_plugin_container_info* info);
  /* SubjectPublicKeyInfo, DER (RFC 5280, 4.1.2.7). */
  cardea_plugin_status (*get_public_key)(cardea_plugin_context* context, uint32_t container, uint8_t* key_info,
                                         size_t* size);

  /* PINs and the administrator. */
  cardea_plugin_status (*authenticate_pin)(cardea_plugin_context* context, cardea_plugin_role role, const uint8_t* pin,
                                           size_t size, int32_t* attempts_left);
  cardea_plugin_status (*get_challenge)(cardea_plugin_context* context, uint8_t* challenge,
                                        size_t* size); /* optional */
  cardea_plugin_status (*authenticate_challenge)(cardea_plugin_context* context, const uint8_t* answer, size_t size,
                                                 int32_t* attempts_left); /* optional */
  /* What get_challenge and authenticate_challenge do together, for a host that has the key. */
  cardea_plugin_status (*authenticate_admin)(cardea_plugin_context* context, const uint8_t* key, size_t size,
                                             int32_t* attempts_left); /* optional */
  cardea_plugin_status (*change_pin)(cardea_plugin_context* context, cardea_plugin_role role, const uint8_t* old_pin,
                                     size_t old_size, const uint8_t* new_pin, size_t new_size,
                                     int32_t* attempts_left); /* optional */
  /* Sets the user PIN: with the PUK, or with `puk` null as the authenticated administrator. */
  cardea_plugin_status (*unblock_pin)(cardea_plugin_context* context, const uint8_t* puk, size_t puk_size,
                                      const uint8_t* new_pin, size_t new_size, int32_t* attempts_left); /* optional */
  /* Closes the security status; NOT_SUPPORTED when only a reset does. */
  cardea_plugin_status (*deauthenticate)(cardea_plugin_context* context); /* optional */

  /* Keys. ECDSA answers r and s, each as long as the order of the curve. */
  cardea_plugin_status (*sign)(cardea_plugin_context* context, uint32_t container,
                               const cardea_plugin_operation* operation, uint8_t* signature, size_t* size);
  cardea_plugin_status (*decrypt)(cardea_plugin_context* context, uint32_t container,
                                  const cardea_plugin_operation* operation, uint8_t* plain,
                                  size_t* size); /* optional */
  /* ECDH in two steps: an agreement with the peer's public point (uncompressed), which stays on the card if it likes,
   * then the shared secret (the x coordinate). The host asks for one agreement at a time and always destroys it. */
  cardea_plugin_status (*construct_dh_agreement)(cardea_plugin_context* context, uint32_t container,
                                                 const uint8_t* peer, size_t peer_size, uint32_t* agreement);
  /* optional */
  cardea_plugin_status (*derive_key)(cardea_plugin_context* context, uint32_t agreement, uint8_t* secret, size_t* size);
  /* optional */
  cardea_plugin_status (*destroy_dh_agreement)(cardea_plugin_context* context, uint32_t agreement); /* optional */
} cardea_plugin;

/* The exported function: answers the table, or null when the plug-in cannot work with such a host. The table lives as
 * long as the process. */
typedef const cardea_plugin* (*cardea_plugin_entry)(uint32_t host_abi_version);

#ifdef __cplusplus
}
#endif

#endif
