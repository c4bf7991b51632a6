#include "client/curl_library.h"

#include <dlfcn.h>

namespace cardea::client {
namespace {

template <class Function>
bool find(void* library, const char* name, Function& place) {
  place = reinterpret_cast<Function>(dlsym(library, name));
  return place != nullptr;
}

CurlLibrary load() {
  CurlLibrary made;
  void* const library = dlopen("libcurl.so.4", RTLD_NOW | RTLD_LOCAL | RTLD_NODELETE);
  if (library == nullptr) return made;
  decltype(&curl_global_init) global_init = nullptr;
  decltype(&curl_version_info) version_info = nullptr;
  made.there =
      find(library, "curl_global_init", global_init) && global_init(CURL_GLOBAL_DEFAULT) == CURLE_OK &&
      find(library, "curl_easy_init", made.easy_init) && find(library, "curl_easy_cleanup", made.easy_cleanup) &&
      find(library, "curl_easy_reset", made.easy_reset) && find(library, "curl_easy_perform", made.easy_perform) &&
      find(library, "curl_easy_strerror", made.easy_strerror) && find(library, "curl_easy_setopt", made.easy_setopt) &&
      find(library, "curl_easy_getinfo", made.easy_getinfo) && find(library, "curl_slist_append", made.slist_append) &&
      find(library, "curl_slist_free_all", made.slist_free_all);
  constexpr unsigned first_with_providers = 0x080c00;
  made.takes_providers = made.there && find(library, "curl_version_info", version_info) &&
                         version_info(CURLVERSION_NOW)->version_num >= first_with_providers;
  return made;
}

}  // namespace

const CurlLibrary& curl_library() {
  static const CurlLibrary library = load();
  return library;
}

}  // namespace cardea::client
