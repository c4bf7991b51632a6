#!/usr/bin/env bash
# Ed25519 and X25519 on a virtual PIV card behind a real pcscd: made there or brought there, used through the module,
# and checked by OpenSSL. What X25519 agrees on is compared in tests/contract/cards_test.cc.
. "$(dirname "$0")/lib.sh"
. "$(dirname "$0")/pcscd_lib.sh"
begin_cards jq
cardea=${CARDEA_COMMAND:?CARDEA_COMMAND names the program under test}
printf '123456\n' >"$work/pin"
chmod 600 "$work/pin"
printf 'a message of some length, signed on a card\n' >"$work/message"

# run WANTED ARGUMENTS...: without a terminal; output in $work/out and $work/err.
run() {
  local wanted=$1 got=0
  shift
  setsid -w timeout 120 "$cardea" "$@" >"$work/out" 2>"$work/err" </dev/null || got=$?
  [ "$got" = "$wanted" ] || fail "exit status $got instead of $wanted: $* ($(cat "$work/out" "$work/err"))"
}
admin() { run 0 card "$@" --factory-admin-key; }
user() { local wanted=$1; shift; run "$wanted" "$@" --pin-file "$work/pin"; }
verifies() { expect 'Verified Successfully' openssl pkeyutl -verify -rawin -pubin -inkey "$1" -in "$2" -sigfile "$3"; }

test_generated() {
  admin key generate --place 9A --type ed25519 --out "$work/9A.pub"
  expect 'ED25519 Public-Key' openssl pkey -pubin -in "$work/9A.pub" -noout -text
  user 0 cert request pkcs11:id=%01 --subject 'CN=edwards' --out "$work/request.pem"
  expect OK openssl req -in "$work/request.pem" -noout -verify
  cmp <(openssl req -in "$work/request.pem" -noout -pubkey) "$work/9A.pub" || fail "the request names another key"
  new_ca
  sign_certificate 9A keyUsage=digitalSignature "$work/9A.pub"
  admin cert write --place 9A --in "$work/9A.pem"
  user 0 sign pkcs11:id=%01 --in "$work/message" --out "$work/signature"
  verifies "$work/9A.pub" "$work/message" "$work/signature"
  run 0 verify pkcs11:id=%01 --in "$work/message" --signature "$work/signature"
  run 0 card attest --place 9A --out "$work/attestation.pem"
  cmp <(openssl x509 -in "$work/attestation.pem" -noout -pubkey) "$work/9A.pub" || fail "another key is attested"
  pass "Ed25519 made on the card: request, certificate, signature, attestation"
}

# The card takes a message whole, so it takes no message that is larger than its memory.
test_lengths() {
  local size
  for size in 1 255 256 3000; do
    head -c "$size" /dev/urandom >"$work/long"
    user 0 sign pkcs11:id=%01 --in "$work/long" --out "$work/signature"
    verifies "$work/9A.pub" "$work/long" "$work/signature"
  done
  head -c 200000 /dev/zero >"$work/long"
  user 1 sign pkcs11:id=%01 --in "$work/long" --out "$work/too-long"
  [ ! -e "$work/too-long" ] || fail "a signature that failed left a file"
  pass "messages of all lengths that fit"
}

# The same key signs the same on a card as in OpenSSL: Ed25519 has no random part.
test_imported() {
  openssl genpkey -algorithm ED25519 -out "$work/9E.key" 2>>"$work/setup.log"
  openssl pkeyutl -sign -rawin -inkey "$work/9E.key" -in "$work/message" -out "$work/expected"
  admin key import --place 9E --in "$work/9E.key"
  run 0 sign pkcs11:id=%04 --in "$work/message" --out "$work/signature" --pin-file "$work/pin"
  cmp "$work/expected" "$work/signature" || fail "the imported key signs something else"
  new_card loaded piv
  "$vcard" load --state "$work/loaded.card" --key "9E=$work/9E.key" >>"$work/setup.log" 2>&1 || fail "loading the key"
  pass "Ed25519 brought to the card"
}

test_x25519() {
  admin key generate --place 9D --type x25519 --out "$work/9D.pub"
  expect 'X25519 Public-Key' openssl pkey -pubin -in "$work/9D.pub" -noout -text
  run 0 card info --json
  jq -e '[.keys[] | {place, key}] | contains([{place: "9A", key: "ed25519"}, {place: "9D", key: "x25519"}])' \
    "$work/out" >/dev/null || fail "the keys are not shown: $(cat "$work/out")"
  pass "X25519 made on the card"
}

test_kept() {
  remove_card piv
  insert_card piv
  user 0 sign pkcs11:id=%01 --in "$work/message" --out "$work/signature"
  verifies "$work/9A.pub" "$work/message" "$work/signature"
  pass "the keys outlive the card's process"
}

start_pcscd
new_card piv piv
insert_card piv
test_generated
test_lengths
test_imported
test_x25519
test_kept
done_ok
