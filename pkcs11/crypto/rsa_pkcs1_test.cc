#include "crypto/rsa_pkcs1.h"

#include <array>
#include <boost/test/unit_test.hpp>

#include "base/testing.h"
#include "crypto/asymmetric_key.h"
#include "crypto/digest.h"
#include "crypto/key_encoding.h"

using namespace cardea;
using namespace cardea::crypto;
using namespace cardea::testing;

namespace {

// A test key, and what OpenSSL 3.5.7 decrypts random blocks to (openssl pkeyutl -decrypt): replacement messages, since
// none of them is padded.
constexpr std::string_view key_info =
    "308204bd020100300d06092a864886f70d0101010500048204a7308204a30201000282010100d51db926dc19bcdb18b751dda104a1ce7e"
    "699bcd28795273e43798293589c2b78cd4bae0820b4831f88484c23db50b2c859b8eeff0966803883240078471877c700fc412163b89bc"
    "f72c5db8ae9e3dfbc00dfd787cb86ba6443b99c4b508d4f84214e970e8d19ebe23b6ba4bc1540f8eadb7928aae741e769f6b6b3ce4491b"
    "f298114eb995bd5566d22f91b01c19c2470f79c4cad3bd539d736f44a45357d6a0653661f6679ae398b837e4ab504245d756d0bdf8cf9f"
    "6c8b43368d224366e672e6ab3b34bfd862d2d540c8ad0081c352e55a8f34708abf9da170f2cff3d033d41e3cd66f08b920828e588f9ca4"
    "74fc38ba89cf94d50648acac14a2d5c9b70a990203010001028201000ec5b66b93e6a1d1631373f483a08551c1aff2d983f472eb6f168e"
    "70ced1fb820b1c44cee29cc31699a61fe8b1ebce7839d3a85307ef790ac3a24e0f67561240e528a69be5581faa4e4cd03b48b955cd1149"
    "36f866d6c6b979f1d2ad10aa69cec28fde059251d369d52269a3ee24f4461cd30470a1fa911102686900c9c72a8d642c7477efb022d2c4"
    "a692a8ab08d3a0c7503f4565f44defd73b41d0c5b6392a81805e4c85085c7f17e5747d6b66ed6bb83837f94ba2f3936f0dd795f5e94ebf"
    "1d5c06eea1cb3c9a4b0aeafd8d5b0597daa4e0bed7608c8235884c8310fe95cd2b7bae4dd2a9443603d8aa5a5b00f0b2e41c152655e99c"
    "f031233825cca3f48102818100ec03090c47370c1eb4798bbfd95b3bdf77e97aacb09a2a4b46d58de2242f4bfe05bece1c25764db83af3"
    "03266879f98254d0faee530d16d4a644c32db89d1f05c3cb87d066c12f8c60c6303929375d313ae35288b257f71727525d802a8f2e8d93"
    "92d021860e1d38626c0659653744dee038f9b35ced1792063dfcd368f9e84102818100e72a49348844cd854a0e5e3b1d90b6eb4b259450"
    "23685ea328aa0dc44826c25ae107ec9d9e0c52d8d13475d5aa854a2b12a7af3b5df8c9a3961fcec8daaeb1369bb3afb11df0df234107c2"
    "5dfc07695d5f87da7a010a337bddbceb8a47df3033dbc7860abbc360fd62fc3bc680a303ad61283b72d0c26e0c1e502fdcf1624c590281"
    "8100a7cb58a974103cfbaf9022bd594935fe2100cc08eede0c67cc8a93ff4d7e9ae6952b1cda81ffe42db12b88f7cb9bbcbade965d7107"
    "76ecde6effc04c474eddf97944c0e077cdad827e632971da4dd461e5de2c95a74647141d0ec00f19330703fd018a1beb75296d26fc6a5f"
    "3048e51c180a29ed4d89fb12048219b82c90508102818010fda1add3ca42d4e6319229842dcbd4158ce88ecf5b6f814c8edb3e2f13723b"
    "9dc8a85299784c6a954de6cf529e436a510fb42887eaae5f70bc5bc595953b7f490877046caff4a6b1b3f14c5926ee4ea7a3e3a20e0b82"
    "e73ad014fbeff66ea39126e42a4bccbb87444c47d47a460112304ef5b7a5b274c63d40259476c583d90281802340ff0f6257f2f4b36ce1"
    "0abded2e1660f29f667a5f6791b37e5b1dcaff3efda9cdc94b4a9debab25d7947a199265fa448ad9c4b1d3281c9315264523637a6ec297"
    "47868dbd7a452e005592a1bcd45ad5facd59dca69ee2a6eb1b715146482751541c608edf5f3c2a6bec65532306d872580400ec7966c802"
    "645e5c2e501008";
struct Vector {
  std::string_view ciphertext;
  std::string_view message;
};
constexpr std::array<Vector, 3> vectors{{
    {"005c629b1ba3fe17a6e78ac5534b8571d3438603d5c693425412357b621b0e9911149277206b1139c01124737bb82d9a7ff5"
     "0f07a37b9662fec0b362b24665320de06b0cfbb962d44717cfa32f77fa271e1265fdd05d3bbf20826914f9baf52dd9ce6cef"
     "661dd0a6269d3c119f9d53fa8659a0bd939b5aec0328f4e13bd6f2480f1193ef584f2534b0ae26b45f8710cd8b32761a88a9"
     "725d8ee1f57955e7a3afd12f11ddb6a340b1b2cb6b26c0e32680d0a216aa43f80b4bb63a34fb49eca4bff848bc8d89c2a8ed"
     "4e33d26b3292459a3ff4d4bb1fc3f07f5cae74715048a959db44e720072767555ac9f693f0346db897557f4db95ebfd3ecee"
     "0a60ac384117",
     "f7ca0fa08a4317892ec2505a205455bd4af9f3a76968dbf2411bdd5eb3450d2b8baa1b89b261af9c99a498a133051b52e1ec"
     "e473d7a8fecd502c24442a499d08f2af46766d8cc861ae007b096840b7cec1f7d13261857842816937812fc59f1bbdcf9a7d"
     "1bcdb3a1ea85043cbe98293e739cb2d2943744b57c371ac66577b1660eef0545c3872a12"},
    {"009bef48837283ea75eea96bd80716fbf8644776e8261c5c6958b7d2188c19e7bd66b308e12b4953687e38f98fd896ac44e0"
     "c09833b7c5774dd0bb0c9c41dbefd3a4ac16d7a9636b510d2084b82d5bd33c79ace833494c34fa35101a241f9ea6541992d6"
     "a2d17c7198e2e8cd55d2e7542381bfe715db45f45ad57de1b4f4ddd78100426ad39f2d5c6eeec73ecbc71db7e82e70516120"
     "0ed8379139ffb4e63c73aa81c4b175ba16d098d4c67b41da501c48867e3103791bbb1610892a9d7d8b27adf8e1a192f912b1"
     "0540d9005daa390325ab7c71b8be7a6642483a2c8508cd51a09cf96492cbd5ca22018c707d2a9242fa9069b4573c31bb4968"
     "3171fb852d21",
     "3997356a9f504b9fb726611e582da3da1e0ddc2501dd3f8f6ffc8295b4c60959161a35f30ca39fb50c0d319093adfc093182"
     "bf"},
    {"0020d53e2301ba4507706751273234d4d1706975968eb3617af1c660ca524af06f8a60a8445456d96409fdc6eb5544771620"
     "9971a376081aeff1c92f91a0f0239551a247f16bfa4ef90da2eb257eac257ac1a566a32560668f4514f3a1814c3ebd65d755"
     "15e9079b91951938e505f500864a667f722ac5fa4073686ff64eec7672421f20c5bf8b6881933595231aace0335a1497f82d"
     "b7b1d39304a03aeeb8ce074c04e9a37e8a283e558dd53f68a9ed9f25b985df1deabcebc26e2d00facecbb51e4be7d531df96"
     "d2b98c93b6a260dba973ed5fb1ead611e76ca39342db09d25ddfbc601f9255f4cc23368910c2666aec57103a7d10ab633c2d"
     "e07e31bddc45",
     "3e9b455699104c3e76448d50358b6908fc6b791ac494584ff25fd1055e512c99faf297e3bf95168af6884a060fc6df654a7e"
     "c6118040a8f62e37e5f4c6bb7151d37c4d11931e"},
}};

}  // namespace

BOOST_AUTO_TEST_SUITE(rsa_pkcs1)

// Two libraries that replaced the message differently would betray a wrong padding to whoever can ask both.
BOOST_AUTO_TEST_CASE(replacement_messages_are_those_of_openssl) {
  const AsymmetricKeyPtr key = must(from_private_key_info(hex(key_info)));
  SecretBytes exponent = must(key->rsa_numbers()).private_exponent.copy();
  BOOST_REQUIRE(exponent.size() == key->output_size());
  const ImplicitRejection rejection = must(ImplicitRejection::make(must(digest(Hash::sha256, exponent.view()))));
  for (const Vector& vector : vectors) {
    const Bytes ciphertext = hex(vector.ciphertext);
    Bytes out(ciphertext.size());
    out.resize(must(key->decrypt_pkcs1(ciphertext, out)));
    BOOST_TEST(to_hex(out) == vector.message);

    Bytes block(ciphertext.size());
    must(key->rsa_private_raw(ciphertext, block));
    Bytes same(ciphertext.size());
    same.resize(must(rejection.unpad(ciphertext, block, same)));
    BOOST_TEST(to_hex(same) == vector.message);
  }
}

BOOST_AUTO_TEST_SUITE_END()
