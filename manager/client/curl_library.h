// libcurl, loaded at run time.
#pragma once

#include <curl/curl.h>

namespace cardea::client {

/// The functions that are used; null members when the library could not be loaded.
struct CurlLibrary {
  bool there = false;
  bool takes_providers = false;  ///< keys by OpenSSL's providers; before 8.12 only by its engines
  decltype(&curl_easy_init) easy_init = nullptr;
  decltype(&curl_easy_cleanup) easy_cleanup = nullptr;
  decltype(&curl_easy_reset) easy_reset = nullptr;
  decltype(&curl_easy_perform) easy_perform = nullptr;
  decltype(&curl_easy_strerror) easy_strerror = nullptr;
  CURLcode (*easy_setopt)(CURL*, CURLoption, ...) = nullptr;
  CURLcode (*easy_getinfo)(CURL*, CURLINFO, ...) = nullptr;
  decltype(&curl_slist_append) slist_append = nullptr;
  decltype(&curl_slist_free_all) slist_free_all = nullptr;
};

/// Loaded once and never unloaded, since it may have threads and handlers of its own.
const CurlLibrary& curl_library();

}  // namespace cardea::client
