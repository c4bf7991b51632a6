#include "conformance/profile.h"

#include <algorithm>
#include <filesystem>

#include "conformance/isolate.h"
#include "conformance/profile_calls.h"
#include "cryptoki/names.h"

namespace cardea::conformance {
namespace {

namespace fs = std::filesystem;

bool is_call(const pugi::xml_node& node) {
  return node.type() == pugi::node_element && std::string(node.name()).compare(0, 2, "C_") == 0;
}

/// One call and the response element that follows it; why they disagree, empty when they do not.
std::string run_step(const p11::Module& module, CK_SLOT_ID slot, const pugi::xml_node& call,
                     const pugi::xml_node& expected, Variables& variables) {
  pugi::xml_document document;
  ProfileCall step{module, slot, call, variables, document.append_child(call.name())};
  const CK_RV rv = make_profile_call(step);
  const auto wanted = parse_number(expected.attribute("rv").value(), "CKR");
  if (!wanted) return std::string("unknown rv ") + expected.attribute("rv").value();
  if (rv != *wanted) return rv_name(rv) + " instead of " + rv_name(*wanted);
  return compare_response(expected, step.answer, variables);
}

/// The slot of the target, found before the test case initialises the module itself.
CK_SLOT_ID slot_before(const Target& target) {
  Context probe(
      target, "profile", [](const Finding&) {}, [](const std::string&) {});
  return probe.slot();
}

void run_test_case(const std::string& name, const pugi::xml_document& document, const Target& target,
                   const Context::Sink& sink, const Context::Announce& announce) {
  const CK_SLOT_ID slot = slot_before(target);
  p11::Module module(target.module_path);
  Variables variables{{"Pin", target.pin}};
  int number = 0;
  bool stopped = false;
  for (pugi::xml_node call = document.child("PKCS11").first_child(); call; call = call.next_sibling()) {
    if (!is_call(call) || call.attribute("rv")) continue;
    pugi::xml_node expected = call.next_sibling(call.name());
    const std::string counted = std::to_string(++number);
    const std::string step = name + "/" + std::string(counted.size() < 2 ? 1 : 0, '0') + counted + " " + call.name();
    if (stopped) {
      sink({step, Verdict::skip, "an earlier call of this test case failed"});
      continue;
    }
    announce(step);
    std::string wrong;
    try {
      wrong = expected.attribute("rv") ? run_step(module, slot, call, expected, variables) : "the response is missing";
    } catch (const std::exception& error) {
      wrong = error.what();
    }
    sink({step, wrong.empty() ? Verdict::pass : Verdict::fail, wrong});
    // A value that differs spoils nothing that follows; a call that failed does.
    stopped = wrong.find(" instead of CKR_") != std::string::npos;
  }
  if (stopped) module->C_Finalize(nullptr);
  if (number == 0) sink({name, Verdict::fail, "the file holds no calls"});
}

/// CN=cardea conformance
p11::Bytes subject_name() {
  return p11::from_hex("301d311b301906035504030c1263617264656120636f6e666f726d616e6365");
}

/// A certificate's DER is only carried by a token, never judged: this one has the right outline and nothing more.
p11::Bytes outline_certificate(std::uint8_t serial) {
  const p11::Bytes name = subject_name();
  const p11::Bytes algorithm = p11::from_hex("300506032b6570");
  p11::Bytes body = {0xa0, 0x03, 0x02, 0x01, 0x02, 0x02, 0x01, serial};
  const auto append = [](p11::Bytes& to, const p11::Bytes& from) { to.insert(to.end(), from.begin(), from.end()); };
  append(body, algorithm);
  append(body, name);
  append(body, p11::from_hex("301e170d3236303130313030303030305a170d3336303130313030303030305a"));
  append(body, name);
  append(body, p11::from_hex("302a300506032b6570032100"));
  append(body, p11::Bytes(32, serial));
  p11::Bytes inner = {0x30, 0x81, static_cast<std::uint8_t>(body.size())};
  append(inner, body);
  append(inner, algorithm);
  append(inner, p11::from_hex("034100"));
  append(inner, p11::Bytes(64, serial));
  p11::Bytes whole = {0x30, 0x81, static_cast<std::uint8_t>(inner.size())};
  append(whole, inner);
  return whole;
}

void prepare_pair(Context& context, const p11::Session& session) {
  p11::Template wanted;
  wanted.boolean(CKA_TOKEN, true).ulong(CKA_CLASS, CKO_PRIVATE_KEY).text(CKA_LABEL, "testrsa-pri");
  if (!session.find(wanted).empty()) return;
  p11::Template public_half;
  public_half.boolean(CKA_TOKEN, true)
      .boolean(CKA_PRIVATE, false)
      .boolean(CKA_VERIFY, true)
      .text(CKA_LABEL, "testrsa-pub");
  public_half.ulong(CKA_MODULUS_BITS, 2048).bytes(CKA_PUBLIC_EXPONENT, {1, 0, 1}).bytes(CKA_ID, {0xc0});
  p11::Template private_half;
  private_half.boolean(CKA_TOKEN, true).boolean(CKA_PRIVATE, true).boolean(CKA_SENSITIVE, true);
  private_half.boolean(CKA_SIGN, true).text(CKA_LABEL, "testrsa-pri").bytes(CKA_ID, {0xc0});
  CK_OBJECT_HANDLE a = 0, b = 0;
  context.require_ok("C_GenerateKeyPair",
                     session.generate_pair(p11::Mechanism(CKM_RSA_PKCS_KEY_PAIR_GEN), public_half, private_half, a, b));
}

void prepare_certificates(Context& context, const p11::Session& session) {
  for (std::uint8_t serial = 1; serial <= 5; ++serial) {
    p11::Template attributes;
    attributes.ulong(CKA_CLASS, CKO_CERTIFICATE).ulong(CKA_CERTIFICATE_TYPE, CKC_X_509).boolean(CKA_TOKEN, true);
    attributes.boolean(CKA_PRIVATE, false)
        .text(CKA_LABEL, std::string("conformance certificate ") + char('0' + serial));
    attributes.bytes(CKA_SUBJECT, subject_name()).bytes(CKA_ISSUER, subject_name());
    attributes.bytes(CKA_SERIAL_NUMBER, {0x02, 0x01, serial});
    if (!session.find(attributes).empty()) continue;
    attributes.bytes(CKA_VALUE, outline_certificate(serial));
    CK_OBJECT_HANDLE made = 0;
    context.require_ok("C_CreateObject", session.create(attributes, made));
  }
}

}  // namespace

std::vector<std::string> profile_files(const std::string& path) {
  if (!fs::is_directory(path)) return {path};
  std::vector<std::string> files;
  for (const auto& entry : fs::directory_iterator(path)) {
    if (entry.path().extension() == ".xml") files.push_back(entry.path().string());
  }
  std::sort(files.begin(), files.end());
  return files;
}

std::vector<Finding> run_profile(const std::string& file, const Target& target, int seconds) {
  const std::string name = "profile/" + fs::path(file).stem().string();
  pugi::xml_document document;
  if (const auto parsed = document.load_file(file.c_str()); !parsed) {
    return {{name, Verdict::fail, std::string("cannot be read: ") + parsed.description()}};
  }
  return isolate(name, seconds, [&](const Context::Sink& sink, const Context::Announce& announce) {
    run_test_case(name, document, target, sink, announce);
  });
}

std::vector<Finding> prepare_token(const Target& target, int seconds) {
  return isolate("prepare", seconds, [&](const Context::Sink& sink, const Context::Announce& announce) {
    Context context(target, "prepare", sink, announce);
    auto session = context.user_session();
    context.step("RSA pair", [&] { prepare_pair(context, *session); });
    context.step("certificates", [&] { prepare_certificates(context, *session); });
  });
}

}  // namespace cardea::conformance
