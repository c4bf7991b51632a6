#include "http/tls.h"

#include <fmt/format.h>
#include <openssl/err.h>
#include <openssl/pem.h>
#include <openssl/ssl.h>
#include <openssl/x509_vfy.h>

#include <array>

#include "base/bytes.h"

namespace cardea::http {
namespace {

namespace ssl = boost::asio::ssl;

// TLS 1.2 only with ephemeral keys and authenticated encryption (RFC 9325, 4.2); those of TLS 1.3 are all good.
constexpr const char* tls12_ciphers = "ECDHE+AESGCM:ECDHE+CHACHA20:!aNULL:!PSK:!SHA1";

template <class T, auto free>
struct Freer {
  void operator()(T* object) const { free(object); }
};
using Bio = std::unique_ptr<BIO, Freer<BIO, BIO_free_all>>;
using Certificate = std::unique_ptr<X509, Freer<X509, X509_free>>;

// Every certificate is let through the handshake: TLS proves that the client holds its key, and whether anybody vouches
// for it is judged afterwards, where the answer can say in words what is wrong (RFC 8446, 4.4.2.4 leaves it to us).
int let_through(int, X509_STORE_CTX*) {
  return 1;
}

std::string last_error() {
  std::array<char, 256> text{};
  ERR_error_string_n(ERR_peek_last_error(), text.data(), text.size());
  ERR_clear_error();
  return text.data();
}

std::string subject_of(const X509* certificate) {
  const Bio out(BIO_new(BIO_s_mem()));
  if (!out) return {};
  X509_NAME_print_ex(out.get(), X509_get_subject_name(certificate), 0, XN_FLAG_RFC2253 & ~ASN1_STRFLGS_ESC_MSB);
  char* text = nullptr;
  const long size = BIO_get_mem_data(out.get(), &text);
  return {text, static_cast<std::size_t>(size)};
}

std::string mistrust_of(X509_STORE* trusted, X509* certificate, STACK_OF(X509) * chain) {
  const std::unique_ptr<X509_STORE_CTX, Freer<X509_STORE_CTX, X509_STORE_CTX_free>> check(X509_STORE_CTX_new());
  if (!check || X509_STORE_CTX_init(check.get(), trusted, certificate, chain) != 1) return "it cannot be checked";
  X509_STORE_CTX_set_default(check.get(), "ssl_client");
  if (X509_verify_cert(check.get()) == 1) return {};
  ERR_clear_error();
  return X509_verify_cert_error_string(X509_STORE_CTX_get_error(check.get()));
}

}  // namespace

TlsContext::TlsContext() : context_(ssl::context::tls_server), trusted_(X509_STORE_new(), X509_STORE_free) {}

Result<std::unique_ptr<TlsContext>> TlsContext::make(const std::filesystem::path& certificate_file,
                                                     const std::filesystem::path& key_file,
                                                     const std::vector<std::string>& client_ca_pems) {
  std::unique_ptr<TlsContext> made(new TlsContext);
  SSL_CTX* const context = made->context_.native_handle();
  SSL_CTX_set_min_proto_version(context, TLS1_2_VERSION);
  SSL_CTX_set_options(context, SSL_OP_NO_RENEGOTIATION | SSL_OP_CIPHER_SERVER_PREFERENCE | SSL_OP_NO_COMPRESSION |
                                   SSL_OP_CLEANSE_PLAINTEXT);
  SSL_CTX_set_cipher_list(context, tls12_ciphers);
  SSL_CTX_set_mode(context, SSL_MODE_RELEASE_BUFFERS);
  if (SSL_CTX_use_certificate_chain_file(context, certificate_file.c_str()) != 1)
    return error(Code::arguments_bad, fmt::format("the server's certificate in {} cannot be used: {}",
                                                  certificate_file.string(), last_error()));
  if (SSL_CTX_use_PrivateKey_file(context, key_file.c_str(), SSL_FILETYPE_PEM) != 1)
    return error(Code::arguments_bad,
                 fmt::format("the server's key in {} cannot be used: {}", key_file.string(), last_error()));
  if (SSL_CTX_check_private_key(context) != 1)
    return error(Code::arguments_bad, fmt::format("the key in {} does not belong to the certificate in {}",
                                                  key_file.string(), certificate_file.string()));
  // A resumed session carries the client's certificate, which OpenSSL does only for a named context.
  constexpr std::string_view session_context = "cardea-manager";
  SSL_CTX_set_session_id_context(context, reinterpret_cast<const unsigned char*>(session_context.data()),
                                 session_context.size());
  SSL_CTX_set_session_cache_mode(context, SSL_SESS_CACHE_OFF);
  SSL_CTX_set_verify(context, SSL_VERIFY_PEER, let_through);
  // An issuing CA may be trusted without its root, and a resumed session brings no chain.
  X509_STORE_set_flags(made->trusted_.get(), X509_V_FLAG_PARTIAL_CHAIN);
  for (const std::string& pem : client_ca_pems) CARDEA_TRY(made->trust(pem));
  return made;
}

Status TlsContext::trust(const std::string& pem) {
  const Bio in(BIO_new_mem_buf(pem.data(), static_cast<int>(pem.size())));
  std::size_t count = 0;
  while (const Certificate certificate{PEM_read_bio_X509(in.get(), nullptr, nullptr, nullptr)}) {
    if (X509_STORE_add_cert(trusted_.get(), certificate.get()) != 1)
      return error(Code::host_memory, "a client authority's certificate cannot be kept");
    ++count;
  }
  ERR_clear_error();
  if (count == 0) return error(Code::arguments_bad, "a file of client authorities holds no certificate in PEM form");
  return {};
}

std::optional<PeerCertificate> TlsContext::peer(SSL* connection) {
  const Certificate certificate(SSL_get1_peer_certificate(connection));
  if (!certificate) return std::nullopt;
  std::array<unsigned char, EVP_MAX_MD_SIZE> digest{};
  unsigned size = 0;
  if (X509_digest(certificate.get(), EVP_sha256(), digest.data(), &size) != 1) return std::nullopt;
  return PeerCertificate{to_hex(ByteView(digest.data(), size)), subject_of(certificate.get()),
                         mistrust_of(trusted_.get(), certificate.get(), SSL_get_peer_cert_chain(connection))};
}

}  // namespace cardea::http
