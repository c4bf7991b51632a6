#!/usr/bin/env bash
# `cardea card` on virtual cards behind a real pcscd: personalisation, PINs, and what it says when something is wrong.
. "$(dirname "$0")/lib.sh"
. "$(dirname "$0")/pcscd_lib.sh"
. "$(dirname "$0")/terminal_lib.sh"
begin_cards jq opensc-tool script
cardea=${CARDEA_COMMAND:?CARDEA_COMMAND names the program under test}

# run WANTED ARGUMENTS...: without a terminal; output in $work/out and $work/err.
run() {
  local wanted=$1 got=0
  shift
  setsid -w timeout 120 "$cardea" card "$@" >"$work/out" 2>"$work/err" </dev/null || got=$?
  [ "$got" = "$wanted" ] || fail "exit status $got instead of $wanted: card $* ($(cat "$work/out" "$work/err"))"
}
says() { grep -qF -- "$1" "$work/out" "$work/err" || fail "'$1' is not in: $(cat "$work/out" "$work/err")"; }
json() { jq -e "$1" "$work/out" >/dev/null || fail "$1 does not hold: $(cat "$work/out")"; }

printf '123456\n' >"$work/pin"
printf '12345678\n' >"$work/puk"
printf '000000\n' >"$work/wrong"
printf '654321\n' >"$work/new-pin"
printf '87654321\n' >"$work/new-puk"
printf '%048d\n' 42 | tr 0 a >"$work/admin.key"
admin=(--factory-admin-key)

test_without_cards() {
  run 3 info
  says 'There is no card in any reader'
  run 0 list --json
  json '.cards | length == 2 and all(.state == "no card")'
  pass "without a card"
}

test_describing() {
  run 0 list --json
  json '[.cards[] | select(.kind == "piv" and .state == "ready")] | length == 1'
  run 0 info --json
  json '.kind == "piv" and .pin.tries_left == 3 and .pin.locked == false and (.keys | length == 0)'
  run 0 info
  says 'PIN: 3 tries left'
  run 0 dump --json
  json '.files[] | select(.name == "Card Holder Unique Identifier") | .fields[] | select(.name == "GUID") | .value | length == 32'
  pass "list, info, dump"
}

# closed: whether the PIN and the administrator's key are to be proved again, after a command that proved them.
closed() {
  with_timeout 20 opensc-tool --reader 0 --send-apdu 00:A4:04:00:09:A0:00:00:03:08:00:00:10:00 --send-apdu 00:20:00:80 \
    --send-apdu 00:47:00:9E:05:AC:03:80:01:11 >"$work/raw" 2>&1 || fail "opensc-tool: $(cat "$work/raw")"
  grep -q 'SW1=0x63, SW2=0xC' "$work/raw" || fail "the PIN is still proved: $(cat "$work/raw")"
  grep -q 'SW1=0x69, SW2=0x82' "$work/raw" || fail "the administrator's key is still proved: $(cat "$work/raw")"
}

test_keys() {
  run 4 key generate --place 9A --type ec:P-256
  says '--admin-key-file'
  run 0 key generate --place 9A --type ec:P-256 --out "$work/9A.pub" "${admin[@]}"
  closed
  openssl pkey -pubin -in "$work/9A.pub" -noout || fail "the public key is not understood"
  new_ca
  sign_certificate 9A keyUsage=digitalSignature "$work/9A.pub"
  run 0 cert write --place 9A --in "$work/9A.pem" "${admin[@]}"
  run 0 info --json
  json '.keys | length == 1 and .[0].place == "9A" and .[0].key == "ec:P-256" and (.[0].subject | length > 0)'
  run 1 key generate --place 9A --type ec:P-256 "${admin[@]}"
  says 'would lose it for good'
  run 1 key generate --place 9A --type ec:P-256 --force --out "$work/no/such/folder" "${admin[@]}"
  says 'cannot be written'
  run 0 info --json
  json '.keys | length == 1 and (.[0].subject | length > 0)'
  run 2 key generate --place 9A --type ec:P-256 --force --admin-key-file ''
  says 'its value is empty'
  openssl genpkey -algorithm RSA -pkeyopt rsa_keygen_bits:2048 -out "$work/9D.key" 2>>"$work/setup.log"
  openssl pkey -in "$work/9D.key" -pubout -out "$work/9D.pub"
  run 0 key import --place 9D --in "$work/9D.key" "${admin[@]}"
  run 1 cert write --place 9D --in "$work/9A.pem" "${admin[@]}"
  says 'another one than the certificate'
  sign_certificate 9D keyUsage=keyEncipherment "$work/9D.pub"
  run 0 cert write --place 9D --in "$work/9D.pem" "${admin[@]}"
  run 0 key move --place 9D --to 82 "${admin[@]}"
  run 0 info --json
  json '[.keys[].place] == ["9A", "82"]'
  run 1 key delete --place 82 "${admin[@]}"
  run 0 cert delete --place 82 "${admin[@]}"
  run 0 key delete --place 82 --force "${admin[@]}"
  run 3 key generate --place 77 "${admin[@]}"
  pass "keys and certificates"
}

# Files that are not what they are given for, places that are none: refused in words, before the card is touched.
test_wrong_input() {
  local file
  head -c 5000 /dev/urandom >"$work/garbage"
  : >"$work/empty"
  openssl pkey -in "$work/9D.key" -aes128 -passout pass:secret -out "$work/encrypted.key"
  openssl genpkey -algorithm EC -pkeyopt ec_paramgen_curve:P-521 -out "$work/p521.key" 2>>"$work/setup.log"
  for file in garbage empty encrypted.key 9A.pem; do
    run 2 key import --place 9E --in "$work/$file" "${admin[@]}"
    says 'holds no private key in PKCS#8'
  done
  run 1 key import --place 9E --in "$work/p521.key" "${admin[@]}"
  says 'cardea card key generate --help'
  for file in garbage empty 9D.key; do
    run 1 cert write --place 9A --in "$work/$file" "${admin[@]}"
    says 'holds no X.509 certificate'
    run 1 verify --issuer "$work/$file"
    says 'holds no X.509 certificate'
  done
  run 3 key import --place 9E --in "$work/nosuch" "${admin[@]}"
  run 1 key import --place 9E --in "$work" "${admin[@]}"
  run 2 key generate --place 9E --admin-key-file "$work/garbage"
  run 4 key generate --place 9E --admin-key-file "$work/empty"
  says 'holds no key'
  printf '0102\n' >"$work/short.key"
  run 1 key generate --place 9E --admin-key-file "$work/short.key"
  says 'another length'
  run 4 key generate --place 9E --admin-key-file "$work/admin.key"
  says "the administrator's key is wrong. Check it"
  run 1 admin-key set --new-admin-key-file "$work/short.key" "${admin[@]}"
  says 'another length'
  run 2 key move --place 9A --to 9A --force "${admin[@]}"
  says 'to move from and to'
  run 3 key move --place 9C --to 83 "${admin[@]}"
  says 'cardea card info'
  run 2 record "$work/unwritten" -- record "$work/nothing" -- info
  [ ! -e "$work/unwritten" ] || fail "a recording of a recording was written"
  run 1 record "$work/no/such/folder" -- info
  run 1 replay "$work/garbage" -- info
  run 0 info --json
  json '[.keys[].place] == ["9A"] and .pin.tries_left == 3 and .puk.tries_left == 3'
  pass "wrong input"
}

# A card that leaves in the middle, or forgets, or stops answering: the command ends in words, the next one works.
test_faults() {
  local step
  for step in 1 2 4; do
    card piv fault "pull@$step" >/dev/null
    run 1 info
    says 'Insert the card'
    wait_for_no_card piv
    card piv insert >/dev/null
    wait_for_card piv
    card piv fault "pull@$step" >/dev/null
    run 1 key generate --place 9E --type ec:P-256 --force "${admin[@]}"
    says 'Insert the card'
    wait_for_no_card piv
    card piv insert >/dev/null
    wait_for_card piv
  done
  card piv fault forget@3 >/dev/null
  run 0 info --json
  json '[.keys[].place] == ["9A"]'
  card piv fault mute@2 >/dev/null
  run 1 info
  says 'did not answer in time'
  remove_card piv
  insert_card piv
  run 0 info
  pass "faults"
}

test_two_cards() {
  local serial
  new_card other piv
  insert_card other
  run 2 info
  says 'There are 2 cards to choose from'
  run 2 reset --yes
  run 2 key generate --place 9E "${admin[@]}"
  run 3 info --card nosuch
  run 0 list --json
  serial=$(jq -r '[.cards[].serial][1]' "$work/out")
  run 0 info --json --card "$serial"
  json ".serial == \"$serial\" and (.keys | length == 0)"
  remove_card other
  pass "two cards"
}

# What cannot be written costs nothing but the memory of what was read.
test_no_home() {
  local HOME=/proc XDG_CACHE_HOME=/proc XDG_RUNTIME_DIR=/proc CARDEA_HOME=/proc
  run 0 info --json
  json '[.keys[].place] == ["9A"]'
  run 0 key generate --place 9E --type ec:P-256 "${admin[@]}"
  run 0 key delete --place 9E --force "${admin[@]}"
  pass "a home that cannot be written"
}

test_attestation() {
  run 0 attest --place 9A --out "$work/attestation.pem"
  run 0 attest --place 9A --json --out "$work/attestation2.pem"
  jq -r .certificate "$work/out" | diff -B - "$work/attestation2.pem" || fail "--out or --json is left out"
  run 0 attest --place F9 --out "$work/attester.pem"
  expect OK openssl verify -partial_chain -CAfile "$work/attester.pem" "$work/attestation.pem"
  run 0 key import --place 9E --in "$work/9D.key" "${admin[@]}"
  run 1 attest --place 9E
  pass "attestation"
}

test_pins() {
  run 4 pin change --pin-file "$work/wrong" --new-pin-file "$work/new-pin"
  says 'tries left: 2'
  run 0 dump --login --pin-file "$work/pin"
  closed
  run 0 pin change --pin-file "$work/pin" --new-pin-file "$work/new-pin"
  closed
  run 0 puk change --puk-file "$work/puk" --new-puk-file "$work/new-puk"
  run 4 pin change --pin-file "$work/wrong" --new-pin-file "$work/pin"
  run 4 pin change --pin-file "$work/wrong" --new-pin-file "$work/pin"
  run 4 pin change --pin-file "$work/new-pin" --new-pin-file "$work/pin"
  says 'Only one try of the PIN is left'
  run 4 dump --login --pin-file "$work/new-pin"
  says 'Only one try of the PIN is left'
  run 0 info
  says 'PIN: 1 try left'
  run 4 pin unlock --puk-file "$work/puk" --new-pin-file "$work/pin"
  says 'the PUK is wrong (tries left: 2)'
  run 0 pin unlock --puk-file "$work/new-puk" --new-pin-file "$work/pin"
  run 0 info --json
  json '.pin.tries_left == 3'
  run 2 pin change --pin 123456
  pass "PIN and PUK"
}

# With an operator on the phone the PUK's last try is held back as well.
test_unblock() {
  unblock() {
    local wanted=$1 got=0
    setsid -w timeout 120 "$cardea" unblock --device piv --puk-file "$2" --new-pin-file "$work/strong" >"$work/out" \
      2>"$work/err" </dev/null || got=$?
    [ "$got" = "$wanted" ] || fail "exit status $got instead of $wanted: unblock ($(cat "$work/out" "$work/err"))"
  }
  printf '739164\n' >"$work/strong"
  unblock 4 "$work/puk"
  says 'the unblock code is wrong (tries left: 2)'
  unblock 4 "$work/puk"
  unblock 4 "$work/new-puk"
  says 'Only one try of the PUK is left'
  run 0 info --json
  json '.puk.tries_left == 1'
  on_terminal "$cardea unblock --device piv --puk-file $work/puk --new-pin-file $work/strong"
  await 'Type "yes"'; type_line yes
  await 'Unblock code or PUK: '; type_line 87654321
  finish 0
  run 0 pin change --pin-file "$work/strong" --new-pin-file "$work/pin"
  run 0 info --json
  json '.puk.tries_left == 3'
  pass "the PUK's last try on the phone"
}

test_admin_key() {
  run 0 admin-key set --new-admin-key-file "$work/admin.key" "${admin[@]}"
  run 4 key generate --place 9C "${admin[@]}"
  says "administrator's key"
  admin=(--admin-key-file "$work/admin.key")
  run 0 key generate --place 9C --type ec:P-384 --pin-policy once "${admin[@]}"
  run 0 pin tries --pin-tries 5 --puk-tries 4 --pin-file "$work/pin" "${admin[@]}"
  run 0 info --json
  json '.pin.tries_left == 5'
  pass "administrator's key, tries"
}

test_reset() {
  run 1 reset
  says 'Nothing was changed'
  run 0 reset --yes
  run 0 info --json
  json '(.keys | length == 0) and .pin.tries_left == 3'
  pass "reset"
}

test_recording() {
  run 0 record "$work/recording" -- info
  says 'PIN: '
  [ "$(stat -c %a "$work/recording")" = 600 ] || fail "others can read a recording"
  run 0 info --json
  cp "$work/out" "$work/live.json"
  run 0 replay "$work/recording" --json -- info
  diff <(jq -S 'del(.reader)' "$work/live.json") <(jq -S 'del(.reader)' "$work/out") || fail "the recording says something else"
  run 4 record "$work/recording-pin" -- pin change --pin-file "$work/wrong" --new-pin-file "$work/new-pin"
  if grep -q 30303030 "$work/recording-pin"; then fail "a PIN is in the recording"; fi
  run 0 pin change --pin-file "$work/pin" --new-pin-file "$work/pin"
  run 2 record "$work/nothing" -- nosuch
  pass "record and replay"
}

doctor() {
  setsid -w timeout 60 "$cardea" doctor --json >"$work/out" 2>"$work/err" </dev/null || true
}

test_doctor() {
  doctor
  json '.findings[] | select((.subject | startswith("card ")) and .severity == "ok")'
  json '.findings[] | select(.finding | contains("PUK is that of all new cards"))'
  run 4 pin change --pin-file "$work/wrong" --new-pin-file "$work/new-pin"
  run 4 pin change --pin-file "$work/wrong" --new-pin-file "$work/new-pin"
  doctor
  json '.findings[] | select(.severity == "problem" and (.finding | contains("one wrong PIN more")))'
  run 0 pin unlock --puk-file "$work/puk" --new-pin-file "$work/pin"
  pass "doctor"
}

test_generic_card() {
  remove_card piv
  new_card blank gids
  insert_card blank
  run 3 key generate --place 0 --pin-file "$work/pin"
  says 'The card has no places for keys'
  remove_card blank
  new_card gids gids --initialised
  insert_card gids
  run 0 list --json
  json '[.cards[] | select(.kind == "gids" and .state == "ready")] | length == 1'
  run 0 key generate --place 0 --type rsa:2048 --pin-file "$work/pin" --out "$work/gids.pub"
  sign_certificate gids keyUsage=digitalSignature "$work/gids.pub"
  run 0 cert write --place 0 --in "$work/gids.pem" --pin-file "$work/pin"
  run 0 info --json
  json '.keys | length == 1 and .[0].key == "rsa:2048" and .[0].subject != ""'
  run 0 dump --json
  json '.files | length > 3'
  run 1 attest --place 0
  remove_card gids
  pass "generic card"
}

# The GSA's test cards: signatures and hashes hold, and a changed object shows.
test_issuer_checks() {
  local icam=${CARDEA_TEST_DATA:-${CARDEA_SOURCE:-$here/../..}/../shared/data}/icam-cards/01_Golden_PIV
  [ -d "$icam" ] || { say "left out: no ICAM test cards in $icam (CARDEA_TEST_DATA)"; return; }
  new_card icam piv
  "$vcard" load --state "$work/icam.card" --objects "$icam" >>"$work/setup.log" 2>&1 || fail "loading the test card"
  insert_card icam
  run 0 verify --issuer "$icam/CHUID_Signer.crt" --login --pin-file "$work/pin" --json
  json '.failed == 0 and (.checks | length == 6)'
  run 0 dump --login --pin-file "$work/pin" --json
  json '.files[] | select(.name == "Card Holder Unique Identifier") | .fields[] | select(.name == "FASC-N digits") | .value == "47000256001337111234567890199991"'
  json '.files[] | select(.name == "Printed Information") | .fields[] | select(.name == "name") | .value == "Golden PIV"'
  new_ca
  run 5 verify --issuer "$work/ca.pem" --login --pin-file "$work/pin"
  says 'FAILED'
  remove_card icam
  pass "issuer's signatures and hashes"
}

# A CHUID of ours, signed by a certificate under our CA: only one made for that is believed.
test_content_signer() {
  local usage folder=$work/objects content
  mkdir -p "$folder"
  content=3019d4e739da739ced39ce739d836858210842108421c84210c3eb341000112233445566778899aabbccddeeff35083230353030313031
  printf "$(sed 's/../\\x&/g' <<<"${content}fe00")" >"$work/signed"
  for usage in 2.16.840.1.101.3.6.7 emailProtection; do
    openssl genpkey -algorithm EC -pkeyopt ec_paramgen_curve:P-256 -out "$work/signer.key" 2>>"$work/setup.log"
    openssl pkey -in "$work/signer.key" -pubout -out "$work/signer.pub"
    sign_certificate signer "extendedKeyUsage=$usage" "$work/signer.pub"
    openssl cms -sign -binary -in "$work/signed" -signer "$work/signer.pem" -inkey "$work/signer.key" -outform DER \
      -out "$work/signature.der" 2>>"$work/setup.log" || fail "signing a CHUID"
    {
      printf "$(sed 's/../\\x&/g' <<<"$content")"
      printf "$(printf '3e82%04x' "$(stat -c %s "$work/signature.der")" | sed 's/../\\x&/g')"
      cat "$work/signature.der"
      printf '\xfe\x00'
    } >"$folder/8 - CHUID Object"
    new_card signed piv --replace
    "$vcard" load --state "$work/signed.card" --objects "$folder" >>"$work/setup.log" 2>&1 || fail "loading a CHUID"
    insert_card signed
    # There is no security object, so one check always fails.
    run 5 verify --issuer "$work/ca.pem" --json
    if [ "$usage" = emailProtection ]; then json '.checks[0].passed | not'; else json '.checks[0].passed'; fi
    remove_card signed
  done
  pass "content signers"
}

start_pcscd
test_without_cards
new_card piv piv
insert_card piv
test_describing
test_keys
test_wrong_input
test_faults
test_two_cards
test_no_home
test_attestation
test_pins
test_unblock
test_admin_key
test_reset
test_recording
test_doctor
test_generic_card
test_issuer_checks
test_content_signer
done_ok
