// Certificates and keys of tests: a server for localhost, and a client that is its own authority. They protect nothing.
#pragma once

namespace cardea::http::testing {

inline constexpr const char* server_certificate = R"(-----BEGIN CERTIFICATE-----
MIIBmzCCAUGgAwIBAgIUU1rrFKz6HD9NDw9YZa7u3pX7rfcwCgYIKoZIzj0EAwIw
FDESMBAGA1UEAwwJbG9jYWxob3N0MCAXDTI2MTEyMDIxNDUzOVoYDzIxMjYxMDI3
MjE0NTM5WjAUMRIwEAYDVQQDDAlsb2NhbGhvc3QwWTATBgcqhkjOPQIBBggqhkjO
PQMBBwNCAATp13aLaWtcaUDEC+suLwLsHzDkK5ZcpdH715KmdgCQDy/nZVb6jFtE
+6TvQhBz6EgcBdDv5WiClomC0xGgnM8Zo28wbTAdBgNVHQ4EFgQUE4wU3owKfxIs
aI0eZxATnoHvt3kwHwYDVR0jBBgwFoAUE4wU3owKfxIsaI0eZxATnoHvt3kwDwYD
VR0TAQH/BAUwAwEB/zAaBgNVHREEEzARgglsb2NhbGhvc3SHBH8AAAEwCgYIKoZI
zj0EAwIDSAAwRQIhAJXHe6r9/Lw/JmfKVP4NM6TvggEDZ/i3Ebl+SNyz4w0XAiB7
ieaGInGx50iglNv4RbJd82AyfXde1n9wtQz1+nbsmw==
-----END CERTIFICATE-----
)";

inline constexpr const char* server_key = R"(-----BEGIN PRIVATE KEY-----
MIGHAgEAMBMGByqGSM49AgEGCCqGSM49AwEHBG0wawIBAQQgE7tV5GcdVHGWeRR/
KbLQV8cvfmmAFB2kXvQ+RJjSmtGhRANCAATp13aLaWtcaUDEC+suLwLsHzDkK5Zc
pdH715KmdgCQDy/nZVb6jFtE+6TvQhBz6EgcBdDv5WiClomC0xGgnM8Z
-----END PRIVATE KEY-----
)";

inline constexpr const char* client_certificate = R"(-----BEGIN CERTIFICATE-----
MIIBiDCCAS2gAwIBAgIUFPoF/uj5Qp09U1XyI27cSSyH2nIwCgYIKoZIzj0EAwIw
GDEWMBQGA1UEAwwNVGVzdCBvcGVyYXRvcjAgFw0yNjExMjAyMTQ1MzlaGA8yMTI2
MTAyNzIxNDUzOVowGDEWMBQGA1UEAwwNVGVzdCBvcGVyYXRvcjBZMBMGByqGSM49
AgEGCCqGSM49AwEHA0IABCFD6+H9ZyqRkSbeeil+4ebpxRQDBW5XwGBbTHGirK31
NmiZKUIp4oPDp+0FugyxmIQb1s+KGGcCibFtyns6G0KjUzBRMB0GA1UdDgQWBBRy
6i0La8BfGBXlJrJFrSeEhZVLHzAfBgNVHSMEGDAWgBRy6i0La8BfGBXlJrJFrSeE
hZVLHzAPBgNVHRMBAf8EBTADAQH/MAoGCCqGSM49BAMCA0kAMEYCIQC1ksjpx2/+
7N5iSrTXx8xR/ob/QW5RxJ8lLlZ1EvVC2AIhAL/JYa/cdXHVcXs2Miaj+xs6Ls8f
2NYYNaSr1YbvPq1J
-----END CERTIFICATE-----
)";

inline constexpr const char* client_key = R"(-----BEGIN PRIVATE KEY-----
MIGHAgEAMBMGByqGSM49AgEGCCqGSM49AwEHBG0wawIBAQQghouc6XWZSo/ZbDX5
fxmcZX3Xs3jNifKuUxiyRXL2+EehRANCAAQhQ+vh/WcqkZEm3nopfuHm6cUUAwVu
V8BgW0xxoqyt9TZomSlCKeKDw6ftBboMsZiEG9bPihhnAomxbcp7OhtC
-----END PRIVATE KEY-----
)";

}  // namespace cardea::http::testing
