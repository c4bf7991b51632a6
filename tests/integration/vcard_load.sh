#!/usr/bin/env bash
# The GSA's ICAM test cards on a virtual card: objects and keys that others made, read and used through pcscd by others'
# middleware.
. "$(dirname "$0")/lib.sh"
. "$(dirname "$0")/pcscd_lib.sh"
opensc_module=/usr/lib/$(uname -m)-linux-gnu/opensc-pkcs11.so
icam=${CARDEA_TEST_DATA:-${CARDEA_SOURCE:-$here/../..}/../shared/data}/icam-cards
[ -d "$icam" ] || { printf 'skipped: no ICAM test cards in %s (CARDEA_TEST_DATA)\n' "$icam"; exit 77; }
begin_cards yubico-piv-tool opensc-tool
[ -e "$opensc_module" ] || skip "opensc-pkcs11 is not installed (./install-packages tests)"
printf 'a message of some length, signed on a card\n' >"$work/message"
start_pcscd
keys_of_card=("9a=3 - ICAM_PIV_Auth" "9c=4 - ICAM_PIV_Dig_Sig" "9d=5 - ICAM_PIV_Key_Mgmt" "9e=6 - ICAM_PIV_Card_Auth")

yubico() { with_timeout 60 yubico-piv-tool --reader Cardea "$@"; }
der() { openssl x509 -in "$1" -outform DER; }

# icam_key FOLDER FILE REFERENCE: the key of a test card without its wrapping. mbedTLS 2.28 reads no PKCS#12.
icam_key() {
  openssl pkcs12 -legacy -in "$1/$2" -passin pass: -nodes -nocerts -out "$work/$3.key" 2>>"$work/setup.log" ||
    fail "key of $2"
}

# load FOLDER: a new card with everything that the folder holds.
load() {
  local folder=$1 entry keys=()
  for entry in "${keys_of_card[@]}"; do
    icam_key "$folder" "${entry#*=}_SP_800-73-4.p12" "${entry%%=*}"
    keys+=(--key "${entry%%=*}=$work/${entry%%=*}.key")
  done
  new_card icam piv --replace
  "$vcard" load --state "$work/icam.card" --objects "$folder" "${keys[@]}" >>"$work/setup.log" 2>&1 ||
    fail "loading ${folder##*/}"
}

# Yubico's tool prints objects in hexadecimal.
same_object() {
  local name=$1 file=$2
  yubico --action status >"$work/status" 2>>"$work/setup.log" || fail "status of the card"
  [ "$(sed -n "s/^$name:[[:space:]]*//p" "$work/status")" = "$(od -An -v -tx1 "$file" | tr -d ' \n')" ] ||
    fail "$name is not what was loaded"
}

check_card() {
  local folder=$1 entry slot
  insert_card icam
  for entry in "${keys_of_card[@]}"; do
    slot=${entry%%=*}
    yubico --action read-certificate --slot "$slot" --output "$work/$slot.pem" >>"$work/setup.log" 2>&1 ||
      fail "certificate $slot of ${folder##*/}"
    cmp <(der "$work/$slot.pem") <(der "$folder/${entry#*=}_SP_800-73-4.crt") || fail "certificate $slot differs"
  done
  same_object CHUID "$folder/8 - CHUID Object"
  same_object CCC "$folder/7 - CCC"
  yubico --action verify-pin --pin 123456 --action test-signature --slot 9a --input "$work/9a.pem" \
    >"$work/yubico.log" 2>&1 || fail "key 9A of ${folder##*/} signs"
  grep -q 'Successful .* verification' "$work/yubico.log" || fail "signature of 9A of ${folder##*/}"
  remove_card icam
  pass "${folder##*/}"
}

test_opensc_reads() {
  load "$icam/01_Golden_PIV"
  insert_card icam
  with_timeout 60 pkcs11-tool --module "$opensc_module" --login --pin 123456 --read-object --type data \
    --label 'Printed Information' --output-file "$work/printed" >"$work/opensc.log" 2>&1 ||
    fail "OpenSC reads the printed information"
  cmp <(tail -c "$(stat -c %s "$icam/01_Golden_PIV/11 - Printed Information")" "$work/printed") \
    "$icam/01_Golden_PIV/11 - Printed Information" || fail "printed information differs"
  for id in 01 02; do
    with_timeout 60 pkcs11-tool --module "$opensc_module" --login --pin 123456 --sign --id "$id" \
      --mechanism SHA256-RSA-PKCS --input-file "$work/message" --output-file "$work/signature" \
      >>"$work/opensc.log" 2>&1 || fail "OpenSC signs with key $id"
  done
  remove_card icam
  pass "OpenSC reads printed information and signs with 9A and 9C"
}

for folder in "$icam"/*/; do
  load "${folder%/}"
  check_card "${folder%/}"
done
test_opensc_reads
done_ok
