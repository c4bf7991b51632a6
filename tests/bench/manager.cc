// cardea-bench-manager: certificates a second from a manager, over kept connections with mutual TLS, request to answer.
// tests/bench/manager.sh starts the manager.
//
// usage: cardea-bench-manager URL CA.pem CERTIFICATE.pem KEY.pem REQUEST.csr THREADS SECONDS
#include <atomic>
#include <chrono>
#include <cstdio>
#include <cstdlib>
#include <fstream>
#include <iterator>
#include <thread>
#include <vector>

#include "client/api_client.h"

using namespace cardea;

namespace {

std::string read_file(const char* name) {
  std::ifstream file(name);
  return {std::istreambuf_iterator<char>(file), {}};
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

struct Counts {
  std::atomic<long> issued = 0;
  std::atomic<long> failed = 0;
};

void ask(char** words, const std::string& body, std::chrono::steady_clock::time_point end, Counts& counts) {
  client::ClientSettings settings;
  settings.url = words[1];
  settings.ca_file = words[2];
  settings.certificate = words[3];
  settings.key = words[4];
  auto client = client::ApiClient::open(std::move(settings));
  if (!client) {
    ++counts.failed;
    return;
  }
  while (std::chrono::steady_clock::now() < end) {
    const auto answer = (*client)->call("POST", "/v1/certificates", body);
    ++(answer && answer->status == 201 ? counts.issued : counts.failed);
  }
}

}  // namespace

int main(int argc, char** argv) {
  if (argc != 8) {
    std::fprintf(stderr, "usage: %s URL CA.pem CERTIFICATE.pem KEY.pem REQUEST.csr THREADS SECONDS\n", argv[0]);
    return 2;
  }
  const std::string body = R"({"policy":"tls-client","csr":")" + body_of_pem(read_file(argv[5])) + "\"}";
  const int threads = std::atoi(argv[6]);
  const int seconds = std::atoi(argv[7]);
  Counts counts;
  const auto begin = std::chrono::steady_clock::now();
  std::vector<std::thread> running;
  for (int i = 0; i < threads; ++i)
    running.emplace_back(ask, argv, body, begin + std::chrono::seconds(seconds), std::ref(counts));
  for (auto& thread : running) thread.join();
  const double took = std::chrono::duration<double>(std::chrono::steady_clock::now() - begin).count();
  std::printf("%d connections: %.0f certificates/s, %ld failed\n", threads, static_cast<double>(counts.issued) / took,
              counts.failed.load());
  return counts.issued > 0 && counts.failed == 0 ? 0 : 1;
}
