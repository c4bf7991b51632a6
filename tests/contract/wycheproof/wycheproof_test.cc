// Wycheproof's vectors through the C interface: "valid" passes, "invalid" fails, "acceptable" is counted.
#include <algorithm>
#include <boost/test/unit_test.hpp>
#include <iostream>
#include <sstream>

#include "contract/wycheproof/rig.h"

namespace {

using namespace cardea::wycheproof;
namespace fs = std::filesystem;

/// The longest beginning of a file's name decides.
struct Family {
  std::string_view beginning;
  std::string_view part;  ///< somewhere after the beginning
  Handler run;
};
constexpr Family families[] = {{"ecdsa_", "_p1363_", run_ecdsa_p1363},
                               {"ecdsa_", "", run_ecdsa},
                               {"ecdh_", "", run_ecdh},
                               {"ed25519", "", run_eddsa},
                               {"ed448", "", run_eddsa},
                               {"x25519", "", run_xdh},
                               {"x448", "", run_xdh},
                               {"rsa_pkcs1_", "sig_gen", run_rsa_sign},
                               {"rsa_pkcs1_", "", run_rsa_decrypt},
                               {"rsa_signature_", "", run_rsa_verify},
                               {"rsa_pss_", "", run_rsa_pss},
                               {"rsa_oaep_", "", run_rsa_oaep},
                               {"aes_gcm", "", run_aead},
                               {"aes_ccm", "", run_aead},
                               {"chacha20_poly1305", "", run_aead},
                               {"aes_gmac", "", run_gmac},
                               {"aes_cmac", "", run_mac},
                               {"hmac_", "", run_mac},
                               {"aes_wrap", "", run_key_wrap},
                               {"aes_kwp", "", run_key_wrap},
                               {"aes_cbc_pkcs5", "", run_cbc_pad},
                               {"hkdf_", "", run_hkdf},
                               {"pbkdf2_", "", run_pbkdf2},
                               {"primality", "", run_primality},
                               {"mldsa_", "_verify_", run_ml_dsa_verify},
                               {"mldsa_", "_sign_", run_ml_dsa_sign},
                               {"mlkem_", "_encaps_", run_ml_kem_encapsulate},
                               {"mlkem_", "_keygen_", run_ml_kem_keygen},
                               {"mlkem_", "", run_ml_kem}};

Handler handler_of(std::string_view file) {
  for (const Family& family : families) {
    if (file.find(family.beginning) == 0 && file.find(family.part) != std::string_view::npos) return family.run;
  }
  return nullptr;
}

/// Files of which PKCS#11, or the crypto library, has nothing. Any other whose vectors are all unsupported is a
/// mistake.
struct Lacking {
  std::string_view part;           ///< of the file's name
  CK_MECHANISM_TYPE unless_there;  ///< a token with this mechanism must run them; 0: no token can
};
constexpr Lacking lacking[] = {{"_shake", 0},
                               {"mgf1sha512_224", 0},
                               {"mgf1sha512_256", 0},
                               {"rsa_pss_2048_sha512_224_mgf1", 0},
                               {"rsa_pss_2048_sha512_256_mgf1", 0},
                               {"primality", 0},
                               {"mldsa_", CKM_ML_DSA},
                               {"mlkem_", CKM_ML_KEM}};

bool may_be_unsupported(const Rig& rig, std::string_view file) {
  return std::any_of(std::begin(lacking), std::end(lacking), [&](const Lacking& row) {
    return file.find(row.part) != std::string_view::npos && (row.unless_there == 0 || !rig.lists(row.unless_there));
  });
}

struct Tally {
  int run = 0, acceptable = 0, unsupported = 0;
  std::map<std::string, int> reasons;
};

void run_vector(Rig& rig, Handler handler, const Vector& v, Tally& tally) {
  const Outcome outcome = handler(rig, v);
  if (outcome.verdict == Verdict::unsupported) {
    ++tally.unsupported;
    ++tally.reasons[outcome.note];
    return;
  }
  ++tally.run;
  const std::string wanted = v.text("result");
  if (wanted == "acceptable") {
    ++tally.acceptable;
    return;
  }
  const bool right = (wanted == "valid") == (outcome.verdict == Verdict::accepted);
  if (!right) {
    BOOST_ERROR(std::string(v.file) + " tcId " + std::to_string(v.number("tcId")) + " (" + v.text("comment") + ") is " +
                wanted + ", the module " + (outcome.verdict == Verdict::accepted ? "accepts" : "rejects") + " it " +
                outcome.note);
  }
}

/// `own`: the file is the project's, so each of its vectors must run. The number of vectors that ran.
int run_file(Rig& rig, const fs::path& path, bool own) {
  const std::string name = path.filename().string();
  const Handler handler = handler_of(name);
  if (handler == nullptr) {
    BOOST_ERROR("no handler for " + name);
    return 0;
  }
  std::ifstream stream(path);
  std::stringstream text;
  text << stream.rdbuf();
  const boost::json::value whole = boost::json::parse(text.str());
  Tally tally;
  for (const auto& group : whole.at("testGroups").as_array()) {
    for (const auto& test : group.at("tests").as_array()) {
      run_vector(rig, handler, Vector{name, group.as_object(), test.as_object()}, tally);
    }
  }
  BOOST_TEST_CONTEXT(name) BOOST_TEST(tally.run + tally.unsupported > 0, "the file holds no vectors");
  BOOST_TEST_CONTEXT(name)
  BOOST_TEST((tally.run > 0 || (!own && may_be_unsupported(rig, name))), "every vector is unsupported");
  std::cout << (tally.run > 0 ? "ran     " : "SKIPPED ") << name << ": " << tally.run << " run, " << tally.acceptable
            << " acceptable, " << tally.unsupported << " unsupported";
  for (const auto& [reason, count] : tally.reasons) std::cout << "; " << count << ": " << reason;
  std::cout << std::endl;
  return tally.run;
}

void run_folder(const fs::path& folder, bool own) {
  cardea::p11::KeystoreKind kind;
  const cardea::p11::Module module(kind.module_path());
  BOOST_REQUIRE_EQUAL(module.initialize(), CKR_OK);
  const CK_SLOT_ID slot = kind.make_token(module, "vectors");
  {
    Rig rig(module, slot);
    BOOST_REQUIRE_EQUAL(rig.session.login(kind.user_pin()), CKR_OK);
    std::vector<fs::path> files;
    for (const auto& entry : fs::directory_iterator(folder)) {
      if (entry.path().extension() == ".json") files.push_back(entry.path());
    }
    std::sort(files.begin(), files.end());
    BOOST_REQUIRE(!files.empty());
    std::vector<std::string> skipped;
    for (const fs::path& file : files) {
      if (run_file(rig, file, own) == 0) skipped.push_back(file.filename().string());
    }
    std::cout << files.size() - skipped.size() << " files ran, " << skipped.size() << " are wholly unsupported\n";
    for (const std::string& name : skipped) std::cout << "  unsupported: " << name << "\n";
  }
  BOOST_TEST(module->C_Finalize(nullptr) == CKR_OK);
}

fs::path source() {
  const char* value = std::getenv("CARDEA_SOURCE");
  return value != nullptr ? value : ".";
}

}  // namespace

BOOST_AUTO_TEST_CASE(wycheproof) {
  const char* data = std::getenv("CARDEA_TEST_DATA");
  const fs::path folder = (data != nullptr ? fs::path(data) : source() / ".." / "shared" / "data") / "wycheproof";
  if (!fs::is_directory(folder)) {
    std::cout << "SKIPPED: " << folder.string() << " does not exist; only the project's own vectors run\n";
    return;
  }
  run_folder(folder, false);
}

BOOST_AUTO_TEST_CASE(own_vectors) {
  run_folder(source() / "tests" / "contract" / "vectors", true);
}
