/* Files of the sample card: it names them by their paths. */
#include <string.h>

#include "sample_card.h"

cardea_plugin_status sample_path(const char* directory, const char* name, char path[SAMPLE_PATH_SIZE]) {
  const size_t directory_size = strlen(directory);
  const size_t name_size = strlen(name);
  const size_t slash = directory_size != 0;
  if (name_size == 0 || directory_size + slash + name_size >= SAMPLE_PATH_SIZE) return CARDEA_PLUGIN_INVALID_ARGUMENT;
  memcpy(path, directory, directory_size);
  if (slash) path[directory_size] = '/';
  memcpy(path + directory_size + slash, name, name_size + 1);
  return CARDEA_PLUGIN_OK;
}

cardea_plugin_status sample_read_file(cardea_plugin_context* context, const char* directory, const char* name,
                                      uint8_t* content, size_t* size) {
  char path[SAMPLE_PATH_SIZE];
  sample_command read = {SAMPLE_READ_FILE, 0, 0, (const uint8_t*)path, 0, CARDEA_PLUGIN_SECRET_ANSWER};
  if (sample_path(directory, name, path) != CARDEA_PLUGIN_OK) return CARDEA_PLUGIN_NOT_FOUND;
  read.data_size = strlen(path);
  return sample_send(context, &read, content, size, NULL);
}

/* Path, a zero, content. */
cardea_plugin_status sample_write_file(cardea_plugin_context* context, const char* directory, const char* name,
                                       const uint8_t* content, size_t size) {
  char path[SAMPLE_PATH_SIZE];
  uint8_t data[SAMPLE_PATH_SIZE + 32768];
  size_t path_size;
  sample_command write = {SAMPLE_WRITE_FILE, 0, 0, data, 0, CARDEA_PLUGIN_SECRET_COMMAND};
  cardea_plugin_status status = sample_path(directory, name, path);
  if (status != CARDEA_PLUGIN_OK) return status;
  if (size > sizeof data - SAMPLE_PATH_SIZE) return CARDEA_PLUGIN_NO_SPACE;
  path_size = strlen(path) + 1;
  memcpy(data, path, path_size);
  if (size != 0) memcpy(data + path_size, content, size);
  write.data_size = path_size + size;
  status = sample_send(context, &write, NULL, NULL, NULL);
  context->host->wipe(data, write.data_size);
  return status;
}

cardea_plugin_status sample_create_file(cardea_plugin_context* context, const char* directory, const char* name,
                                        cardea_plugin_access access) {
  char path[SAMPLE_PATH_SIZE];
  /* The card's numbers for access are those of the interface. */
  sample_command create = {SAMPLE_CREATE_FILE, (uint8_t)access, 0, (const uint8_t*)path, 0, 0};
  const cardea_plugin_status status = sample_path(directory, name, path);
  if (status != CARDEA_PLUGIN_OK) return status;
  create.data_size = strlen(path);
  return sample_send(context, &create, NULL, NULL, NULL);
}

cardea_plugin_status sample_delete_file(cardea_plugin_context* context, const char* directory, const char* name) {
  char path[SAMPLE_PATH_SIZE];
  sample_command delete_it = {SAMPLE_DELETE_FILE, 0, 0, (const uint8_t*)path, 0, 0};
  if (sample_path(directory, name, path) != CARDEA_PLUGIN_OK) return CARDEA_PLUGIN_NOT_FOUND;
  delete_it.data_size = strlen(path);
  return sample_send(context, &delete_it, NULL, NULL, NULL);
}

cardea_plugin_status sample_enumerate_files(cardea_plugin_context* context, const char* directory, char* names,
                                            size_t* size) {
  const sample_command list = {SAMPLE_GET_DATA, 0, SAMPLE_NAMES, (const uint8_t*)directory, strlen(directory), 0};
  return sample_send(context, &list, (uint8_t*)names, size, NULL);
}
