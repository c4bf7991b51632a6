// TLS 1.2 derivations against the PRF written out by its definition (RFC 5246, 5) over HMAC.
#include "crypto/kdf.h"
#include "crypto/mac.h"
#include "mechanism/generic_secret_testing.h"

using namespace cardea;
using namespace cardea::testing;

namespace {

Bytes joined(std::initializer_list<ByteView> parts) {
  Bytes all;
  for (const ByteView part : parts) all.insert(all.end(), part.begin(), part.end());
  return all;
}

std::string prf(ByteView secret_value, std::string_view label, ByteView seed, std::size_t size) {
  const auto hmac = [&](ByteView data) {
    const auto made = crypto::hmac(Hash::sha256, secret_value, data);
    BOOST_REQUIRE(made);
    return to_bytes(made->view());
  };
  const Bytes start = joined({view_of(label), seed});
  Bytes out;
  for (Bytes a = hmac(start); out.size() < size; a = hmac(a)) {
    const Bytes block = hmac(joined({a, start}));
    out.insert(out.end(), block.begin(), block.end());
  }
  return to_hex(ByteView(out).first(size));
}

struct Given {
  Bytes premaster = joined({hex("0303"), Bytes(46, 0x42)});
  Bytes master = Bytes(48, 0x17);
  Bytes client = Bytes(32, 0xc1);
  Bytes server = Bytes(32, 0x5e);
  Bytes client_iv = Bytes(16);
  Bytes server_iv = Bytes(16);
  CK_VERSION version{0, 0};
  CK_SSL3_KEY_MAT_OUT out{99, 99, 99, 99, client_iv.data(), server_iv.data()};

  CK_SSL3_RANDOM_DATA randoms() { return {client.data(), client.size(), server.data(), server.size()}; }
  CK_TLS12_KEY_MAT_PARAMS key_block(CK_ULONG mac, CK_ULONG key, CK_ULONG iv) {
    return {mac, key, iv, CK_FALSE, randoms(), &out, CKM_SHA256};
  }
};

KeyRef generic(ByteView value, bool sensitive = false) {
  return secret(CKK_GENERIC_SECRET, value, sensitive);
}

}  // namespace

BOOST_AUTO_TEST_SUITE(tls12)

BOOST_AUTO_TEST_CASE(prf_known_answer) {
  const auto made = crypto::tls_prf(Hash::sha256, hex("9bbe436ba940f017b17652849a71db35"), view_of("test label"),
                                    hex("a0ba9f936cda311827a6f796ffd5198c"), 100);
  BOOST_REQUIRE(made);
  BOOST_TEST(
      to_hex(made->view()) ==
      "e3f229ba727be17b8d122620557cd453c2aab21d07c3d495329b52d4e61edb5a6b301791e90d35c9c9a46b4e14baf9af0fa022f707"
      "7def17abfd3797c0564bab4fbc91666e9def9b97fce34f796789baa48082d122ee42c5a72e5a5110fff70187347b66");
}

BOOST_AUTO_TEST_CASE(master_secrets) {
  Given given;
  RecordingHost host;
  CK_TLS12_MASTER_KEY_DERIVE_PARAMS parameter{given.randoms(), &given.version, CKM_SHA256};
  const std::string expected = prf(given.premaster, "master secret", joined({given.client, given.server}), 48);
  BOOST_TEST(derived(CKM_TLS12_MASTER_KEY_DERIVE, generic(given.premaster), parameter_of(parameter), host) == expected);
  BOOST_TEST(int{given.version.major} == 3);
  BOOST_TEST(int{given.version.minor} == 3);
  BOOST_TEST(derived(CKM_TLS12_MASTER_KEY_DERIVE, generic(Bytes(32)), parameter_of(parameter), host) ==
             "key_size_range");
  BOOST_TEST(derived(CKM_TLS12_MASTER_KEY_DERIVE, generic(given.premaster), parameter_of(parameter), host, 32) ==
             "template_inconsistent");
  BOOST_TEST(derived(CKM_TLS12_MASTER_KEY_DERIVE_DH, generic(given.premaster), parameter_of(parameter), host) ==
             "mechanism_param_invalid");
  parameter.pVersion = nullptr;
  BOOST_TEST(derived(CKM_TLS12_MASTER_KEY_DERIVE_DH, generic(Bytes(32, 9)), parameter_of(parameter), host, 48) ==
             prf(Bytes(32, 9), "master secret", joined({given.client, given.server}), 48));

  Bytes session_hash(32, 0x77);
  CK_TLS12_EXTENDED_MASTER_KEY_DERIVE_PARAMS extended{CKM_SHA256, session_hash.data(), session_hash.size(), nullptr};
  BOOST_TEST(derived(CKM_TLS12_EXTENDED_MASTER_KEY_DERIVE_DH, generic(Bytes(32, 9)), parameter_of(extended), host) ==
             prf(Bytes(32, 9), "extended master secret", session_hash, 48));
}

BOOST_AUTO_TEST_CASE(key_block) {
  Given given;
  RecordingHost host;
  auto parameter = given.key_block(256, 128, 32);
  const std::string block = prf(given.master, "key expansion", joined({given.server, given.client}), 2 * (32 + 16 + 4));
  BOOST_TEST(derived(CKM_TLS12_KEY_AND_MAC_DERIVE, generic(given.master), parameter_of(parameter), host, {}, CKK_AES) ==
             "none");
  std::string all;
  for (const std::string& one : host.created) all += one;
  all += to_hex(ByteView(given.client_iv).first(4)) + to_hex(ByteView(given.server_iv).first(4));
  BOOST_TEST(all == block);
  BOOST_TEST(given.out.hServerKey == 4u);

  RecordingHost safe_host;
  auto safe = given.key_block(0, 256, 128);
  BOOST_TEST(derived(CKM_TLS12_KEY_SAFE_DERIVE, generic(given.master, true), parameter_of(safe), safe_host, {},
                     CKK_CHACHA20) == "none");
  BOOST_TEST(safe_host.created.size() == 2u);
  BOOST_TEST(given.out.hClientMacSecret == CK_INVALID_HANDLE);
  BOOST_TEST(to_hex(ByteView(given.client_iv).last(12)) == to_hex(Bytes(12)));
}

BOOST_AUTO_TEST_CASE(ivs_do_not_leak_protected_keys) {
  Given given;
  RecordingHost host;
  auto parameter = given.key_block(0, 0, 128);
  BOOST_TEST(derived(CKM_TLS12_KEY_AND_MAC_DERIVE, generic(given.master, true), parameter_of(parameter), host) ==
             "mechanism_param_invalid");
  BOOST_TEST(to_hex(given.client_iv) == to_hex(Bytes(16)));
}

BOOST_AUTO_TEST_CASE(hostile_key_block_parameters) {
  RecordingHost host;
  const auto refused = [&](auto change) {
    Given given;
    auto parameter = given.key_block(256, 128, 32);
    change(parameter);
    BOOST_TEST(derived(CKM_TLS12_KEY_AND_MAC_DERIVE, generic(given.master), parameter_of(parameter), host) ==
               "mechanism_param_invalid");
  };
  refused([](auto& p) { p.pReturnedKeyMaterial = nullptr; });
  refused([](auto& p) { p.pReturnedKeyMaterial->pIVServer = nullptr; });
  refused([](auto& p) { p.bIsExport = CK_TRUE; });
  refused([](auto& p) { p.ulMacSizeInBits = ~0UL; });
  refused([](auto& p) { p.ulKeySizeInBits = 129; });
  refused([](auto& p) { p.ulIVSizeInBits = 1UL << 40; });
  refused([](auto& p) { p.ulMacSizeInBits = p.ulKeySizeInBits = p.ulIVSizeInBits = 0; });
  refused([](auto& p) { p.prfHashMechanism = CKM_TLS_PRF; });
  refused([](auto& p) { p.RandomInfo.pClientRandom = nullptr; });
  refused([](auto& p) { p.RandomInfo.ulServerRandomLen = 100'000; });
}

BOOST_AUTO_TEST_CASE(exporter) {
  Given given;
  RecordingHost host;
  Bytes label = to_bytes(view_of("EXPERIMENTAL test"));
  CK_TLS_KDF_PARAMS parameter{CKM_SHA256, label.data(), label.size(), given.randoms(), nullptr, 0};
  const Bytes randoms = joined({given.client, given.server});
  BOOST_TEST(derived(CKM_TLS_KDF, generic(given.master), parameter_of(parameter), host, 40) ==
             prf(given.master, "EXPERIMENTAL test", randoms, 40));
  Bytes context = hex("aabbcc");
  parameter.pContextData = context.data();
  parameter.ulContextDataLength = context.size();
  BOOST_TEST(derived(CKM_TLS12_KDF, generic(given.master), parameter_of(parameter), host, 40) ==
             prf(given.master, "EXPERIMENTAL test", joined({randoms, hex("0003"), context}), 40));
  BOOST_TEST(derived(CKM_TLS_KDF, generic(given.master), parameter_of(parameter), host) == "template_incomplete");
  for (const char* const taken : {"client finished", "server finished, more", "client fin", ""}) {
    Bytes reserved = to_bytes(view_of(taken));
    parameter.pLabel = reserved.data();
    parameter.ulLabelLength = reserved.size();
    BOOST_TEST(derived(CKM_TLS_KDF, generic(given.master), parameter_of(parameter), host, 40) ==
               "mechanism_param_invalid");
  }
}

BOOST_AUTO_TEST_CASE(finished) {
  Given given;
  const Bytes handshake(32, 0x33);
  CK_TLS_MAC_PARAMS parameter{CKM_SHA256, 12, 1};
  for (const CK_ULONG side : {1, 2}) {
    parameter.ulServerOrClient = side;
    auto signing = mechanism(CKM_TLS_MAC).sign(generic(given.master), parameter_of(parameter));
    BOOST_REQUIRE(signing);
    Bytes mac((*signing)->size());
    BOOST_REQUIRE((*signing)->single(handshake, mac));
    BOOST_TEST(to_hex(mac) == prf(given.master, side == 1 ? "server finished" : "client finished", handshake, 12));
    auto verifying = mechanism(CKM_TLS12_MAC).verify(generic(given.master), parameter_of(parameter));
    BOOST_REQUIRE(verifying);
    BOOST_TEST((*verifying)->single(handshake, mac).ok());
    mac[11] ^= 1;
    auto again = mechanism(CKM_TLS_MAC).verify(generic(given.master), parameter_of(parameter));
    BOOST_REQUIRE(again);
    BOOST_TEST(((*again)->single(handshake, mac).code() == Code::signature_invalid));
  }
  CK_TLS_MAC_PARAMS older{CKM_TLS_PRF, 12, 2};
  BOOST_TEST(mechanism(CKM_TLS_MAC).sign(generic(given.master), parameter_of(older)).ok());
  for (CK_TLS_MAC_PARAMS bad : {CK_TLS_MAC_PARAMS{CKM_SHA256, 11, 1}, CK_TLS_MAC_PARAMS{CKM_SHA256, ~0UL, 1},
                                CK_TLS_MAC_PARAMS{CKM_SHA256, 12, 3}, CK_TLS_MAC_PARAMS{CKM_AES_ECB, 12, 1}}) {
    BOOST_TEST((mechanism(CKM_TLS_MAC).sign(generic(given.master), parameter_of(bad)).code() ==
                Code::mechanism_param_invalid));
  }
}

BOOST_AUTO_TEST_SUITE_END()
