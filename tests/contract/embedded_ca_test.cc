// The embedded CA beyond the contract of connectors: profiles, requests, chains, CRLs and OCSP answers. What other
// makers' programs say of them is in tests/integration/ca_counterparts.sh.
#include <boost/json/parse.hpp>
#include <set>

#include "base/testing.h"
#include "contract/ca_kit.h"
#include "embedded/alternative_names.h"
#include "embedded/ocsp_request.h"
#include "x509/signature.h"

using namespace cardea;
using namespace cardea::ca_kit;
using manager::AlternativeName;
using manager::Rejected;
using manager::RevocationReason;

namespace {

ca::CaCreation creation(std::string name, ca::CaType type = ca::CaType::root) {
  ca::CaCreation wanted;
  wanted.subject = "CN=" + name + ",O=Cardea Test";
  wanted.name = std::move(name);
  wanted.type = type;
  return wanted;
}

struct Setting : Bench {
  Setting() : root(Bench::root(creation("Root"))) {}

  std::string rejection(const manager::IssuanceRequest& request) {
    const auto answer = must(enrol(*root, request));
    const auto* rejected = std::get_if<Rejected>(&answer);
    return rejected == nullptr ? "" : rejected->reason;
  }
  std::unique_ptr<ca::EmbeddedCa> root;
  Holder holder;
};

const x509::Extension* extension_of(const x509::CertificateView& certificate, std::string_view oid) {
  return x509::find_extension(certificate.extensions, must(x509::object_identifier(oid)));
}

/// Extensions that a request asks for, one after the other.
Bytes asked(std::initializer_list<std::pair<const char*, Bytes>> list) {
  Bytes out;
  for (const auto& [oid, value] : list) {
    const Bytes one = x509::extension(must(x509::object_identifier(oid)), false, value);
    out.insert(out.end(), one.begin(), one.end());
  }
  return out;
}

/// An OCSP request for certificates of `issuer`, by SHA-256; extensions (SEQUENCE) of the request and of each question.
Bytes ocsp_request(const ca::EmbeddedCa& issuer, const std::vector<Bytes>& serials, ByteView nonce = {},
                   ByteView of_request = {}, ByteView of_each = {}) {
  using namespace x509;
  const auto own = must(view_certificate(issuer.certificate()));
  const Bytes algorithm = sequence({must(object_identifier("2.16.840.1.101.3.4.2.1"))});
  const Bytes name_hash = octet_string(must(crypto::digest(Hash::sha256, own.subject)));
  const Bytes key_hash = octet_string(must(crypto::digest(Hash::sha256, key_bits(own.key_info))));
  Bytes list;
  for (const Bytes& serial : serials) {
    const Bytes single = of_each.empty() ? Bytes() : element(context_tag(0), {of_each});
    const Bytes one = sequence({sequence({algorithm, name_hash, key_hash, integer(ByteView(serial))}), single});
    list.insert(list.end(), one.begin(), one.end());
  }
  Bytes extensions;
  if (!of_request.empty()) extensions = element(context_tag(2), {of_request});
  if (!nonce.empty()) {
    const Bytes value = octet_string(nonce);
    extensions =
        element(context_tag(2), {sequence({extension(must(object_identifier("1.3.6.1.5.5.7.48.1.2")), false, value)})});
  }
  return sequence({sequence({sequence({list}), extensions})});
}

/// The number in OCSPResponseStatus.
int ocsp_status(ByteView answer) {
  crypto::DerReader outer(answer);
  crypto::DerReader reader(outer.take(x509::tag_sequence).value());
  return reader.take(x509::tag_enumerated).value()[0];
}

bool contains(ByteView where, ByteView what) {
  return std::search(where.begin(), where.end(), what.begin(), what.end()) != where.end();
}

}  // namespace

BOOST_FIXTURE_TEST_CASE(every_profile_of_the_product_issues, Setting) {
  auto below = creation("Issuing", ca::CaType::issuing);
  const auto issuing = Bench::below(below, *root);
  std::set<std::string> groups;
  std::size_t count = 0;
  for (ca::EmbeddedCa* const ca : {root.get(), issuing.get()}) {
    for (const manager::CaProfile& profile : must(ca->profiles())) {
      groups.insert(profile.group);
      // Whoever could choose a principal name could log on as anybody.
      BOOST_TEST(std::ranges::count(ca->profile(profile.id)->request_names, AlternativeName::Kind::upn) == 0);
      auto request = request_for(profile.id, holder.request("CN=Subject"));
      const Bytes der = issued(*ca, request);
      const auto certificate = must(x509::view_certificate(der));
      const auto length = certificate.not_after - certificate.not_before;
      BOOST_TEST((length <= profile.validity + 24h * 10), profile.id);
      ++count;
    }
  }
  // The groups of CAs have no profile for others; the rest must be there.
  BOOST_TEST(groups.size() >= 14u);
  BOOST_TEST(count >= 70u);
}

BOOST_FIXTURE_TEST_CASE(serial_numbers_are_long_random_and_never_twice, Setting) {
  std::set<Bytes> serials;
  std::size_t longest = 0;
  for (int i = 0; i < 64; ++i) {
    const Bytes certificate = issued(*root, request_for("basic", holder.request("CN=Subject")));
    const Bytes serial = to_bytes(must(x509::view_certificate(certificate)).serial);
    longest = std::max(longest, serial.size());
    BOOST_TEST(serial.size() >= 13u);
    BOOST_TEST(serials.insert(serial).second);
  }
  BOOST_TEST(longest == 16u);
}

BOOST_FIXTURE_TEST_CASE(stated_names_replace_those_of_the_request, Setting) {
  const Bytes mail = must(ca::encode_alternative_names({{AlternativeName::Kind::rfc822, "eve@example.org"}}));
  const Bytes csr = holder.request("CN=Eve", asked({{"2.5.29.17", mail}}));
  auto request = request_for("smime-signature", csr);
  auto names = [&] {
    const Bytes certificate = issued(*root, request);
    const auto view = must(x509::view_certificate(certificate));
    const auto* found = extension_of(view, "2.5.29.17");
    return found == nullptr ? std::vector<AlternativeName>()
                            : must(ca::decode_alternative_names(to_bytes(found->value))).names;
  };
  BOOST_TEST((names() == std::vector<AlternativeName>{{AlternativeName::Kind::rfc822, "eve@example.org"}}));
  request.alternative_names = {{{AlternativeName::Kind::upn, "ana@example.org"}}};
  BOOST_TEST((names() == *request.alternative_names));
  request.alternative_names.emplace();
  BOOST_TEST(names().empty());
}

BOOST_FIXTURE_TEST_CASE(a_request_cannot_claim_what_its_profile_does_not_allow, Setting) {
  const Bytes upn = must(ca::encode_alternative_names({{AlternativeName::Kind::upn, "administrator@example.org"}}));
  const Bytes csr = holder.request("CN=Eve", asked({{"2.5.29.17", upn}}));
  // A principal name in the request is left out by this profile.
  const Bytes certificate = issued(*root, request_for("smartcard-logon", csr));
  BOOST_TEST((extension_of(must(x509::view_certificate(certificate)), "2.5.29.17") == nullptr));
  // A SID or basic constraints in a request never count.
  const Bytes ca_true = x509::sequence({x509::boolean(true)});
  const Bytes wants_ca = holder.request("CN=Eve", asked({{"2.5.29.19", ca_true}, {"1.3.6.1.4.1.311.25.2", {4, 0}}}));
  const Bytes plain = issued(*root, request_for("basic", wants_ca));
  const auto seen = must(x509::view_certificate(plain));
  BOOST_TEST(to_hex(extension_of(seen, "2.5.29.19")->value) == "3000");
  BOOST_TEST((extension_of(seen, "1.3.6.1.4.1.311.25.2") == nullptr));
  // Usages may be narrowed, never widened.
  const Bytes narrow = holder.request("CN=Eve", asked({{"2.5.29.15", x509::named_bits(1)}}));
  const Bytes narrowed = issued(*root, request_for("basic", narrow));
  BOOST_TEST(to_hex(extension_of(must(x509::view_certificate(narrowed)), "2.5.29.15")->value) == "03020780");
  const Bytes wide = holder.request("CN=Eve", asked({{"2.5.29.15", x509::named_bits(1 | 1 << 5)}}));
  BOOST_TEST(rejection(request_for("basic", wide)).find("key usages") != std::string::npos);
}

BOOST_FIXTURE_TEST_CASE(custom_profiles_are_clones_with_changes, Setting) {
  auto settings = root->settings();
  settings.profiles.push_back({{"id", "strict"},
                               {"based_on", "smartcard-logon"},
                               {"name", "Strict"},
                               {"validity", "P30D"},
                               {"unknown_extensions", "reject"},
                               {"policies", {"1.2.3.4.5"}}});
  const auto custom = must(ca::EmbeddedCa::open(1, settings, parts()));
  auto request = request_for("strict", holder.request("CN=Ana"));
  const Bytes der = issued(*custom, request);
  const auto certificate = must(x509::view_certificate(der));
  BOOST_TEST((certificate.not_after - certificate.not_before < 31 * 24h));
  BOOST_TEST((extension_of(certificate, "2.5.29.32") != nullptr));
  request = request_for("strict", holder.request("CN=Ana", asked({{"1.2.3.4", {5, 0}}})));
  const auto answer = must(enrol(*custom, request));
  BOOST_REQUIRE(std::holds_alternative<Rejected>(answer));
  BOOST_TEST(std::get<Rejected>(answer).reason.find("1.2.3.4") != std::string::npos);

  for (const char* broken :
       {R"({"id":"x","based_on":"none"})", R"({"id":"x","based_on":"basic","validity":"1 year"})",
        R"({"id":"x","based_on":"basic","key_usage":["fly"]})", R"({"id":"x","based_on":"basic","ca":true})",
        R"({"id":"x","based_on":"basic","colour":1})", R"({"id":"basic","based_on":"basic"})",
        R"({"id":"x","based_on":"basic","ca_types":[]})", R"({"id":7,"based_on":"basic"})"}) {
    settings = root->settings();
    settings.profiles.push_back(boost::json::parse(broken).get_object());
    const auto opened = ca::EmbeddedCa::open(1, settings, parts());
    BOOST_TEST((opened.code() == Code::arguments_bad), broken);
    BOOST_TEST(!opened.error().detail.empty());
  }
}

BOOST_FIXTURE_TEST_CASE(a_leaf_never_outlives_its_ca_and_an_expired_ca_issues_nothing, Setting) {
  const auto own = must(x509::view_certificate(root->certificate()));
  clock.set(own.not_after - 24h);
  auto request = request_for("basic", holder.request("CN=Ana"));
  BOOST_TEST((must(x509::view_certificate(issued(*root, request))).not_after == own.not_after));
  clock.set(own.not_after + 1s);
  BOOST_TEST(rejection(request_for("basic", holder.request("CN=Ana"))).find("not valid") != std::string::npos);
  // Not for good: a clock that is behind is put right.
  clock.set(own.not_before - 24h);
  BOOST_TEST((enrol(*root, request_for("basic", holder.request("CN=Ana"))).code() == Code::timed_out));
}

BOOST_FIXTURE_TEST_CASE(requests_by_weak_or_foreign_keys_are_rejected, Setting) {
  const Holder weak(crypto::KeyAlgorithm::rsa, 1024);
  BOOST_TEST(!rejection(request_for("basic", weak.request("CN=Ana"))).empty());
  // Every single byte of a request is covered by the proof of possession or by the form.
  const Bytes csr = holder.request("CN=Ana");
  for (std::size_t i = 0; i < csr.size(); ++i) {
    Bytes changed = csr;
    changed[i] ^= 0x01;
    BOOST_TEST(!rejection(request_for("basic", changed)).empty(), i);
    BOOST_TEST(
        !rejection(request_for("basic", Bytes(csr.begin(), csr.begin() + static_cast<std::ptrdiff_t>(i)))).empty());
  }
  const Holder agreement(crypto::KeyAlgorithm::ed25519);
  BOOST_TEST(rejection(request_for("basic", agreement.request("CN=Ana"))).empty());
  BOOST_TEST(rejection(request_for("smime-encryption", agreement.request("CN=Ana"))).find("nothing") !=
             std::string::npos);
}

BOOST_FIXTURE_TEST_CASE(a_subject_from_a_request_hides_nothing, Setting) {
  const auto subject = [&](Byte tag, std::string_view value) {
    using namespace x509;
    const Bytes type = must(object_identifier("2.5.4.3"));
    return sequence({element(tag_set, {sequence({type, element(tag, {view_of(value)})})})});
  };
  const auto refused = [&](const Bytes& name) {
    return !rejection(request_for("basic", holder.request_for_name(name))).empty();
  };
  BOOST_TEST(!refused(subject(0x0c, "Ana")));
  BOOST_TEST(!refused(subject(0x13, "Ana")));
  BOOST_TEST(refused(subject(0x0c, "Ana\xff")));
  BOOST_TEST(refused(subject(0x0c, std::string_view("Ana\0.example.org", 15))));
  BOOST_TEST(refused(subject(0x0c, "Ana\nArcher")));
  BOOST_TEST(refused(subject(0x0c, std::string(1025, 'a'))));
  BOOST_TEST(refused(subject(0x04, "Ana")));
  BOOST_TEST(refused(x509::sequence({testing::hex("0500")})));
  BOOST_TEST(refused(x509::sequence({testing::hex("3100")})));
  // A SET whose elements are not in the order of DER.
  BOOST_TEST(refused(testing::hex("301b3119300b06035504030c0441616161300a06035504030c03416e61")));
  auto stated = request_for("basic", holder.request("CN=x"));
  stated.subject = "CN=Ana\\0AArcher";
  BOOST_TEST(!rejection(stated).empty());
}

BOOST_FIXTURE_TEST_CASE(a_key_made_here_comes_with_its_certificate, Setting) {
  auto request = request_for("smime-encryption", {});
  request.subject = "CN=Ana";
  auto made = must(root->enrol_with_key(request, manager::IssuanceTicket::for_recorded_intent(request.id),
                                        crypto::KeyAlgorithm::rsa));
  const auto key = must(crypto::from_private_key_info(made.private_key.view()));
  BOOST_TEST(must(crypto::subject_public_key_info(*key)) ==
             to_bytes(must(x509::view_certificate(made.issued.certificate)).key_info));
}

BOOST_FIXTURE_TEST_CASE(an_external_root_certifies_by_request, Setting) {
  auto requested = must(ca::request_ca(parts(), creation("Below", ca::CaType::issuing)));
  BOOST_TEST((ca::EmbeddedCa::open(3, requested, parts()).code() == Code::arguments_bad));
  const auto csr = must(x509::read_request(requested.request));
  const Bytes certificate = must(root->certify(*root->profile("issuing-ca"), csr.subject, csr.key_info, {}));
  const auto complete = [&](Bytes cert, std::vector<Bytes> chain) {
    return ca::complete_ca(parts(), requested, std::move(cert), std::move(chain), false);
  };
  BOOST_TEST((complete(certificate, {}).code() == Code::arguments_bad));
  BOOST_TEST((complete(root->certificate(), {root->certificate()}).code() == Code::arguments_bad));
  BOOST_TEST((complete(Bytes{1}, {root->certificate()}).code() == Code::data_invalid));
  const auto stranger = Bench::root(creation("Root"));  // the same name and another key
  BOOST_TEST((complete(certificate, {stranger->certificate()}).code() == Code::signature_invalid));
  const auto settings = must(complete(certificate, {root->certificate()}));
  const auto ca = must(ca::EmbeddedCa::open(3, must(ca::read_settings(ca::write_settings(settings))), parts()));
  const auto answer = must(enrol(*ca, request_for("basic", holder.request("CN=Ana"))));
  BOOST_TEST(std::get<manager::Issued>(answer).chain.size() == 2u);
  // A CA below an issuing one has no place.
  BOOST_TEST(!ca::create_below(parts(), creation("Third", ca::CaType::issuing), *ca));
}

BOOST_FIXTURE_TEST_CASE(who_asks_by_a_request_becomes_no_ca_and_no_ocsp_signer, Setting) {
  for (const char* const profile : {"root-ca", "intermediate-ca", "issuing-ca", "ocsp-signer"}) {
    BOOST_TEST(rejection(request_for(profile, holder.request("CN=Ana"))).find("nothing is issued") != std::string::npos,
               profile);
    auto request = request_for(profile, {});
    request.subject = "CN=Ana";
    const auto made = root->enrol_with_key(request, manager::IssuanceTicket::for_recorded_intent(request.id),
                                           crypto::KeyAlgorithm::p256);
    BOOST_TEST((made.code() == Code::action_prohibited), profile);
  }
}

BOOST_FIXTURE_TEST_CASE(a_ca_whose_key_or_time_is_gone_does_not_work, Setting) {
  BOOST_TEST(root->check().ok());
  clock.set(clock.now() + 24h * 366 * 30);
  BOOST_TEST((root->check().code() == Code::action_prohibited));
  clock.set(clock.now() - 24h * 366 * 30);
  must(keys->destroy_key(root->settings().key));
  BOOST_TEST((root->check().code() == Code::not_found));
}

BOOST_FIXTURE_TEST_CASE(what_is_installed_can_be_a_ca_where_it_stands, Setting) {
  const auto requested = must(ca::request_ca(parts(), creation("Middle", ca::CaType::intermediate)));
  const auto csr = must(x509::read_request(requested.request));
  const auto complete = [&](const ca::EmbeddedSettings& settings, Bytes own, std::vector<Bytes> chain) {
    return ca::complete_ca(parts(), settings, std::move(own), std::move(chain), false);
  };
  const auto says = [](const auto& result, std::string_view words) {
    return !result.ok() && result.error().detail.find(words) != std::string::npos;
  };
  // A usage that signs no CRLs.
  const auto top = must(x509::view_certificate(root->certificate()));
  const ca::Issuer by_root(*keys, {root->settings().key, root->settings().scheme, to_bytes(top.subject), Bytes(20, 1)},
                           {});
  ca::CertificateContent content;
  content.subject = csr.subject;
  content.key_info = csr.key_info;
  content.not_before = clock.now() - 5min;
  content.not_after = clock.now() + 24h * 20;
  content.usage = ca::key_usage::key_cert_sign;
  const auto& profile = *root->profile("issuing-ca");
  BOOST_TEST(says(complete(requested, must(by_root.issue(profile, content)), {root->certificate()}), "cRLSign"));
  content.usage |= ca::key_usage::crl_sign;
  const Bytes good = must(by_root.issue(profile, content));
  clock.set(clock.now() + 24h * 21);
  BOOST_TEST(says(complete(requested, good, {root->certificate()}), "has ended"));
  clock.set(clock.now() - 24h * 21);
  // Nor is a chain of any use that ends before its lowest certificate does.
  const auto now = clock.now();
  content.not_after = top.not_after + 24h;
  const Bytes longer = must(by_root.issue(profile, content));
  clock.set(top.not_after + 1h);
  BOOST_TEST(says(complete(requested, longer, {root->certificate()}), "above has ended"));
  clock.set(now);
  const auto installed = must(complete(requested, good, {root->certificate()}));
  // Path length 0 has no CA below it (RFC 5280, 4.2.1.9), neither made here nor brought.
  const auto middle = must(ca::EmbeddedCa::open(4, installed, parts()));
  BOOST_TEST(says(ca::create_below(parts(), creation("Low", ca::CaType::issuing), *middle), "path length"));
  const auto low = must(ca::request_ca(parts(), creation("Low", ca::CaType::issuing)));
  const auto low_csr = must(x509::read_request(low.request));
  const ca::Issuer by_middle(*keys, {installed.key, installed.scheme, to_bytes(csr.subject), Bytes(20, 2)}, {});
  content.subject = low_csr.subject;
  content.key_info = low_csr.key_info;
  BOOST_TEST(says(complete(low, must(by_middle.issue(profile, content)), {good, root->certificate()}), "path length"));
  // The next certificate keeps the name.
  const Bytes other = must(x509::name_der("CN=Other"));
  content.subject = other;
  content.key_info = csr.key_info;
  BOOST_TEST(
      says(complete(installed, must(by_root.issue(profile, content)), {root->certificate()}), "another subject"));
}

BOOST_FIXTURE_TEST_CASE(settings_survive_and_mistakes_are_told, Setting) {
  const auto document = ca::write_settings(root->settings());
  BOOST_TEST((ca::write_settings(must(ca::read_settings(document))) == document));
  for (const auto& [member, value] :
       std::initializer_list<std::pair<const char*, boost::json::value>>{{"type", "leaf"},
                                                                         {"scheme", 7},
                                                                         {"certificate", "***"},
                                                                         {"chain", "x"},
                                                                         {"crl_lifetime", "1 week"},
                                                                         {"crl_interval", "P8D"},
                                                                         {"urls", "x"},
                                                                         {"keep_expired", "yes"},
                                                                         {"ocsp", 1},
                                                                         {"profiles", {1}}}) {
    auto broken = document;
    broken[member] = value;
    const auto read = ca::read_settings(broken);
    BOOST_TEST((read.code() == Code::arguments_bad), member);
  }
  auto broken = document;
  broken["urls"] = {{"crl", "file:///etc/passwd"}};
  BOOST_TEST(!ca::read_settings(broken));
}

BOOST_FIXTURE_TEST_CASE(names_that_cannot_stand_in_a_certificate_are_refused, Setting) {
  using Kind = AlternativeName::Kind;
  for (const AlternativeName& name :
       std::initializer_list<AlternativeName>{{Kind::rfc822, "a"},
                                              {Kind::rfc822, "a b@example.org"},
                                              {Kind::rfc822, "ä@example.org"},
                                              {Kind::dns, "-x.example.org"},
                                              {Kind::dns, "a..b"},
                                              {Kind::dns, ""},
                                              {Kind::dns, std::string("a\0b", 3)},
                                              {Kind::upn, "nobody"},
                                              {Kind::upn, "a@b\n"},
                                              {Kind::uri, "nothing"},
                                              {Kind::uri, "http:// x"},
                                              {Kind::ip, "1.2.3"},
                                              {Kind::ip, "1.2.3.4/8"},
                                              {Kind::directory, "nothing"},
                                              {Kind::fasc_n, "00"},
                                              {Kind::uuid, "00112233445566778899aabbccddeeff"},
                                              {Kind::registered_id, "9.9"}}) {
    auto request = request_for("basic", holder.request("CN=Ana"));
    request.alternative_names = {{name}};
    BOOST_TEST(!rejection(request).empty(), word(name.kind) << ":" << name.value);
  }
  auto request = request_for("basic", holder.request("CN=Ana"));
  request.extensions.sid = "S-1-";
  BOOST_TEST(!rejection(request).empty());
}

BOOST_FIXTURE_TEST_CASE(a_crl_is_signed_and_tells_number_and_entries, Setting) {
  const Bytes certificate = issued(*root, request_for("basic", holder.request("CN=Ana")));
  const Bytes empty = must(root->make_crl(1, clock.now()));
  status.revoked(certificate, clock.now(), RevocationReason::superseded);
  const Bytes full = must(root->make_crl(2, clock.now()));
  BOOST_TEST(full.size() > empty.size());
  BOOST_TEST(contains(full, x509::integer(must(x509::view_certificate(certificate)).serial)));
  crypto::DerReader outer(full);
  crypto::DerReader parts(outer.take(x509::tag_sequence).value());
  const ByteView signed_part = parts.take_whole(x509::tag_sequence).value();
  const ByteView algorithm = parts.take_whole(x509::tag_sequence).value();
  const ByteView signature = parts.take(x509::tag_bit_string).value();
  const auto key =
      must(crypto::from_subject_public_key_info(must(x509::view_certificate(root->certificate())).key_info));
  BOOST_TEST(x509::verify_signature(algorithm, *key, signed_part, signature.subspan(1)).ok());
  // A month lasts as long in a CRL as where it is seen whether the next is due.
  auto monthly = root->settings();
  monthly.crl_lifetime = manager::IsoDuration{1};
  const auto patient = must(ca::EmbeddedCa::open(1, monthly, this->parts()));
  const auto february = manager::Time(std::chrono::sys_days(std::chrono::year(2027) / 2 / 1));
  BOOST_TEST(contains(must(patient->make_crl(3, february)), x509::time(february + patient->crl_lifetime())));
  status.broken = true;
  BOOST_TEST((root->make_crl(3, clock.now()).code() == Code::timed_out));
}

BOOST_FIXTURE_TEST_CASE(ocsp_answers_what_is_asked_and_errors_are_answers_too, Setting) {
  const Bytes certificate = issued(*root, request_for("basic", holder.request("CN=Ana")));
  const Bytes serial = to_bytes(must(x509::view_certificate(certificate)).serial);
  status.issued(certificate);
  const Bytes nonce(32, 0x77);
  const Bytes request = ocsp_request(*root, {serial, Bytes{1}}, nonce);
  const Bytes answer = must(root->answer_ocsp(request, clock.now()));
  BOOST_TEST(ocsp_status(answer) == 0);
  BOOST_TEST(contains(answer, nonce));
  BOOST_TEST(contains(answer, root->settings().ocsp->certificate));
  // The signer's time is over: the CA answers itself.
  const Bytes later = must(root->answer_ocsp(request, clock.now() + 24h * 400));
  BOOST_TEST(ocsp_status(later) == 0);
  BOOST_TEST(!contains(later, root->settings().ocsp->certificate));

  const auto status_to = [&](ByteView question) { return ocsp_status(must(root->answer_ocsp(question, clock.now()))); };
  BOOST_TEST(status_to({}) == 1);
  BOOST_TEST(status_to(ocsp_request(*root, {})) == 1);
  BOOST_TEST(status_to(ocsp_request(*root, {serial}, Bytes(129, 1))) == 1);
  BOOST_TEST(status_to(ocsp_request(*root, std::vector<Bytes>(256, serial))) == 0);
  BOOST_TEST(status_to(ocsp_request(*root, std::vector<Bytes>(257, serial))) == 1);
  for (std::size_t i = 0; i < request.size(); ++i) BOOST_TEST(status_to(ByteView(request).first(i)) == 1, i);
  // Extensions that nobody knows are ignored unless they are critical, about one certificate and about all.
  for (const bool critical : {false, true}) {
    const Bytes unknown =
        x509::sequence({x509::extension(must(x509::object_identifier("1.2.3.4")), critical, Bytes{5, 0})});
    BOOST_TEST(status_to(ocsp_request(*root, {serial}, {}, unknown)) == (critical ? 1 : 0));
    BOOST_TEST(status_to(ocsp_request(*root, {serial}, {}, {}, unknown)) == (critical ? 1 : 0));
  }
  const auto other = Bench::root(creation("Other"));
  BOOST_TEST(status_to(ocsp_request(*other, {serial})) == 6);
  status.broken = true;
  BOOST_TEST(status_to(request) == 3);
}

BOOST_FIXTURE_TEST_CASE(the_signer_of_ocsp_answers_is_renewed_with_a_new_key, Setting) {
  const auto renewed = must(ca::renew_ocsp_signer(parts(), root->settings()));
  BOOST_REQUIRE(renewed.ocsp.has_value());
  BOOST_TEST(renewed.ocsp->key != root->settings().ocsp->key);
  const auto again = must(ca::EmbeddedCa::open(1, renewed, parts()));
  const Bytes answer = must(again->answer_ocsp(ocsp_request(*root, {Bytes{1}}), clock.now()));
  BOOST_TEST(contains(answer, renewed.ocsp->certificate));
}

BOOST_FIXTURE_TEST_CASE(names_of_cas_and_schemes_are_checked, Setting) {
  for (const char* name : {"", "a/b", "a;b", "ä", "12345678901234567890123456789012345678901"}) {
    auto wanted = creation("x");
    wanted.name = name;
    BOOST_TEST((ca::create_root(parts(), wanted).code() == Code::arguments_bad), name);
  }
  auto wanted = creation("x");
  wanted.scheme = manager::SignatureScheme::rsa_pss_sha256;
  BOOST_TEST((ca::create_root(parts(), wanted).code() == Code::arguments_bad));
  wanted = creation("x");
  wanted.subject = "";
  BOOST_TEST((ca::create_root(parts(), wanted).code() == Code::arguments_bad));
}
