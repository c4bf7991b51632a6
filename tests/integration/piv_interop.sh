#!/usr/bin/env bash
# A PIV card that we personalise serves other people's middleware, and one that others personalise serves us.
. "$(dirname "$0")/lib.sh"
. "$(dirname "$0")/pcscd_lib.sh"
opensc_module=/usr/lib/$(uname -m)-linux-gnu/opensc-pkcs11.so
begin_cards jq yubico-piv-tool
[ -e "$opensc_module" ] || skip "opensc-pkcs11 is not installed (./install-packages tests)"
cardea=${CARDEA_COMMAND:?CARDEA_COMMAND names the program under test}
printf 'a message of some length, signed on a card\n' >"$work/message"
printf '123456\n' >"$work/pin"

ours() { with_timeout 120 "$cardea" card "$@" >"$work/ours.log" 2>&1 || fail "cardea card $*: $(cat "$work/ours.log")"; }
admin() { ours "$@" --factory-admin-key; }
yubico() { with_timeout 60 yubico-piv-tool --reader Cardea "$@" >"$work/yubico.log" 2>&1 || fail "yubico-piv-tool $*: $(cat "$work/yubico.log")"; }
opensc() { with_timeout 60 pkcs11-tool --module "$opensc_module" "$@" 2>>"$work/opensc.log"; }
same_certificate() { cmp <(openssl x509 -in "$1" -outform DER) <(openssl x509 -in "$2" -outform DER) || fail "$1 and $2 differ"; }

# personalise PLACE TYPE: by us.
personalise() {
  admin key generate --place "$1" --type "$2" --out "$work/$1.pub"
  sign_certificate "$1" keyUsage=digitalSignature,keyEncipherment "$work/$1.pub"
  admin cert write --place "$1" --in "$work/$1.pem"
}

# OpenSC counts 9A 9C 9D 9E 82 … as 01 02 03 04 05 ….
test_opensc_sees_ours() {
  opensc --list-objects --type cert >"$work/list"
  [ "$(grep -c '^Certificate Object' "$work/list")" = 4 ] || fail "OpenSC sees other certificates: $(cat "$work/list")"
  local entry
  for entry in 01=9A 02=9C 05=82 06=83; do
    opensc --read-object --type cert --id "${entry%=*}" --output-file "$work/read.der" >>"$work/opensc.log" ||
      fail "OpenSC reads certificate ${entry#*=}"
    cmp "$work/read.der" <(openssl x509 -in "$work/${entry#*=}.pem" -outform DER) || fail "OpenSC reads another ${entry#*=}"
  done
  opensc --login --pin 123456 --sign --mechanism SHA256-RSA-PKCS --id 01 --input-file "$work/message" \
    --output-file "$work/signature" >>"$work/opensc.log" || fail "OpenSC signs with 9A"
  openssl dgst -sha256 -verify "$work/9A.pub" -signature "$work/signature" "$work/message" >/dev/null ||
    fail "OpenSC's signature with 9A does not verify"
  pass "OpenSC uses a card that we personalised, retired keys included"
}

test_yubico_sees_ours() {
  local place
  for place in 9a 9c 82; do
    yubico --action read-certificate --slot "$place" --output "$work/read.pem"
    same_certificate "$work/read.pem" "$work/${place^^}.pem"
  done
  yubico --action verify-pin --pin 123456 --action test-signature --slot 9a --input "$work/9A.pem"
  yubico --action attest --slot 9a --output "$work/attestation-theirs.pem"
  ours attest --place 9A --out "$work/attestation-ours.pem"
  cmp <(openssl x509 -in "$work/attestation-theirs.pem" -noout -pubkey) <(openssl x509 -in "$work/attestation-ours.pem" -noout -pubkey) ||
    fail "the attestations name different keys"
  pass "yubico-piv-tool uses a card that we personalised"
}

test_we_see_theirs() {
  yubico --action generate --slot 9e --algorithm ECCP384 --output "$work/9E.pub"
  sign_certificate 9E keyUsage=digitalSignature "$work/9E.pub"
  yubico --action import-certificate --slot 9e --input "$work/9E.pem"
  openssl genpkey -algorithm RSA -pkeyopt rsa_keygen_bits:2048 -out "$work/9D.key" 2>>"$work/setup.log"
  openssl pkey -in "$work/9D.key" -pubout -out "$work/9D.pub"
  yubico --action import-key --slot 9d --input "$work/9D.key"
  sign_certificate 9D keyUsage=keyEncipherment "$work/9D.pub"
  yubico --action import-certificate --slot 9d --input "$work/9D.pem"
  with_timeout 60 "$cardea" card info --json >"$work/info" 2>"$work/ours.log" || fail "card info: $(cat "$work/ours.log")"
  jq -e '[.keys[] | {place, key}] | contains([{place: "9E", key: "ec:P-384"}, {place: "9D", key: "rsa:2048"}])' "$work/info" >/dev/null ||
    fail "we do not see what yubico-piv-tool wrote: $(cat "$work/info")"
  local place
  for place in 9D 9E; do
    jq -r --arg place "$place" '.keys[] | select(.place == $place) | .certificate' "$work/info" | sed 's/../\\x&/g' >"$work/hex"
    printf "$(cat "$work/hex")" | cmp - <(openssl x509 -in "$work/$place.pem" -outform DER) || fail "certificate $place differs"
  done
  pass "we read a card that yubico-piv-tool personalised"
}

test_compressed() {
  local long
  long=$(printf 'DNS:host-%04d.long.example.org,' {1..160})
  sign_certificate 9A "subjectAltName=${long%,}" "$work/9A.pub"
  [ "$(openssl x509 -in "$work/9A.pem" -outform DER | wc -c)" -gt 3500 ] || fail "the certificate is not large"
  admin cert write --place 9A --in "$work/9A.pem"
  with_timeout 60 "$cardea" card dump --json >"$work/dump" 2>"$work/ours.log" || fail "card dump: $(cat "$work/ours.log")"
  jq -e '.files[] | select(.name == "X.509 Certificate for PIV Authentication") |
    .bytes < 3000 and (.fields[] | select(.name == "compressed") | .value == "yes")' "$work/dump" >/dev/null ||
    fail "the large certificate is not compressed"
  opensc --read-object --type cert --id 01 --output-file "$work/read.der" >>"$work/opensc.log" || fail "OpenSC reads the large certificate"
  cmp "$work/read.der" <(openssl x509 -in "$work/9A.pem" -outform DER) || fail "OpenSC reads another large certificate"
  pass "a certificate of 3.5 KB is compressed and comes back"
}

start_pcscd
new_card piv piv --management-key 3des
insert_card piv
new_ca
personalise 9A rsa:2048
personalise 9C ec:P-256
personalise 82 rsa:2048
personalise 83 rsa:2048
test_opensc_sees_ours
test_yubico_sees_ours
test_we_see_theirs
test_compressed
done_ok
