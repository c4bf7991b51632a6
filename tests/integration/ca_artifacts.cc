// Makes CAs of every kind of key with all that they publish, as files that other makers' programs look at
// (ca_counterparts.sh).
//   ca_artifacts FOLDER
// makes a folder a kind, with root, issuing CA, certificates and CRLs, says "ready KIND", and for each line on standard
// input answers the OCSP requests *.ocsp-request there with *.ocsp-answer; the line "next" goes to the next kind.
#include <iostream>

#include "contract/ca_kit.h"
#include "x509/encoding.h"

using namespace cardea;
using namespace cardea::ca_kit;
namespace fs = std::filesystem;

namespace {

void write(const fs::path& file, ByteView content) {
  std::ofstream(file, std::ios::binary)
      .write(reinterpret_cast<const char*>(content.data()), static_cast<std::streamsize>(content.size()));
}

void write_pem(const fs::path& file, ByteView certificate) {
  std::ofstream(file) << must(x509::to_pem("CERTIFICATE", certificate));
}

Bytes read(const fs::path& file) {
  std::ifstream in(file, std::ios::binary);
  return {std::istreambuf_iterator<char>(in), {}};
}

ca::CaCreation creation(std::string name, manager::SignatureScheme scheme, manager::SigningKeyType type) {
  ca::CaCreation wanted;
  wanted.subject = "CN=" + name + ",O=Cardea Test,C=DE";
  wanted.name = std::move(name);
  wanted.key_type = type;
  wanted.scheme = scheme;
  wanted.urls = {"http://pki.example.org/crl", "http://pki.example.org/ocsp", "http://pki.example.org/ca.cer"};
  return wanted;
}

manager::IssuanceRequest person(const Holder& holder, const std::string& profile) {
  using Kind = manager::AlternativeName::Kind;
  auto request = request_for(profile, holder.request("CN=ignored"));
  request.subject = "CN=Ána Archer,SN=Archer,GN=Ána,title=Engineer,serialNumber=4711,OU=R\\, D,O=Cardea Test,C=DE";
  request.alternative_names = {{{Kind::rfc822, "ana@example.org"},
                                {Kind::upn, "ana@EXAMPLE.ORG"},
                                {Kind::uuid, "00112233-4455-6677-8899-aabbccddeeff"},
                                {Kind::fasc_n, std::string(50, 'd')},
                                {Kind::directory, "CN=Ana,O=Other"},
                                {Kind::registered_id, "1.2.3.4"}}};
  request.extensions.sid = "S-1-5-21-1111111111-2222222222-333333333-1001";
  request.extensions.naci_pending = false;
  return request;
}

manager::IssuanceRequest server(const Holder& holder) {
  using Kind = manager::AlternativeName::Kind;
  auto request = request_for("tls-server", holder.request("CN=www.example.org"));
  request.alternative_names = {{{Kind::dns, "www.example.org"},
                                {Kind::ip, "192.0.2.1"},
                                {Kind::ip, "2001:db8::1"},
                                {Kind::uri, "https://www.example.org/"}}};
  return request;
}

struct Kind {
  manager::SigningKeyType type;
  manager::SignatureScheme scheme;
};

void make_crl(ca::EmbeddedCa& ca, const fs::path& folder, const std::string& name, manager::Time now) {
  write(folder / (name + ".crl"), must(ca.make_crl(4711, now)));
}

void answer_requests(ca::EmbeddedCa& ca, const fs::path& folder, manager::Time now) {
  for (const fs::directory_entry& entry : fs::directory_iterator(folder)) {
    if (entry.path().extension() != ".ocsp-request") continue;
    fs::path answer = entry.path();
    write(answer.replace_extension(".ocsp-answer"), must(ca.answer_ocsp(read(entry.path()), now)));
  }
}

// Waits for lines on standard input, so that the CA with its token lives while requests for it are made elsewhere.
void serve(ca::EmbeddedCa& ca, const fs::path& folder, manager::Time now) {
  std::cout << "ready " << folder.filename().string() << std::endl;
  std::string line;
  while (std::getline(std::cin, line) && line != "next") {
    answer_requests(ca, folder, now);
    std::cout << "answered" << std::endl;
  }
}

void make_kind(Bench& bench, const Kind& kind, const fs::path& folder) {
  fs::create_directories(folder);
  const auto now = bench.clock.now();
  auto root = bench.root(creation("Root", kind.scheme, kind.type));
  auto wanted = creation("Issuing", kind.scheme, kind.type);
  wanted.type = ca::CaType::issuing;
  auto issuing = bench.below(wanted, *root);
  bench.status.issued(issuing->certificate());
  write_pem(folder / "root.pem", root->certificate());
  write_pem(folder / "issuing.pem", issuing->certificate());
  write_pem(folder / "ocsp-signer.pem", issuing->settings().ocsp->certificate);
  make_crl(*root, folder, "root", now);

  const Holder holder;
  const Holder rsa(crypto::KeyAlgorithm::rsa);
  const struct {
    const char* name;
    manager::IssuanceRequest request;
  } wishes[]{{"logon", person(holder, "smartcard-logon")},    {"signature", person(rsa, "smartcard-signature")},
             {"encryption", person(rsa, "smime-encryption")}, {"agreement", person(holder, "smime-encryption")},
             {"piv", person(holder, "piv-authentication")},   {"server", server(holder)},
             {"revoked", person(holder, "smime-signature")},  {"held", person(holder, "smime-signature")}};
  for (const auto& wish : wishes) {
    const Bytes certificate = issued(*issuing, wish.request);
    bench.status.issued(certificate);
    write_pem(folder / (std::string(wish.name) + ".pem"), certificate);
    if (wish.name == std::string_view("revoked")) {
      bench.status.revoked(certificate, now - 60s, manager::RevocationReason::key_compromise, now - 24h);
    } else if (wish.name == std::string_view("held")) {
      bench.status.revoked(certificate, now - 60s, manager::RevocationReason::certificate_hold);
    }
  }
  make_crl(*issuing, folder, "issuing", now);
  serve(*issuing, folder, now);
}

// Of the twelve sets of SLH-DSA, whose signatures take up to a second each, one small and one fast one.
bool is_left_out(manager::SigningKeyType type) {
  using enum manager::SigningKeyType;
  return type >= slh_dsa_sha2_128s && type != slh_dsa_sha2_128s && type != slh_dsa_shake_256f;
}

}  // namespace

int main(int argc, char** argv) {
  if (argc != 2) return 2;
  try {
    Bench bench;
    for (std::size_t t = 0; t < manager::signing_key_type_count; ++t) {
      const auto type = static_cast<manager::SigningKeyType>(t);
      if (!bench.keys->supports(type) || is_left_out(type)) continue;
      const auto plain = default_scheme(type);
      make_kind(bench, {type, plain}, fs::path(argv[1]) / word(type));
      if (type == manager::SigningKeyType::rsa_2048 || type == manager::SigningKeyType::rsa_3072) {
        const auto pss = default_scheme(type, true);
        make_kind(bench, {type, pss}, fs::path(argv[1]) / (std::string(word(type)) + "-pss"));
      }
    }
  } catch (const std::exception& problem) {
    std::cerr << "ca_artifacts: " << problem.what() << "\n";
    return 1;
  }
  return 0;
}
