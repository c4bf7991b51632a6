// Requests and certificates from outside whose signatures hold, and whose encoding hides something.
#include "x509/request_reader.h"

#include "base/testing.h"
#include "crypto/asymmetric_key.h"
#include "crypto/digest.h"
#include "crypto/key_encoding.h"
#include "x509/certificate_view.h"
#include "x509/request.h"

using namespace cardea;
using namespace cardea::x509;
using cardea::testing::hex;
using cardea::testing::must;

namespace {

// A request, with something else for its signature's algorithm, which the signature does not cover.
struct Made {
  Bytes info;
  Bytes oid;
  Bytes parameters;
  Bytes signature;

  Bytes with(const Bytes& other) const { return sequence({info, sequence({oid, other}), bit_string(signature)}); }
};

Made taken_apart(ByteView der) {
  crypto::DerReader outer(der);
  crypto::DerReader parts(outer.take(tag_sequence).value());
  Made made;
  made.info = to_bytes(parts.take_whole(tag_sequence).value());
  const ByteView algorithm = parts.take(tag_sequence).value();
  crypto::DerReader fields(algorithm);
  made.oid = to_bytes(fields.take_whole(tag_oid).value());
  made.parameters = to_bytes(algorithm.subspan(made.oid.size()));
  made.signature = to_bytes(parts.take(tag_bit_string).value().subspan(1));
  return made;
}

Result<Bytes> signed_by(const crypto::AsymmetricKey& key, Scheme scheme, ByteView message) {
  CARDEA_ASSIGN(const Bytes digest, crypto::digest(Hash::sha256, message));
  Bytes out(key.output_size());
  std::size_t size = 0;
  if (scheme == Scheme::eddsa) {
    CARDEA_ASSIGN(size, key.sign_message({}, message, out));
  } else if (scheme == Scheme::rsa_pss) {
    CARDEA_ASSIGN(size, key.sign_pss(Hash::sha256, Hash::sha256, 32, digest, out));
  } else if (scheme == Scheme::rsa_pkcs1) {
    const Bytes algorithm = sequence({must(object_identifier("2.16.840.1.101.3.4.2.1")), element(tag_null, {})});
    CARDEA_ASSIGN(size, key.sign_pkcs1(sequence({algorithm, octet_string(digest)}), out));
  } else {
    CARDEA_ASSIGN(size, key.ecdsa_sign(digest, out));
    const ByteView flat = ByteView(out).first(size);
    return sequence({integer(flat.first(size / 2)), integer(flat.last(size / 2))});
  }
  out.resize(size);
  return out;
}

Made request(const crypto::AsymmetricKey& key, Scheme scheme) {
  RequestSpec spec;
  spec.subject = "CN=Ana";
  const auto sign = [&](ByteView message) { return signed_by(key, scheme, message); };
  const Hash hash = scheme == Scheme::eddsa ? Hash::none : Hash::sha256;
  return taken_apart(must(make_request(spec, must(crypto::subject_public_key_info(key)), scheme, hash, sign)));
}

Bytes joined(const Bytes& a, const Bytes& b) {
  Bytes both = a;
  both.insert(both.end(), b.begin(), b.end());
  return both;
}

void taken(const Made& made, const Bytes& parameters) {
  const auto read = read_request(made.with(parameters));
  BOOST_TEST(read.ok(), to_hex(parameters));
}

void refused(const Made& made, const Bytes& parameters) {
  BOOST_TEST((read_request(made.with(parameters)).code() == Code::mechanism_invalid), to_hex(parameters));
}

const Bytes null = hex("0500");
const Bytes junk = hex("0403010203");

}  // namespace

BOOST_AUTO_TEST_SUITE(request_reader)

BOOST_AUTO_TEST_CASE(parameters_of_a_signature_are_those_of_its_algorithm) {
  constexpr Byte exponent[] = {1, 0, 1};
  const auto rsa = must(crypto::AsymmetricKey::generate_rsa(2048, exponent));
  const Made pkcs1 = request(*rsa, Scheme::rsa_pkcs1);
  for (const Bytes& right : {null, Bytes()}) taken(pkcs1, right);
  for (const Bytes& wrong : {junk, joined(null, null), joined(null, junk)}) refused(pkcs1, wrong);

  const auto ec = must(crypto::AsymmetricKey::generate(crypto::KeyAlgorithm::p256));
  const Made ecdsa = request(*ec, Scheme::ecdsa);
  for (const Bytes& right : {null, Bytes()}) taken(ecdsa, right);
  for (const Bytes& wrong : {junk, joined(null, junk)}) refused(ecdsa, wrong);

  const auto edwards = must(crypto::AsymmetricKey::generate(crypto::KeyAlgorithm::ed25519));
  const Made eddsa = request(*edwards, Scheme::eddsa);
  taken(eddsa, Bytes());
  for (const Bytes& wrong : {null, junk}) refused(eddsa, wrong);
}

BOOST_AUTO_TEST_CASE(exponents_of_rsa_keys_are_not_small) {
  for (const Bytes& exponent : {Bytes{3}, Bytes{0xff, 0xff}}) {
    const auto small = must(crypto::AsymmetricKey::generate_rsa(2048, exponent));
    const Made made = request(*small, Scheme::rsa_pkcs1);
    BOOST_TEST((read_request(made.with(null)).code() == Code::public_key_invalid), to_hex(exponent));
  }
}

BOOST_AUTO_TEST_CASE(principal_names_are_text) {
  const auto key = must(crypto::AsymmetricKey::generate(crypto::KeyAlgorithm::ed25519));
  const Bytes spki = must(crypto::subject_public_key_info(*key));
  const auto made = [&](std::string name) {
    RequestSpec spec;
    spec.alt_names = {std::move(name)};
    const auto sign = [&](ByteView message) { return signed_by(*key, Scheme::eddsa, message); };
    return make_request(spec, spki, Scheme::eddsa, Hash::none, sign);
  };
  BOOST_TEST(made("upn:zo\xc3\xab@example.org").ok());
  for (const std::string& name : {std::string("zo\xeb@example.org"), std::string("a\0@b", 4), std::string("a\x1b@b")})
    BOOST_TEST((made("upn:" + name).code() == Code::arguments_bad));
}

BOOST_AUTO_TEST_CASE(nothing_hides_in_the_parameters_of_pss) {
  constexpr Byte exponent[] = {1, 0, 1};
  const auto rsa = must(crypto::AsymmetricKey::generate_rsa(2048, exponent));
  const Made pss = request(*rsa, Scheme::rsa_pss);
  crypto::DerReader reader(pss.parameters);
  const Bytes fields = to_bytes(reader.take(tag_sequence).value());
  const auto and_then = [&](const Bytes& more) { return sequence({fields, more}); };
  taken(pss, pss.parameters);
  taken(pss, and_then(hex("a303020101")));  // trailerField 1 (RFC 4055, 3.1)
  for (const char* more : {"a303020102", "a3030201010500", "0500", "a4030201ff", "a303020101a303020101"})
    refused(pss, and_then(hex(more)));
}

BOOST_AUTO_TEST_CASE(what_is_critical_is_not_guessed) {
  // BasicConstraints, critical: true in DER, in BER only, and not at all.
  BOOST_TEST(must(read_extensions(hex("300c0603551d130101ff04023000"))).front().critical);
  for (const char* digits :
       {"300c0603551d1301010104023000", "300b0603551d13010004023000", "300d0603551d130102ffff04023000"})
    BOOST_TEST((read_extensions(hex(digits)).code() == Code::data_invalid), digits);
}

BOOST_AUTO_TEST_CASE(certificates_are_of_version_3) {
  const auto key = must(crypto::AsymmetricKey::generate(crypto::KeyAlgorithm::p256));
  const Bytes spki = must(crypto::subject_public_key_info(*key));
  const Bytes algorithm = sequence({must(object_identifier("1.2.840.10045.4.3.2"))});
  const Bytes now = x509::time(std::chrono::sys_days(std::chrono::year(2027) / 1 / 15));
  const auto certificate = [&](const char* version, const char* serial) {
    const Bytes body = sequence({element(context_tag(0), {hex(version)}), hex(serial), algorithm, sequence({}),
                                 sequence({now, now}), sequence({}), spki});
    return sequence({body, algorithm, bit_string(hex("00"))});
  };
  BOOST_TEST(view_certificate(certificate("020102", "020105")).ok());
  for (const char* version : {"", "020101", "020103", "0201ff", "0202ff02", "020102020102", "040102"})
    BOOST_TEST((view_certificate(certificate(version, "020105")).code() == Code::data_invalid), version);
  for (const char* serial : {"0200", "0201ff", "02020005", "040105"})
    BOOST_TEST((view_certificate(certificate("020102", serial)).code() == Code::data_invalid), serial);
}

BOOST_AUTO_TEST_SUITE_END()
