// Secrets that a TPM keeps for a keystore: given out by that TPM alone, whatever state it is in.
#include "tpm/tpm_sealer.h"

#include "tpm/test_rig.h"

namespace cardea::tpm {
namespace {

constexpr std::string_view serial = "0011223344556677";

struct SealerRig {
  SealerPtr at(const Swtpm& machine) const {
    TpmSettings settings;
    settings.tcti = machine.tcti();
    return make_tpm_sealer(settings);
  }
  /// What the sealer says of the blob: "success" only with the secret itself.
  std::string_view opens(const SealerPtr& sealer, ByteView blob, std::string_view of = serial) const {
    const auto opened = sealer->unseal(of, blob);
    if (opened && !equal_in_constant_time(opened->view(), secret.view())) return "another secret";
    return code_of(opened);
  }

  Swtpm swtpm;
  SealerPtr sealer = at(swtpm);
  SecretBytes secret{Bytes(sealable_size, 0x5a)};
  Bytes blob = ok(sealer->seal(serial, secret));
};

}  // namespace

BOOST_FIXTURE_TEST_SUITE(tpm_sealer, SealerRig)

BOOST_AUTO_TEST_CASE(the_tpm_gives_a_secret_back_after_a_restart_too) {
  BOOST_TEST(opens(sealer, blob) == "success");
  swtpm.stop();
  swtpm.start();
  BOOST_TEST(opens(sealer, blob) == "success");
  BOOST_TEST(opens(at(swtpm), blob) == "success");
}

BOOST_AUTO_TEST_CASE(another_tpm_and_a_cleared_one_do_not) {
  const Swtpm other;
  const auto refused = at(other)->unseal(serial, blob);
  BOOST_REQUIRE(code_of(refused) == "device_error");
  BOOST_TEST(refused.error().detail.find("another TPM") != std::string::npos);
  swtpm.stop();
  swtpm.start(/*cleared=*/true);
  const auto cleared = sealer->unseal(serial, blob);
  BOOST_REQUIRE(code_of(cleared) == "device_error");
  BOOST_TEST(cleared.error().detail.find("cleared") != std::string::npos);
}

BOOST_AUTO_TEST_CASE(it_belongs_to_one_token) {
  BOOST_TEST(opens(sealer, blob, "7766554433221100") == "device_error");
}

BOOST_AUTO_TEST_CASE(without_a_tpm_the_words_say_so) {
  TpmSettings settings;
  settings.tcti = "swtpm:path=" + (swtpm.folder() / "nowhere").string();
  const SealerPtr nowhere = make_tpm_sealer(settings);
  const auto refused = nowhere->unseal(serial, blob);
  BOOST_REQUIRE(code_of(refused) == "device_error");
  BOOST_TEST(refused.error().detail.find("cannot be reached") != std::string::npos);
  BOOST_TEST(code_of(nowhere->seal(serial, secret)) == "device_error");
  swtpm.stop();
  BOOST_TEST(code_of(sealer->unseal(serial, blob)) == "device_error");
}

BOOST_AUTO_TEST_CASE(a_lock_out_after_wrong_pins_does_not_stop_it) {
  Settings settings;
  settings.home = swtpm.folder() / "home";
  settings.tpm.tcti = swtpm.tcti();
  {
    const std::shared_ptr<Tpm> tpm = shared_tpm(settings.tpm);  // as the sealer uses it: swtpm has one connection
    const NewCard card{"laptop", pin_of("123456"), pin_of("87654321"), SecretBytes(Bytes(32, 0xaa))};
    const auto token = ok(TpmToken::open(settings, ok(create_card(settings, *tpm, card)), tpm));
    for (int i = 0; i < 3; ++i) BOOST_TEST(code_of(token->login(Role::user, pin_of("000000"))) == "pin_incorrect");
    BOOST_TEST(code_of(token->login(Role::user, pin_of("123456"))) == "pin_locked");
    BOOST_TEST(opens(sealer, blob) == "success");
    BOOST_TEST(token->describe().user_pin.locked);
  }
}

// A program that is logged in must not keep others from a TPM that has no resource manager.
BOOST_AUTO_TEST_CASE(the_tpm_is_let_go_afterwards) {
  BOOST_TEST(opens(sealer, blob) == "success");
  TpmSettings settings;
  settings.tcti = swtpm.tcti();
  Tpm another(settings);  // a connection of its own, as another process has
  LockOut state;
  ok(another.run([&](TpmAccess& access) -> Status {
    CARDEA_ASSIGN(state, access.connection.lock_out());
    return {};
  }));
  BOOST_TEST(state.limit > 0u);
}

BOOST_AUTO_TEST_CASE(blobs_that_were_changed_give_no_secret) {
  for (std::size_t size = 0; size < blob.size(); size += size < 8 ? 1 : 13) {
    BOOST_TEST(opens(sealer, ByteView(blob).first(size)) == "store_corrupt");
  }
  Bytes longer = blob;
  longer.push_back(0);
  BOOST_TEST(opens(sealer, longer) == "store_corrupt");
  Bytes newer = blob;
  ++newer[0];
  BOOST_TEST(opens(sealer, newer) == "store_newer");
  for (std::size_t at = 1; at < blob.size(); at += 11) {
    Bytes changed = blob;
    changed[at] ^= 0x40;
    const std::string_view outcome = opens(sealer, changed);
    BOOST_TEST_CONTEXT("byte " << at) {
      BOOST_TEST((outcome == "store_corrupt" || outcome == "device_error"));
    }
  }
  BOOST_TEST(opens(sealer, blob) == "success");
}

BOOST_AUTO_TEST_SUITE_END()

}  // namespace cardea::tpm
