// sign, verify, decrypt, random.
#include <fmt/format.h>
#include <boost/json.hpp>

#include <memory>

#include "cli/command.h"
#include "cli/connection.h"
#include "cli/der.h"
#include "cli/exit_status.h"
#include "cli/files.h"
#include "cli/objects.h"
#include "cli/output.h"
#include "cli/signing.h"
#include "cli/text.h"
#include "cryptoki/names.h"
#include "x509/encoding.h"

namespace cardea::cli {
namespace {

// The largest input of a mechanism that takes it in one piece.
constexpr std::size_t one_piece_limit = std::size_t{1} << 30;

struct CryptoOptions {
  ObjectChoice key;
  SigningOptions signing;
  std::string in;
  std::string out;
  std::string signature;
  std::string format = "der";
  std::string iv;
  std::string aad;
};

Status sign(Context& context, const CryptoOptions& options) {
  CARDEA_TRY(take_choice(context, options.key));
  CARDEA_ASSIGN(const Connection connection, connect(context, Access::use));
  CARDEA_ASSIGN(const Wanted wanted, wanted_object(context, options.key));
  CARDEA_ASSIGN(const CK_OBJECT_HANDLE key, find_key(*connection, wanted));
  CARDEA_ASSIGN(SigningPlan plan, plan_signature(*connection, key, options.signing));
  CARDEA_ASSIGN(const Input input, open_input(options.in));
  const Progress progress("signing");
  CARDEA_ASSIGN(Bytes signature, sign_by_plan(*connection, key, plan, input));
  if (plan.scheme == SignatureScheme::ecdsa && options.format == "der") signature = ecdsa_to_der(signature);
  if (!context.options.json) return write_output(options.out, signature, FileMode::open);
  if (!options.out.empty()) CARDEA_TRY(write_output(options.out, signature, FileMode::open));
  return print_json({{"mechanism", constant_text(ConstantKind::CKM, plan.mechanism.type())},
                     {"key", object_uri(*connection, key)},
                     {"signature_base64", x509::to_base64(signature)}});
}

// Verification needs no secret: with a public key on the token no PIN is asked for.
Result<CK_OBJECT_HANDLE> verification_key(const Context& context, const Connection& connection, const Wanted& wanted) {
  CARDEA_ASSIGN(const auto public_keys, find_objects(*connection, wanted, CKO_PUBLIC_KEY));
  if (public_keys.size() == 1) return public_keys.front();
  if (public_keys.size() > 1) {
    return failure(Code::arguments_bad,
                   fmt::format("{} public keys fit. Choose one by label or with --id.", public_keys.size()));
  }
  CARDEA_ASSIGN(const auto secrets, find_objects(*connection, wanted, CKO_SECRET_KEY));
  if (secrets.size() == 1) return secrets.front();
  return failure(
      Code::not_found,
      fmt::format("Token '{}' shows no public or secret key that fits. `cardea key list{}` shows its keys; a "
                  "secret key shows only after login (--login).",
                  connection->token().label, context.options.login ? " --login" : ""));
}

Status verify(Context& context, const CryptoOptions& options) {
  CARDEA_TRY(take_choice(context, options.key));
  CARDEA_ASSIGN(const Connection connection, connect(context, Access::look));
  CARDEA_ASSIGN(const Wanted wanted, wanted_object(context, options.key));
  CARDEA_ASSIGN(const CK_OBJECT_HANDLE key, verification_key(context, connection, wanted));
  CARDEA_ASSIGN(const SigningPlan plan, plan_signature(*connection, key, options.signing));
  CARDEA_ASSIGN(Bytes signature, read_file(options.signature, 1 << 20));
  if (plan.scheme == SignatureScheme::ecdsa && options.format == "der") {
    CARDEA_ASSIGN(signature, ecdsa_from_der(signature, ecdsa_half(*connection, key)));
  }
  CARDEA_ASSIGN(const Input input, open_input(options.in));
  const Progress progress("verifying");
  CARDEA_TRY(verify_by_plan(*connection, key, plan, input, signature));
  if (context.options.json) {
    return print_json({{"valid", true}, {"mechanism", constant_text(ConstantKind::CKM, plan.mechanism.type())}});
  }
  return print("The signature is good.\n");
}

Result<Mechanism> decryption_mechanism(const Session& session, CK_OBJECT_HANDLE key, const CryptoOptions& options,
                                       const Bytes& iv, const Bytes& aad, CK_GCM_PARAMS& gcm) {
  const CK_ULONG type = session.number(key, CKA_KEY_TYPE).value_or(CK_UNAVAILABLE_INFORMATION);
  CK_MECHANISM_TYPE mechanism = type == CKK_RSA ? CKM_RSA_PKCS_OAEP : CKM_AES_GCM;
  if (!options.signing.mechanism.empty()) {
    const auto named = constant_value(ConstantKind::CKM, options.signing.mechanism);
    if (!named) {
      return failure(Code::arguments_bad,
                     fmt::format("There is no mechanism '{}'. `cardea token show` lists what the token "
                                 "has.",
                                 printable(options.signing.mechanism)));
    }
    mechanism = *named;
  } else if (type != CKK_RSA && type != CKK_AES) {
    return failure(Code::key_type_inconsistent, "Only RSA and AES keys decrypt. Choose another key.");
  }
  if (mechanism == CKM_RSA_PKCS_OAEP) return oaep_mechanism(options.signing.digest);
  if (mechanism == CKM_AES_GCM) {
    if (iv.empty()) return failure(Code::arguments_bad, "AES-GCM needs the initialisation vector: add --iv HEX.");
    gcm = {const_cast<Byte*>(iv.data()), iv.size(), iv.size() * 8, const_cast<Byte*>(aad.data()), aad.size(), 128};
    return Mechanism(mechanism, {reinterpret_cast<const Byte*>(&gcm), sizeof gcm});
  }
  return iv.empty() ? Mechanism(mechanism) : Mechanism(mechanism, iv);
}

Status decrypt(Context& context, const CryptoOptions& options) {
  Bytes iv;
  Bytes aad;
  if (!options.iv.empty()) {
    CARDEA_ASSIGN(iv, parse_hex(options.iv, "--iv"));
  }
  if (!options.aad.empty()) {
    CARDEA_ASSIGN(aad, parse_hex(options.aad, "--aad"));
  }
  CARDEA_TRY(take_choice(context, options.key));
  CARDEA_ASSIGN(const Connection connection, connect(context, Access::use));
  CARDEA_ASSIGN(const Wanted wanted, wanted_object(context, options.key));
  CARDEA_ASSIGN(const CK_OBJECT_HANDLE key, find_key(*connection, wanted));
  CK_GCM_PARAMS gcm{};
  CARDEA_ASSIGN(const Mechanism mechanism, decryption_mechanism(*connection, key, options, iv, aad, gcm));
  CARDEA_ASSIGN(const Bytes data, read_file(options.in, one_piece_limit));
  const Progress progress("decrypting");
  CARDEA_ASSIGN(const SecretBytes plain, connection->decrypt(mechanism, key, data));
  if (!context.options.json) return write_output(options.out, plain.view(), FileMode::secret, true);
  if (!options.out.empty()) {
    CARDEA_TRY(write_output(options.out, plain.view(), FileMode::secret));
    return print_json({{"bytes", plain.size()}, {"file", options.out}});
  }
  return print_json({{"bytes", plain.size()}, {"plain_base64", x509::to_base64(plain.view())}});
}

struct RandomOptions {
  std::size_t count = 32;
  std::string format = "hex";
  std::string out;
};

Status random(Context& context, const RandomOptions& options) {
  CARDEA_ASSIGN(const Connection connection, connect(context, Access::look));
  CARDEA_ASSIGN(const Bytes bytes, connection->random(options.count));
  if (context.options.json) return print_json({{"random_hex", to_hex(bytes)}});
  if (options.format == "raw") return write_output(options.out, bytes, FileMode::secret);
  const std::string text = (options.format == "hex" ? to_hex(bytes) : x509::to_base64(bytes)) + "\n";
  return write_output(options.out, view_of(text), FileMode::secret, true);
}

void add_files(const Command& command, CryptoOptions& options) {
  command.text("--in,--input", options.in, "input file (default: standard input)", "FILE");
  command.text("--mechanism", options.signing.mechanism, "mechanism by its PKCS#11 name (default: by key type)",
               "NAME");
  command.text("--digest", options.signing.digest, "sha256, sha384, sha512, sha3-256 … (default: by key)", "NAME");
}

void add_signature_form(const Command& command, CryptoOptions& options) {
  command.flag("--pss", options.signing.pss, "RSA-PSS instead of PKCS#1 v1.5");
  command.choice("--format", options.format, "ECDSA signature: der (as OpenSSL) or raw (r and s side by side)", "FORM",
                 {"der", "raw"});
}

}  // namespace

void add_crypto_commands(const Command& root, Context& context) {
  const auto signing = std::make_shared<CryptoOptions>();
  const Command sign_command =
      root.command(context, "sign", "sign a file with a key on the token",
                   "  cardea sign mail --in letter.txt --out letter.sig\n"
                   "  cardea sign 'pkcs11:token=demo;object=mail' --pss --digest sha384 < letter.txt > sig\n",
                   Needs::user, [&context, signing] { return sign(context, *signing); });
  add_object_options(sign_command, signing->key, "the key");
  add_files(sign_command, *signing);
  sign_command.text("--out,--output", signing->out, "signature file (default: standard output)", "FILE");
  add_signature_form(sign_command, *signing);

  const auto checking = std::make_shared<CryptoOptions>();
  const Command verify_command = root.command(context, "verify", "check a signature with a public key on the token",
                                              "  cardea verify mail --in letter.txt --signature letter.sig\n"
                                              "Exit status 5 when the signature does not match.\n",
                                              Needs::user, [&context, checking] { return verify(context, *checking); });
  add_object_options(verify_command, checking->key, "the key");
  add_files(verify_command, *checking);
  verify_command.required("--signature", checking->signature, "signature file", "FILE");
  verify_command.flag("--login", context.options.login, "log in first, for a key that shows only then");
  add_signature_form(verify_command, *checking);

  const auto opening = std::make_shared<CryptoOptions>();
  const Command decrypt_command =
      root.command(context, "decrypt", "decrypt a file with a key on the token",
                   "  cardea decrypt mail --in secret.bin --out secret.txt\n"
                   "  cardea decrypt backup --mechanism aes-cbc-pad --iv 000102030405060708090a0b0c0d0e0f < in > out\n",
                   Needs::user, [&context, opening] { return decrypt(context, *opening); });
  add_object_options(decrypt_command, opening->key, "the key");
  add_files(decrypt_command, *opening);
  decrypt_command.text("--out,--output", opening->out, "output file, mode 0600 (default: standard output)", "FILE");
  decrypt_command.text("--iv", opening->iv, "initialisation vector in hexadecimal (AES)", "HEX");
  decrypt_command.text("--aad", opening->aad, "additional authenticated data in hexadecimal (AES-GCM)", "HEX");

  const auto drawing = std::make_shared<RandomOptions>();
  const Command random_command = root.command(context, "random", "random bytes from the token",
                                              "  cardea random 16\n  cardea random 32 --format raw > key.bin\n",
                                              Needs::token, [&context, drawing] { return random(context, *drawing); });
  random_command.number("bytes", drawing->count, "how many bytes (default 32)", 1, 1 << 20);
  random_command.choice("--format", drawing->format, "hex, base64 or raw", "FORM", {"hex", "base64", "raw"});
  random_command.text("--out,--output", drawing->out, "output file, mode 0600 (default: standard output)", "FILE");
}

}  // namespace cardea::cli
