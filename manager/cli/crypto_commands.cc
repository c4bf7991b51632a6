// sign, verify, random.
#include <fmt/format.h>
#include <boost/json.hpp>

#include <memory>

#include "base/base64.h"
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

struct CryptoOptions {
  ObjectChoice key;
  SigningOptions signing;
  std::string in;
  std::string out;
  std::string signature;
  std::string format = "der";
};

Status sign(Context& context, const CryptoOptions& options) {
  CARDEA_TRY(take_choice(context, options.key));
  // Before the PIN is asked for: nobody wants to type it to hear that a file is missing.
  CARDEA_ASSIGN(const Input input, open_input(options.in));
  CARDEA_ASSIGN(const Wanted wanted, wanted_object(context, options.key));
  CARDEA_ASSIGN(const Connection connection, connect(context, Access::use));
  CARDEA_ASSIGN(const CK_OBJECT_HANDLE key, find_key(*connection, wanted));
  CARDEA_ASSIGN(SigningPlan plan, plan_signature(*connection, key, options.signing));
  const Progress progress("signing");
  CARDEA_ASSIGN(Bytes signature, sign_by_plan(*connection, key, plan, input));
  if (plan.scheme == SignatureScheme::ecdsa && options.format == "der") signature = ecdsa_to_der(signature);
  if (!context.options.json) return write_output(options.out, signature, FileMode::open);
  if (!options.out.empty()) CARDEA_TRY(write_output(options.out, signature, FileMode::open));
  return print_json({{"mechanism", constant_text(ConstantKind::CKM, plan.mechanism.type())},
                     {"key", object_uri(*connection, key)},
                     {"signature_base64", to_base64(signature)}});
}

Status verify(Context& context, const CryptoOptions& options) {
  CARDEA_TRY(take_choice(context, options.key));
  CARDEA_ASSIGN(const Connection connection, connect(context, Access::look));
  CARDEA_ASSIGN(const Wanted wanted, wanted_object(context, options.key));
  CARDEA_ASSIGN(const CK_OBJECT_HANDLE key, find_public_or_secret_key(*connection, wanted));
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

struct RandomOptions {
  std::size_t count = 32;
  std::string format = "hex";
  std::string out;
};

// JSON carries no bytes, so raw ones stand there in Base64.
boost::json::object random_json(const RandomOptions& options, ByteView bytes) {
  if (!options.out.empty()) return {{"bytes", bytes.size()}, {"file", options.out}};
  if (options.format == "hex") return {{"bytes", bytes.size()}, {"random_hex", to_hex(bytes)}};
  return {{"bytes", bytes.size()}, {"random_base64", to_base64(bytes)}};
}

Status random(Context& context, const RandomOptions& options) {
  CARDEA_ASSIGN(const Connection connection, connect(context, Access::look));
  CARDEA_ASSIGN(const Bytes bytes, connection->random(options.count));
  if (!context.options.json || !options.out.empty()) {
    const bool raw = options.format == "raw";
    const std::string text = (options.format == "hex" ? to_hex(bytes) : to_base64(bytes)) + "\n";
    CARDEA_TRY(write_output(options.out, raw ? ByteView(bytes) : view_of(text), FileMode::secret, !raw));
  }
  return context.options.json ? print_json(random_json(options, bytes)) : Status();
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

  const auto drawing = std::make_shared<RandomOptions>();
  const Command random_command = root.command(context, "random", "random bytes from the token",
                                              "  cardea random 16\n  cardea random 32 --format raw > key.bin\n",
                                              Needs::token, [&context, drawing] { return random(context, *drawing); });
  random_command.number("bytes", drawing->count, "how many bytes (default 32)", 1, 1 << 20);
  random_command.choice("--format", drawing->format, "hex, base64 or raw", "FORM", {"hex", "base64", "raw"});
  random_command.text("--out,--output", drawing->out, "output file, mode 0600 (default: standard output)", "FILE");
}

}  // namespace cardea::cli
