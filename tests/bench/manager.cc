// cardea-bench-manager: what a manager answers in a second over kept connections, request to answer, and beside it what
// the crypto library alone does on the same cores. One thread keeps all connections busy with requests made beforehand,
// so that little of the machine goes into asking. tests/bench/manager.sh starts the manager and prints the table.
//
// usage: cardea-bench-manager certificates PORT CA.pem CERTIFICATE.pem KEY.pem REQUEST.csr CONNECTIONS SECONDS
//        cardea-bench-manager ocsp PORT PATH REQUEST.der post|get CONNECTIONS SECONDS
//        cardea-bench-manager limits REQUEST.csr SECONDS
#include <openssl/evp.h>
#include <openssl/pem.h>
#include <openssl/x509.h>

#include <algorithm>
#include <array>
#include <boost/asio/connect.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/ip/tcp.hpp>
#include <boost/asio/ssl.hpp>
#include <boost/asio/write.hpp>
#include <charconv>
#include <chrono>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <fstream>
#include <functional>
#include <iterator>
#include <memory>
#include <stdexcept>
#include <string>
#include <thread>
#include <vector>

namespace {

namespace asio = boost::asio;
using asio::ip::tcp;
using boost::system::error_code;
using Clock = std::chrono::steady_clock;
using TlsStream = asio::ssl::stream<tcp::socket>;

std::string read_file(const char* name) {
  std::ifstream file(name, std::ios::binary);
  std::string text{std::istreambuf_iterator<char>(file), {}};
  if (text.empty()) throw std::runtime_error(std::string(name) + " cannot be read");
  return text;
}

// The base64 between the lines of a PEM file.
std::string body_of_pem(const std::string& pem) {
  std::string body;
  for (std::size_t at = 0; at < pem.size();) {
    const std::size_t end = std::min(pem.find('\n', at), pem.size());
    if (pem[at] != '-') body += pem.substr(at, end - at);
    at = end + 1;
  }
  return body;
}

std::string base64(const std::string& bytes) {
  std::string text(4 * ((bytes.size() + 2) / 3) + 1, '\0');
  const int size =
      EVP_EncodeBlock(reinterpret_cast<unsigned char*>(text.data()),
                      reinterpret_cast<const unsigned char*>(bytes.data()), static_cast<int>(bytes.size()));
  text.resize(static_cast<std::size_t>(size));
  return text;
}

/// A whole request, and what must stand in its answer.
struct Exchange {
  std::string request;
  std::string expected;
};

struct Load {
  std::vector<Exchange> exchanges;  ///< each connection walks through them from a place of its own
  std::string status;               ///< first line that a right answer has, up to the code
  int connections = 1;
  Clock::time_point end;
};

struct Counts {
  long right = 0;
  long wrong = 0;
  std::vector<float> milliseconds;
};

/// One kept connection: a request, its whole answer, the next one.
template <class Stream>
class Asking : public std::enable_shared_from_this<Asking<Stream>> {
 public:
  template <class... Arguments>
  Asking(const Load& load, Counts& counts, std::size_t first, Arguments&&... arguments)
      : stream_(std::forward<Arguments>(arguments)...), load_(load), counts_(counts), next_(first) {}

  void open(std::uint16_t port) {
    lowest().connect({asio::ip::address_v4::loopback(), port});
    lowest().set_option(tcp::no_delay(true));
    if constexpr (std::is_same_v<Stream, TlsStream>) stream_.handshake(asio::ssl::stream_base::client);
  }

  void ask() {
    if (Clock::now() >= load_.end) return;
    current_ = &load_.exchanges[next_++ % load_.exchanges.size()];
    begun_ = Clock::now();
    filled_ = 0;
    asio::async_write(stream_, asio::buffer(current_->request),
                      [self = this->shared_from_this()](error_code failed, std::size_t) {
                        if (failed) return self->lost();
                        self->read();
                      });
  }

 private:
  auto& lowest() { return stream_.lowest_layer(); }

  void read() {
    stream_.async_read_some(asio::buffer(answer_.data() + filled_, answer_.size() - filled_),
                            [self = this->shared_from_this()](error_code failed, std::size_t size) {
                              if (failed) return self->lost();
                              self->filled_ += size;
                              if (!self->whole()) return self->read();
                              self->judge();
                              self->ask();
                            });
  }

  bool whole() const {
    const std::string_view seen(answer_.data(), filled_);
    const std::size_t end = seen.find("\r\n\r\n");
    if (end == std::string_view::npos) return false;
    constexpr std::string_view field = "Content-Length: ";
    const std::size_t at = seen.find(field);
    std::size_t length = 0;
    if (at < end) std::from_chars(seen.data() + at + field.size(), seen.data() + end, length);
    return filled_ >= end + 4 + length;
  }

  void judge() {
    const std::string_view seen(answer_.data(), filled_);
    const bool right =
        seen.starts_with(load_.status) && seen.find(current_->expected, load_.status.size()) != std::string_view::npos;
    ++(right ? counts_.right : counts_.wrong);
    counts_.milliseconds.push_back(std::chrono::duration<float, std::milli>(Clock::now() - begun_).count());
  }

  void lost() { ++counts_.wrong; }

  Stream stream_;
  const Load& load_;
  Counts& counts_;
  std::size_t next_;
  const Exchange* current_ = nullptr;
  Clock::time_point begun_;
  std::array<char, 65536> answer_{};
  std::size_t filled_ = 0;
};

template <class Stream, class... Arguments>
int run_load(Load load, std::uint16_t port, int seconds, const char* what, Arguments&... arguments) {
  asio::io_context io(1);
  Counts counts;
  std::vector<std::shared_ptr<Asking<Stream>>> all;
  for (int i = 0; i < load.connections; ++i) {
    const std::size_t first =
        static_cast<std::size_t>(i) * load.exchanges.size() / static_cast<std::size_t>(load.connections);
    all.push_back(std::make_shared<Asking<Stream>>(load, counts, first, io, arguments...));
    all.back()->open(port);
  }
  const auto begin = Clock::now();
  load.end = begin + std::chrono::seconds(seconds);
  for (const auto& one : all) one->ask();
  io.run();
  const double took = std::chrono::duration<double>(Clock::now() - begin).count();
  std::sort(counts.milliseconds.begin(), counts.milliseconds.end());
  const auto percentile = [&](std::size_t percent) {
    return counts.milliseconds.empty() ? 0.0F : counts.milliseconds[(counts.milliseconds.size() - 1) * percent / 100];
  };
  std::printf("%s, %d connections: %.0f /s, p50 %.2f ms, p99 %.2f ms, %ld failed\n", what, load.connections,
              static_cast<double>(counts.right) / took, static_cast<double>(percentile(50)),
              static_cast<double>(percentile(99)), counts.wrong);
  return counts.right > 0 && counts.wrong == 0 ? 0 : 1;
}

int certificates(char** words) {
  const std::string body = R"({"policy":"tls-client","csr":")" + body_of_pem(read_file(words[4])) + "\"}";
  Load load;
  load.exchanges.push_back(
      {"POST /v1/certificates HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\n"
       "Content-Length: " +
           std::to_string(body.size()) + "\r\n\r\n" + body,
       R"("state":"active")"});
  load.status = "HTTP/1.1 201";
  load.connections = std::atoi(words[5]);
  asio::ssl::context tls(asio::ssl::context::tls_client);
  tls.load_verify_file(words[1]);
  tls.set_verify_mode(asio::ssl::verify_peer);
  tls.use_certificate_chain_file(words[2]);
  tls.use_private_key_file(words[3], asio::ssl::context::pem);
  const auto port = static_cast<std::uint16_t>(std::atoi(words[0]));
  return run_load<TlsStream>(std::move(load), port, std::atoi(words[6]), "certificates", tls);
}

// Where the nonce of an OCSP request stands: behind its name (RFC 9654, 2.1), as an OCTET STRING within another.
std::string::size_type nonce_of(const std::string& request) {
  constexpr std::string_view name("\x06\x09\x2b\x06\x01\x05\x05\x07\x30\x01\x02", 11);
  const std::size_t at = request.find(name);
  if (at == std::string::npos) throw std::runtime_error("the OCSP request has no nonce");
  return at + name.size() + 4;
}

// Every request has a nonce of its own, and only an answer with that nonce counts, so each was signed for it.
int ocsp(char** words) {
  std::string request = read_file(words[2]);
  const std::size_t nonce = nonce_of(request);
  const std::size_t size =
      std::min<std::size_t>(static_cast<unsigned char>(request[nonce - 1]), request.size() - nonce);
  if (size < sizeof(std::uint32_t)) throw std::runtime_error("the OCSP request's nonce is too short");
  const bool get = std::string_view(words[3]) == "get";
  Load load;
  for (std::uint32_t i = 0; i < 4096; ++i) {
    std::memcpy(request.data() + nonce, &i, sizeof i);
    std::string text;
    if (get) {
      std::string path;
      for (const char c : base64(request))
        path += c == '+' ? "%2B" : c == '/' ? "%2F" : c == '=' ? "%3D" : std::string(1, c);
      text = std::string("GET ") + words[1] + "/" + path + " HTTP/1.1\r\nHost: localhost\r\n\r\n";
    } else {
      text = std::string("POST ") + words[1] +
             " HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/ocsp-request\r\nContent-Length: " +
             std::to_string(request.size()) + "\r\n\r\n" + request;
    }
    load.exchanges.push_back({std::move(text), request.substr(nonce, size)});
  }
  load.status = "HTTP/1.1 200";
  load.connections = std::atoi(words[4]);
  const auto port = static_cast<std::uint16_t>(std::atoi(words[0]));
  return run_load<tcp::socket>(std::move(load), port, std::atoi(words[5]),
                               get ? "ocsp answers by GET" : "ocsp answers by POST");
}

void check(bool done, const char* what) {
  if (!done) throw std::runtime_error(std::string(what) + " failed");
}

/// Calls of `work` in a second on all cores together.
double on_all_cores(int seconds, const std::function<void()>& work) {
  const unsigned cores = std::max(1U, std::thread::hardware_concurrency());
  std::vector<long> counts(cores);
  std::vector<std::thread> threads;
  const auto begin = Clock::now();
  const auto end = begin + std::chrono::seconds(seconds);
  for (unsigned i = 0; i < cores; ++i)
    threads.emplace_back([&, i] {
      while (Clock::now() < end) work(), ++counts[i];
    });
  for (std::thread& thread : threads) thread.join();
  long sum = 0;
  for (const long count : counts) sum += count;
  return static_cast<double>(sum) / std::chrono::duration<double>(Clock::now() - begin).count();
}

int limits(char** words) {
  const int seconds = std::atoi(words[1]);
  const std::string pem = read_file(words[0]);
  BIO* const in = BIO_new_mem_buf(pem.data(), static_cast<int>(pem.size()));
  X509_REQ* const request = PEM_read_bio_X509_REQ(in, nullptr, nullptr, nullptr);
  check(request != nullptr, "PEM_read_bio_X509_REQ");
  unsigned char* der = nullptr;
  const int size = i2d_X509_REQ(request, &der);
  EVP_PKEY* const key = EVP_EC_gen("P-256");
  check(size > 0 && key != nullptr, "EVP_EC_gen");
  const auto sign = [key] {
    const std::array<unsigned char, 600> message{};
    std::array<unsigned char, 128> signature{};
    std::size_t length = signature.size();
    EVP_MD_CTX* const context = EVP_MD_CTX_new();
    check(EVP_DigestSignInit(context, nullptr, EVP_sha256(), nullptr, key) == 1 &&
              EVP_DigestSign(context, signature.data(), &length, message.data(), message.size()) == 1,
          "EVP_DigestSign");
    EVP_MD_CTX_free(context);
  };
  const double signatures = on_all_cores(seconds, sign);
  const double both = on_all_cores(seconds, [&] {
    const unsigned char* next = der;
    X509_REQ* const parsed = d2i_X509_REQ(nullptr, &next, size);
    check(parsed != nullptr && X509_REQ_verify(parsed, X509_REQ_get0_pubkey(parsed)) == 1, "X509_REQ_verify");
    X509_REQ_free(parsed);
    sign();
  });
  std::printf("library alone, all cores: %.0f /s signed; %.0f /s requests read, verified and signed\n", signatures,
              both);
  EVP_PKEY_free(key);
  OPENSSL_free(der);
  X509_REQ_free(request);
  BIO_free(in);
  return 0;
}

}  // namespace

int main(int argc, char** argv) {
  const std::string_view mode = argc > 1 ? argv[1] : "";
  try {
    if (mode == "certificates" && argc == 9) return certificates(argv + 2);
    if (mode == "ocsp" && argc == 8) return ocsp(argv + 2);
    if (mode == "limits" && argc == 4) return limits(argv + 2);
  } catch (const std::exception& problem) {
    std::fprintf(stderr, "cardea-bench-manager: %s\n", problem.what());
    return 1;
  }
  std::fprintf(stderr, "see the first lines of tests/bench/manager.cc for the use\n");
  return 2;
}
