// mbedTLS contexts as C++ objects. Its structures' fields are private since 3.0, so only functions that both 2.28 and
// 3.6 have are used; the few that differ are told apart here.
#pragma once

#include <mbedtls/bignum.h>
#include <mbedtls/ecp.h>
#include <mbedtls/pk.h>
#include <mbedtls/rsa.h>
#include <mbedtls/version.h>

#include "base/bytes.h"
#include "card/random.h"

namespace cardea::vcard {

class Mpi {
 public:
  Mpi() { mbedtls_mpi_init(&value_); }
  ~Mpi() { mbedtls_mpi_free(&value_); }
  Mpi(const Mpi&) = delete;
  Mpi& operator=(const Mpi&) = delete;
  mbedtls_mpi* get() { return &value_; }

 private:
  mbedtls_mpi value_;
};

class Point {
 public:
  Point() { mbedtls_ecp_point_init(&value_); }
  ~Point() { mbedtls_ecp_point_free(&value_); }
  Point(const Point&) = delete;
  Point& operator=(const Point&) = delete;
  mbedtls_ecp_point* get() { return &value_; }

 private:
  mbedtls_ecp_point value_;
};

class Group {
 public:
  Group() { mbedtls_ecp_group_init(&value_); }
  ~Group() { mbedtls_ecp_group_free(&value_); }
  Group(const Group&) = delete;
  Group& operator=(const Group&) = delete;
  mbedtls_ecp_group* get() { return &value_; }

 private:
  mbedtls_ecp_group value_;
};

class RsaContext {
 public:
  RsaContext() {
#if MBEDTLS_VERSION_MAJOR >= 3
    mbedtls_rsa_init(&value_);
#else
    mbedtls_rsa_init(&value_, MBEDTLS_RSA_PKCS_V15, 0);
#endif
  }
  ~RsaContext() {
    mbedtls_rsa_free(&value_);
  }
  RsaContext(const RsaContext&) = delete;
  RsaContext& operator=(const RsaContext&) = delete;
  mbedtls_rsa_context* get() {
    return &value_;
  }

 private:
  mbedtls_rsa_context value_;
};

/// A key of either kind as mbedTLS' parsers return it.
class PkContext {
 public:
  PkContext() { mbedtls_pk_init(&value_); }
  ~PkContext() { mbedtls_pk_free(&value_); }
  PkContext(const PkContext&) = delete;
  PkContext& operator=(const PkContext&) = delete;
  mbedtls_pk_context* get() { return &value_; }

  /// Unencrypted private key in DER, or in PEM with its terminating zero; 0 for success.
  int parse_private(ByteView encoded) {
#if MBEDTLS_VERSION_MAJOR >= 3
    return mbedtls_pk_parse_key(&value_, encoded.data(), encoded.size(), nullptr, 0, random_for_mbedtls, nullptr);
#else
    return mbedtls_pk_parse_key(&value_, encoded.data(), encoded.size(), nullptr, 0);
#endif
  }

 private:
  mbedtls_pk_context value_;
};

}  // namespace cardea::vcard
