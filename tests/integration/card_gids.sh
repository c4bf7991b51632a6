#!/usr/bin/env bash
# A generic minidriver card behind a real pcscd, written by our module and by OpenSC, each reading what the other wrote.
. "$(dirname "$0")/lib.sh"
. "$(dirname "$0")/pcscd_lib.sh"
opensc_module=/usr/lib/$(uname -m)-linux-gnu/opensc-pkcs11.so
begin_cards gids-tool
[ -e "$opensc_module" ] || skip "opensc-pkcs11 is not installed (./install-packages tests)"
cardea=${CARDEA_COMMAND:?CARDEA_COMMAND names the program under test}
export CARDEA_CONF=$work/cardea.toml
touch "$CARDEA_CONF"
admin_key=010203040506070801020304050607080102030405060708
ours=(pkcs11-tool --module "$module")
theirs=(pkcs11-tool --module "$opensc_module")
user=(--login --pin 123456)

# verify SIGNATURE PUBLIC-KEY: of $work/message, RSA with PKCS#1 and SHA-256.
verify() {
  expect 'Verified OK' openssl dgst -sha256 -keyform DER -verify "$2" -signature "$1" "$work/message"
}

# make_key WHO ID: one of the arrays above.
make_key() {
  local -n tool=$1
  with_timeout 90 "${tool[@]}" "${user[@]}" --keypairgen --key-type rsa:2048 --id "$2" --label "$1-$2" \
    >"$work/make-$1.log" 2>&1 || fail "$1: no key is made on the card"
}

# use_key WHO ID FILES
use_key() {
  local -n tool=$1
  with_timeout 60 "${tool[@]}" --read-object --type pubkey --id "$2" --output-file "$work/$3.der" \
    >"$work/use-$1.log" 2>&1 || fail "$1: the public key $2 cannot be read"
  with_timeout 60 "${tool[@]}" "${user[@]}" --sign --mechanism SHA256-RSA-PKCS --id "$2" \
    --input-file "$work/message" --output-file "$work/$3.sig" >>"$work/use-$1.log" 2>&1 ||
    fail "$1: key $2 does not sign"
  verify "$work/$3.sig" "$work/$3.der"
}

certify() {
  [ -e "$work/ca.pem" ] || new_ca
  openssl pkey -pubin -inform DER -in "$work/$1.der" -out "$work/$1.pub"
  sign_certificate "$1" keyUsage=digitalSignature "$work/$1.pub"
  openssl x509 -in "$work/$1.pem" -outform DER -out "$work/$1.crt"
}

# write_certificate WHO ID NAME, and read it with both.
write_certificate() {
  local -n tool=$1
  local reader
  # Now our module remembers that there is none yet.
  with_timeout 60 "${ours[@]}" --list-objects --type cert >"$work/write-$1.log" 2>&1 || fail "certificates are not listed"
  with_timeout 60 "${tool[@]}" "${user[@]}" --write-object "$work/$3.crt" --type cert --id "$2" \
    >>"$work/write-$1.log" 2>&1 || fail "$1: the certificate is not written"
  # What another program writes shows at the next insertion, or once somebody has looked.
  if [ "$2" = 00 ]; then
    card generic remove >/dev/null
    card generic insert >/dev/null
    wait_for_card generic
  else
    with_timeout 60 "$cardea" card list >>"$work/write-$1.log" 2>&1 || fail "cardea card list"
  fi
  for reader in "$module" "$opensc_module"; do
    with_timeout 60 pkcs11-tool --module "$reader" --read-object --type cert --id "$2" --output-file "$work/read.crt" \
      >>"$work/write-$1.log" 2>&1 || fail "the certificate $2 that $1 wrote cannot be read by $reader"
    cmp "$work/read.crt" "$work/$3.crt" || fail "the certificate $2 that $1 wrote is another one for $reader"
  done
}

test_initialised_by_opensc() {
  with_timeout 60 gids-tool --initialize --admin-key "$admin_key" --pin 123456 \
    --serial-number 00112233445566778899aabbccddeeff >"$work/gids-tool.log" 2>&1 || fail "gids-tool --initialize"
  expect '0011223344556677' "${ours[@]}" --list-token-slots
  pass "a card that gids-tool initialised is a token"
}

test_both_ways() {
  make_key ours 00
  use_key theirs 00 from-ours
  use_key ours 00 from-ours-again
  cmp "$work/from-ours.der" "$work/from-ours-again.der" || fail "the public key 00 differs between the modules"
  pass "OpenSC uses the key that we made"
  make_key theirs 01
  use_key ours 01 from-theirs
  pass "we use the key that OpenSC made"
}

test_certificates() {
  certify from-ours
  certify from-theirs
  write_certificate ours 00 from-ours
  write_certificate theirs 01 from-theirs
  pass "certificates of each are read by both"
}

test_pss() {
  with_timeout 60 "${ours[@]}" "${user[@]}" --sign --mechanism SHA256-RSA-PKCS-PSS --id 01 \
    --input-file "$work/message" --output-file "$work/pss.sig" >"$work/pss.log" 2>&1 || fail "PSS"
  expect 'Verified OK' openssl dgst -sha256 -keyform DER -verify "$work/from-theirs.der" -signature "$work/pss.sig" \
    -sigopt rsa_padding_mode:pss "$work/message"
  pass "RSA-PSS, which the card does not know, from its bare operation"
}

# Counted from the first command of a new process; nothing is cached, and the card is read from its reader anew.
test_few_commands() {
  local before after
  before=$(apdus generic)
  XDG_CACHE_HOME=$work/no-cache with_timeout 60 "${ours[@]}" "${user[@]}" --sign --mechanism SHA256-RSA-PKCS --id 01 \
    --input-file "$work/message" --output-file "$work/few.sig" >"$work/few.log" 2>&1 || fail "a cold signature"
  after=$(apdus generic)
  say "commands for a first signature from a cold start: $((after - before))"
  [ $((after - before)) -le 16 ] || fail "a first signature takes $((after - before)) commands, not 16"
  pass "a first signature takes few commands"
}

# OpenSC makes a key on a card that we laid out, and we use it.
test_initialised_by_us() {
  card generic remove >/dev/null
  new_card blank gids
  insert_card blank
  (umask 077 && echo "$admin_key" >"$work/admin.key" && echo 654321 >"$work/pin")
  local init=("$cardea" card init --new-admin-key-file "$work/admin.key" --new-pin-file "$work/pin")
  with_timeout 60 "${init[@]}" >"$work/init.log" 2>&1 || fail "cardea card init: $(cat "$work/init.log")"
  grep -qE 'serial number is [0-9a-f]{16}' "$work/init.log" || fail "the card's number is not told: $(cat "$work/init.log")"
  if with_timeout 60 "${init[@]}" >"$work/init.log" 2>&1; then fail "a card is laid out twice"; fi
  grep -qF 'is not blank' "$work/init.log" || fail "it is not said why: $(cat "$work/init.log")"
  user=(--login --pin 654321)
  make_key theirs 00
  use_key ours 00 from-blank
  pass "OpenSC takes a card that we laid out"
}

printf 'a message of some length, signed on a card\n' >"$work/message"
start_pcscd
new_card generic gids
insert_card generic
test_initialised_by_opensc
test_both_ways
test_certificates
test_pss
test_few_commands
test_initialised_by_us
done_ok
