#!/usr/bin/env bash
# OpenSC's pkcs11-tool: key generation, signing, decryption, derivation, its own tests, and what OpenSSL says to the result.
. "$(dirname "$0")/lib.sh"
begin
new_identities
new_key rsa:3072 rsa3072 03
printf 'a message of some length, signed on a token\n' >"$work/message"

test_own_tests() {
  local part
  p11 --test --hash-algorithm SHA-1 --mgf MGF1-SHA1 >"$work/test.log" 2>&1 || fail "pkcs11-tool --test"
  grep -q '^No errors$' "$work/test.log" || fail "pkcs11-tool --test does not end with 'No errors'"
  if grep -E "ERR:|[Ee]rror:|[Ff]ailed|CKR_" "$work/test.log"; then fail "pkcs11-tool --test shows an error"; fi
  for part in 'digest functions seem to work' 'RSA-PKCS: OK' 'RSA-PKCS-OAEP:' 'RSA-X-509: OK'; do
    grep -q "$part" "$work/test.log" || fail "pkcs11-tool --test did not show '$part'"
  done
  pass "pkcs11-tool --test"
  p11 --session-rw --test-ec --id 70 --key-type EC:prime256v1 >"$work/test-ec.log" 2>&1 || fail "pkcs11-tool --test-ec"
  if grep -iE 'ERR:|failed' "$work/test-ec.log"; then fail "pkcs11-tool --test-ec shows an error"; fi
  pass "pkcs11-tool --test-ec"
  p11 --test-fork >"$work/test-fork.log" 2>&1 || fail "pkcs11-tool --test-fork"
  grep -q 'in forked child process' "$work/test-fork.log" || fail "pkcs11-tool --test-fork did not fork"
  if grep -E '[Ee]rror|CKR_' "$work/test-fork.log"; then fail "pkcs11-tool --test-fork shows an error"; fi
  pass "pkcs11-tool --test-fork"
}

# sign_and_check ID MECHANISM TOOL_ARGUMENTS -- OPENSSL_ARGUMENTS: signed on the token, verified by OpenSSL and the token.
sign_and_check() {
  local id=$1 mechanism=$2 tool=()
  shift 2
  while [ "$1" != -- ]; do tool+=("$1"); shift; done
  shift
  p11 --sign --id "$id" --mechanism "$mechanism" "${tool[@]}" --input-file "$work/message" \
    --output-file "$work/signature" >"$work/sign.log" 2>&1 || fail "signing with $mechanism"
  openssl dgst "$@" -verify "$work/key$id.pub" -signature "$work/signature" "$work/message" >>"$work/sign.log" 2>&1 ||
    fail "OpenSSL does not accept the $mechanism signature"
  pass "sign $mechanism"
}

test_rsa_signatures() {
  public_key 01 "$work/key01.pub"
  public_key 03 "$work/key03.pub"
  local hash
  for hash in 256 384 512; do
    sign_and_check 01 "SHA$hash-RSA-PKCS" -- "-sha$hash"
    sign_and_check 03 "SHA$hash-RSA-PKCS-PSS" -- "-sha$hash" \
      -sigopt rsa_padding_mode:pss -sigopt "rsa_mgf1_md:sha$hash" -sigopt rsa_pss_saltlen:digest
  done
}

test_ecdsa_signatures() {
  public_key 02 "$work/key02.pub"
  if offers ECDSA-SHA256; then
    sign_and_check 02 ECDSA-SHA256 --signature-format openssl -- -sha256
  fi
  openssl dgst -sha256 -binary -out "$work/digest" "$work/message"
  p11 --sign --id 02 --mechanism ECDSA --signature-format openssl --input-file "$work/digest" \
    --output-file "$work/signature" >"$work/sign.log" 2>&1 || fail "signing with ECDSA"
  openssl dgst -sha256 -verify "$work/key02.pub" -signature "$work/signature" "$work/message" >>"$work/sign.log" 2>&1 ||
    fail "OpenSSL does not accept the ECDSA signature"
  expect 'is valid' pkcs11-tool --module "$module" --token-label "$token" --verify --id 02 \
    --mechanism ECDSA --signature-format openssl --input-file "$work/digest" --signature-file "$work/signature"
  printf 'x' >>"$work/message"
  openssl dgst -sha256 -binary -out "$work/digest" "$work/message"
  p11_public --verify --id 02 --mechanism ECDSA --signature-format openssl --input-file "$work/digest" \
    --signature-file "$work/signature" >"$work/out" 2>&1 || true
  grep -q 'Invalid signature' "$work/out" || fail "a signature over another digest verifies"
  pass "ECDSA over a digest, verified on the token"
}

test_decryption() {
  printf 'sixteen byte key' >"$work/plain"
  openssl pkeyutl -encrypt -pubin -inkey "$work/key01.pub" -in "$work/plain" -out "$work/cipher"
  p11 --decrypt --id 01 --mechanism RSA-PKCS --input-file "$work/cipher" --output-file "$work/opened" \
    >"$work/decrypt.log" 2>&1 || fail "RSA-PKCS decryption"
  same "$work/plain" "$work/opened"
  openssl pkeyutl -encrypt -pubin -inkey "$work/key01.pub" -in "$work/plain" -out "$work/cipher" \
    -pkeyopt rsa_padding_mode:oaep -pkeyopt rsa_oaep_md:"$1" -pkeyopt rsa_mgf1_md:"$1"
  p11 --decrypt --id 01 --mechanism RSA-PKCS-OAEP --hash-algorithm "$2" --mgf "MGF1-${2/-/}" --input-file "$work/cipher" \
    --output-file "$work/opened" >"$work/decrypt.log" 2>&1 || fail "OAEP decryption with $2"
  same "$work/plain" "$work/opened"
  pass "decrypt RSA-PKCS and OAEP $2"
}

# pkcs11-tool 0.23 passes ECDH1 with no KDF; the counterpart computes the same shared x-coordinate.
test_derivation() {
  openssl genpkey -algorithm EC -pkeyopt ec_paramgen_curve:P-256 -out "$work/peer.key"
  openssl pkey -in "$work/peer.key" -pubout -outform DER -out "$work/peer.der"
  openssl pkeyutl -derive -inkey "$work/peer.key" -peerkey "$work/key02.pub" -out "$work/secret"
  p11 --derive --id 02 --mechanism ECDH1-DERIVE --input-file "$work/peer.der" --output-file "$work/derived" \
    >"$work/derive.log" 2>&1 || fail "ECDH1-DERIVE"
  same "$work/secret" "$work/derived"
  pass "derive ECDH1"
}

test_objects() {
  head -c 700 /dev/urandom >"$work/data"
  p11 --write-object "$work/data" --type data --label notes --private >"$work/data.log" 2>&1 || fail "writing data"
  p11 --read-object --type data --label notes --output-file "$work/data.back" >"$work/data.log" 2>&1 ||
    fail "reading data"
  same "$work/data" "$work/data.back"
  if p11_public --list-objects 2>&1 | grep >/dev/null "notes"; then fail "a private object shows without login"; fi
  p11_public --read-object --type cert --id 01 --output-file "$work/cert.back" >"$work/data.log" 2>&1
  same "$work/rsa.der" "$work/cert.back"
  p11 --delete-object --type data --label notes >"$work/data.log" 2>&1 || fail "deleting data"
  if p11 --list-objects 2>&1 | grep >/dev/null "notes"; then fail "a deleted object is still listed"; fi
  pass "write, read, hide and delete objects"
}

# OpenSSL computes the same MAC and opens the same cipher text.
test_secret_keys() {
  local key
  p11 --keygen --key-type GENERIC:32 --label mac --id 10 --usage-sign --extractable >"$work/secret.log" 2>&1 ||
    fail "generating a generic secret"
  p11 --read-object --type secrkey --id 10 --output-file "$work/mac.key" >"$work/secret.log" 2>&1 ||
    fail "reading an extractable secret that is not sensitive"
  key=$(od -An -v -tx1 "$work/mac.key" | tr -d ' \n')
  p11 --sign --id 10 --mechanism SHA256-HMAC --input-file "$work/message" --output-file "$work/mac" \
    >"$work/secret.log" 2>&1 || fail "SHA256-HMAC"
  openssl dgst -sha256 -mac HMAC -macopt "hexkey:$key" -binary -out "$work/mac.expected" "$work/message"
  same "$work/mac.expected" "$work/mac"
  pass "HMAC"
  openssl rand -out "$work/aes.key" 32
  key=$(od -An -v -tx1 "$work/aes.key" | tr -d ' \n')
  p11 --write-object "$work/aes.key" --type secrkey --key-type AES:32 --label aes --id 11 --usage-decrypt \
    --extractable >"$work/secret.log" 2>&1 || fail "importing an AES key"
  p11 --encrypt --id 11 --mechanism AES-CBC-PAD --iv 000102030405060708090a0b0c0d0e0f --input-file "$work/message" \
    --output-file "$work/cipher" >"$work/secret.log" 2>&1 || fail "AES-CBC-PAD encryption"
  openssl enc -d -aes-256-cbc -K "$key" -iv 000102030405060708090a0b0c0d0e0f -in "$work/cipher" -out "$work/opened"
  same "$work/message" "$work/opened"
  p11 --decrypt --id 11 --mechanism AES-CBC-PAD --iv 000102030405060708090a0b0c0d0e0f --input-file "$work/cipher" \
    --output-file "$work/opened" >"$work/secret.log" 2>&1 || fail "AES-CBC-PAD decryption"
  same "$work/message" "$work/opened"
  pass "AES-CBC-PAD"
}

# The right PIN between two wrong ones: the counter must fall back each time.
test_wrong_pins() {
  local i
  for i in 1 2 3 4; do
    refuse CKR_PIN_INCORRECT pkcs11-tool --module "$module" --token-label "$token" --login --pin 99999999 \
      --list-objects
    p11 --list-objects >/dev/null 2>&1 || fail "the right PIN after wrong one number $i"
  done
  pass "wrong PINs with right ones between"
  refuse CKR_PIN_INCORRECT pkcs11-tool --module "$module" --token-label "$token" --change-pin --pin 99999999 \
    --new-pin 11112222
  expect 'PIN successfully changed' pkcs11-tool --module "$module" --token-label "$token" --change-pin --pin "$pin" \
    --new-pin 11112222
  export TEST_PIN=11112222
  p11 --list-objects >/dev/null 2>&1 || fail "the new PIN"
  pass "PIN changed"
}

# SoftHSM2 knows no OAEP label, which pkcs11-tool --test uses.
case "$module" in *softhsm*) ;; *) test_own_tests ;; esac
test_rsa_signatures
test_ecdsa_signatures
test_decryption sha1 SHA-1
case "$module" in *softhsm*) ;; *) test_decryption sha256 SHA256 ;; esac
test_derivation
test_objects
test_secret_keys
test_wrong_pins
done_ok
