#!/usr/bin/env bash
# Virtual cards behind a real pcscd, used by other people's middleware: OpenSC and Yubico's tool.
. "$(dirname "$0")/lib.sh"
. "$(dirname "$0")/pcscd_lib.sh"
opensc_module=/usr/lib/$(uname -m)-linux-gnu/opensc-pkcs11.so
begin_cards opensc-tool piv-tool yubico-piv-tool gids-tool jq
[ -e "$opensc_module" ] || skip "opensc-pkcs11 is not installed (./install-packages tests)"
printf 'a message of some length, signed on a card\n' >"$work/message"
start_pcscd

yubico() { with_timeout 60 yubico-piv-tool --reader Cardea "$@"; }
opensc() { with_timeout 60 pkcs11-tool --module "$opensc_module" --login --pin 123456 "$@"; }
select_piv=00A4040009A00000030800001000

test_reader() {
  expect '0 *Yes *Cardea virtual reader' opensc-tool --list-readers
  expect '^3b:8e:01:80:73:c0:01:c0:58:43:41:52:44:45:41:2d:56:4e' opensc-tool --reader 0 --atr
  expect 'Personal Identity Verification' opensc-tool --reader 0 --name
  pass "opensc-tool knows the card by what it answers"
}

# Debian 12's yubico-piv-tool cannot sign certificates with OpenSSL 3, whatever the card, so our CA certifies.
test_yubico_key() {
  local slot=$1 algorithm=$2
  yubico --action generate --slot "$slot" --algorithm "$algorithm" --output "$work/$slot.pub" \
    >"$work/yubico.log" 2>&1 || fail "yubico-piv-tool generates $algorithm in $slot"
  [ -e "$work/ca.pem" ] || new_ca
  sign_certificate "$slot" "keyUsage=digitalSignature,keyEncipherment" "$work/$slot.pub"
  yubico --action import-certificate --slot "$slot" --input "$work/$slot.pem" >>"$work/yubico.log" 2>&1 ||
    fail "yubico-piv-tool imports the certificate of $slot"
  yubico --action read-certificate --slot "$slot" --output "$work/$slot-read.pem" >>"$work/yubico.log" 2>&1 ||
    fail "yubico-piv-tool reads the certificate of $slot"
  cmp <(openssl x509 -in "$work/$slot.pem" -outform DER) <(openssl x509 -in "$work/$slot-read.pem" -outform DER) ||
    fail "the certificate of $slot changed on the card"
  yubico --action verify-pin --pin 123456 --action test-signature --slot "$slot" --input "$work/$slot.pem" \
    >>"$work/yubico.log" 2>&1 || fail "yubico-piv-tool: signature with $slot"
  grep -q 'Successful .* verification' "$work/yubico.log" || fail "yubico-piv-tool does not verify what $slot signed"
  pass "yubico-piv-tool: $algorithm in $slot"
}

test_yubico_attestation() {
  yubico --action attest --slot 9a --output "$work/attestation.pem" >"$work/yubico.log" 2>&1 || fail "attestation of 9a"
  yubico --action read-certificate --slot f9 --output "$work/attester.pem" >>"$work/yubico.log" 2>&1 ||
    fail "certificate F9"
  expect OK openssl verify -partial_chain -CAfile "$work/attester.pem" "$work/attestation.pem"
  cmp <(openssl x509 -in "$work/attestation.pem" -noout -pubkey) "$work/9a.pub" || fail "another key is attested"
  pass "attestation verifies and names the key"
}

test_yubico_import() {
  openssl genpkey -algorithm RSA -pkeyopt rsa_keygen_bits:2048 -out "$work/imported.key" 2>>"$work/setup.log"
  yubico --action import-key --slot 82 --input "$work/imported.key" >"$work/yubico.log" 2>&1 || fail "import into 82"
  openssl pkey -in "$work/imported.key" -pubout -out "$work/82.pub"
  sign_certificate 82 keyUsage=keyEncipherment "$work/82.pub"
  yubico --action import-certificate --slot 82 --input "$work/82.pem" >>"$work/yubico.log" 2>&1 || fail "certificate 82"
  yubico --action verify-pin --pin 123456 --action test-decipher --slot 82 --input "$work/82.pem" \
    >>"$work/yubico.log" 2>&1 || fail "yubico-piv-tool: decryption with an imported key"
  grep -qi 'successfully performed .*decryption' "$work/yubico.log" || fail "the imported key decrypts something else"
  pass "yubico-piv-tool: key import and decryption"
}

test_wrong_pin() {
  refuse 'verification failed, 2 tries left' yubico-piv-tool --reader Cardea --action verify-pin --pin 999999
  yubico --action verify-pin --pin 123456 >/dev/null 2>&1 || fail "the right PIN after a wrong one"
  expect '63 C3\|90 00\|SW1=0x90\|SW1=0x63' opensc-tool --reader 0 --send-apdu "$select_piv" --send-apdu 0020008000
  pass "a wrong PIN costs a try and the right one restores it"
}

test_opensc_signs() {
  local id
  opensc_objects=$(opensc --list-objects 2>>"$work/opensc.log") || fail "OpenSC lists the card's objects"
  id=$(awk '/^Private Key Object/{on=1} on && /ID:/{print $2; exit}' <<<"$opensc_objects")
  [ "$id" = 01 ] || fail "OpenSC does not see the key of 9A: $opensc_objects"
  opensc --sign --id 01 --mechanism SHA256-RSA-PKCS --input-file "$work/message" --output-file "$work/signature" \
    >>"$work/opensc.log" 2>&1 || fail "OpenSC signs with 9A"
  expect 'Verified OK' openssl dgst -sha256 -verify "$work/9a.pub" -signature "$work/signature" "$work/message"
  pass "pkcs11-tool with OpenSC signs with 9A"
}

# With OpenSSL 3 its key generation fails after the card's part before version 0.24, so it writes a certificate here.
# Its exit status is then the number of bytes written.
test_piv_tool() {
  printf '%s\n' 01:02:03:04:05:06:07:08:01:02:03:04:05:06:07:08:01:02:03:04:05:06:07:08 >"$work/management.key"
  openssl genpkey -algorithm EC -pkeyopt ec_paramgen_curve:P-256 -out "$work/9d.key" 2>>"$work/setup.log"
  openssl pkey -in "$work/9d.key" -pubout -out "$work/9d.pub"
  sign_certificate 9d keyUsage=keyAgreement "$work/9d.pub"
  PIV_EXT_AUTH_KEY=$work/management.key with_timeout 60 piv-tool --reader 0 --admin M:9B:03 --cert 9D \
    --in "$work/9d.pem" >"$work/piv-tool.log" 2>&1 || true
  yubico --action read-certificate --slot 9d --output "$work/9d-read.pem" >"$work/yubico.log" 2>&1 ||
    fail "piv-tool writes a certificate after mutual authentication"
  cmp <(openssl x509 -in "$work/9d.pem" -outform DER) <(openssl x509 -in "$work/9d-read.pem" -outform DER) ||
    fail "piv-tool's certificate changed on the card"
  pass "piv-tool: mutual authentication, certificate"
}

test_faults() {
  local before
  before=$(apdus piv)
  expect '90' opensc-tool --reader 0 --send-apdu "$select_piv"
  [ "$(apdus piv)" -gt "$before" ] || fail "the card does not count"
  card piv log clear >/dev/null
  yubico --action verify-pin --pin 123456 >/dev/null 2>&1 || fail "PIN for the record"
  card piv log | grep >/dev/null '313233343536' && fail "the record holds the PIN"
  card piv log | jq -e '.log | map(select(.command | startswith("00200080<"))) | length > 0' >/dev/null ||
    fail "the record lacks VERIFY"
  card piv fault pull@1 >/dev/null
  if with_timeout 30 opensc-tool --reader 0 --send-apdu "$select_piv" >"$work/out" 2>&1; then
    fail "a pulled card answers"
  fi
  card piv status | jq -e '.inserted == false' >/dev/null || fail "the card was not pulled"
  wait_for_no_card piv
  card piv insert >/dev/null
  wait_for_card piv
  expect '61' opensc-tool --reader 0 --send-apdu "$select_piv"
  pass "faults on request, and the card comes back"
}

test_restart() {
  remove_card piv
  insert_card piv
  yubico --action verify-pin --pin 123456 --action test-signature --slot 9a --input "$work/9a.pem" \
    >"$work/yubico.log" 2>&1 || fail "the card forgot its key in a restart"
  stop_pcscd
  start_pcscd
  wait_for_card piv
  expect 'Yes *Cardea' opensc-tool --list-readers
  pass "cards outlive their process and pcscd"
}

# GIDS, written and read by OpenSC, which is the only other middleware for it on Linux.
gids_tool() { with_timeout 60 gids-tool --reader 0 "$@" >"$work/gids-tool.log" 2>&1 </dev/null; }
admin_key=010203040506070801020304050607080102030405060708
new_admin_key=a1a2a3a4a5a6a7a8b1b2b3b4b5b6b7b8c1c2c3c4c5c6c7c8

test_gids_initialise() {
  gids_tool --initialize --admin-key "$admin_key" --pin 123456 --serial-number 00112233445566778899aabbccddeeff ||
    fail "gids-tool initialises the card"
  expect 'Found 5 entries in the masterfile' gids-tool --reader 0
  if gids_tool --initialize --admin-key "$admin_key" --pin 123456 --serial-number 00; then
    fail "an initialised card is initialised again"
  fi
  pass "gids-tool initialises and reads the card"
}

test_gids_administrator() {
  for _ in 1 2 3; do opensc --list-objects --pin 000000 >/dev/null 2>&1 || true; done
  gids_tool --unblock --admin-key "$admin_key" --pin 654321 || fail "gids-tool unblocks the PIN"
  gids_tool --change-admin-key --admin-key "$admin_key" --new-admin-key "$new_admin_key" ||
    fail "new administrator's key"
  if gids_tool --unblock --admin-key "$admin_key" --pin 123456; then fail "the old administrator's key still opens"; fi
  gids_tool --unblock --admin-key "$new_admin_key" --pin 123456 || fail "gids-tool with the new administrator's key"
  pass "gids-tool: mutual authentication, unblocking, new administrator's key"
}

test_gids_keys() {
  opensc --keypairgen --key-type rsa:2048 --label generated --id 01 >"$work/opensc.log" 2>&1 ||
    fail "OpenSC generates a key on the GIDS card"
  openssl genrsa -traditional -out "$work/gids.key" 2048 2>>"$work/setup.log"
  openssl rsa -in "$work/gids.key" -outform DER -out "$work/gids.key.der" 2>>"$work/setup.log"
  opensc --write-object "$work/gids.key.der" --type privkey --label imported --id 02 --usage-sign --usage-decrypt \
    >>"$work/opensc.log" 2>&1 || fail "OpenSC imports a key into the GIDS card"
  openssl rsa -in "$work/gids.key" -pubout -out "$work/gids-02.pub" 2>>"$work/setup.log"
  opensc --read-object --type pubkey --label generated --output-file "$work/gids-01.der" >>"$work/opensc.log" 2>&1 ||
    fail "OpenSC reads the generated key's public part"
  openssl pkey -pubin -inform DER -in "$work/gids-01.der" -out "$work/gids-01.pub"
  pass "OpenSC generates and imports keys on the GIDS card"
}

# OpenSC numbers the keys of a GIDS card anew in each process.
gids_id() {
  opensc --list-objects --type privkey 2>>"$work/opensc.log" |
    awk -v label="$1" '$1 == "label:" {name = $2} $1 == "ID:" && name == label {print $2}'
}

gids_sign() {
  opensc --sign --id "$(gids_id "$1")" --mechanism SHA256-RSA-PKCS --input-file "$work/message" \
    --output-file "$work/signature" >>"$work/opensc.log" 2>&1 || fail "OpenSC signs with the $1 key"
  expect 'Verified OK' openssl dgst -sha256 -verify "$2" -signature "$work/signature" "$work/message"
}

test_gids_use() {
  gids_sign generated "$work/gids-01.pub"
  gids_sign imported "$work/gids-02.pub"
  openssl pkeyutl -encrypt -pubin -inkey "$work/gids-02.pub" -in "$work/message" -out "$work/cipher"
  opensc --decrypt --id "$(gids_id imported)" --mechanism RSA-PKCS --input-file "$work/cipher" \
    --output-file "$work/plain" >>"$work/opensc.log" 2>&1 || fail "OpenSC decrypts with the GIDS card"
  same "$work/message" "$work/plain"
  [ -e "$work/ca.pem" ] || new_ca
  sign_certificate gids "keyUsage=digitalSignature" "$work/gids-02.pub"
  openssl x509 -in "$work/gids.pem" -outform DER -out "$work/gids.der"
  opensc --write-object "$work/gids.der" --type cert --label imported --id "$(gids_id imported)" \
    >>"$work/opensc.log" 2>&1 || fail "OpenSC writes a certificate to the GIDS card"
  opensc --read-object --type cert --id "$(gids_id imported)" --output-file "$work/gids-read.der" \
    >>"$work/opensc.log" 2>&1 || fail "OpenSC reads the certificate of the GIDS card"
  same "$work/gids.der" "$work/gids-read.der"
  opensc --delete-object --type privkey --id "$(gids_id generated)" >>"$work/opensc.log" 2>&1 ||
    fail "OpenSC deletes a key from the GIDS card"
  pass "OpenSC signs, decrypts and stores a certificate with the GIDS card"
}

test_gids_ready() {
  remove_card gids
  new_card ready gids --initialised
  insert_card ready
  expect 'Found 5 entries in the masterfile' gids-tool --reader 0
  test_gids_keys
  test_gids_use
}

new_card gids gids
insert_card gids
test_gids_initialise
test_gids_administrator
test_gids_keys
test_gids_use
test_gids_ready
remove_card ready

# A card as it is made by default has an AES-192 key, which older releases of Yubico's tool do not speak, and they sign
# no certificate with OpenSSL 3.
test_yubico_self_signed() {
  local version
  version=$(yubico-piv-tool --version 2>&1 | sed 's/[^0-9.]*//')
  if [ "$(printf '2.4\n%s\n' "$version" | sort -V | head -n 1)" != 2.4 ]; then
    say "not tried: a self-signed certificate, since yubico-piv-tool is version $version"
    return
  fi
  new_card default piv
  insert_card default
  yubico --action generate --slot 9a --algorithm ECCP256 --output "$work/self.pub" >"$work/yubico.log" 2>&1 ||
    fail "yubico-piv-tool authenticates with AES-192"
  yubico --action verify-pin --pin 123456 --action selfsign-certificate --slot 9a --subject '/CN=virtual/' \
    --input "$work/self.pub" --output "$work/self.pem" >>"$work/yubico.log" 2>&1 || fail "a self-signed certificate"
  expect OK openssl verify -CAfile "$work/self.pem" "$work/self.pem"
  yubico --action generate --slot 9d --algorithm X25519 --output "$work/x25519.pub" >>"$work/yubico.log" 2>&1 ||
    fail "yubico-piv-tool generates X25519"
  expect 'X25519 Public-Key' openssl pkey -pubin -in "$work/x25519.pub" -noout -text
  yubico --action move-key --slot 9d --to-slot 82 >>"$work/yubico.log" 2>&1 || fail "yubico-piv-tool moves a key"
  yubico --action delete-key --slot 82 >>"$work/yubico.log" 2>&1 || fail "yubico-piv-tool deletes a key"
  remove_card default
  pass "yubico-piv-tool: AES-192, self-signed certificate, X25519, move and delete"
}

test_yubico_self_signed
new_card piv piv --management-key 3des
insert_card piv
test_reader
test_yubico_key 9a RSA2048
test_yubico_key 9c ECCP256
test_yubico_key 9e ECCP384
test_yubico_attestation
test_yubico_import
test_wrong_pin
test_opensc_signs
test_piv_tool
test_faults
test_restart
done_ok
