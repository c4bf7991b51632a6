#!/usr/bin/env bash
# How many commands our module and OpenSC's send to the same virtual cards, against the numbers that must not be
# exceeded. Prints a table; fails when one of ours is over its budget.
. "$(dirname "$0")/../integration/lib.sh"
. "$(dirname "$0")/../integration/pcscd_lib.sh"
begin_cards yubico-piv-tool
bench=${CARDEA_BENCH_CARDS:-$(dirname "$vcard")/cardea-bench-cards}
peer=/usr/lib/$(uname -m)-linux-gnu/opensc-pkcs11.so
export CARDEA_CONF=$work/cardea.toml
rsa=0x1 ecdsa=0x1041
over=0

# count MODULE CARD ACTION...: the numbers of one process; a dash where the module cannot do it.
count() {
  local module=$1 card=$2
  shift 2
  with_timeout 60 "$bench" "$module" "$work/$card.ctl" "$@" 2>>"$work/bench.log" || echo - -
}
forget() { rm -rf "$work/cache"; }
export XDG_CACHE_HOME=$work/cache

# row NAME BUDGET OURS PEER
row() {
  printf '%-58s %6s %6s %6s\n' "$1" "$2" "$3" "$4"
  if [ "$3" = - ] || [ "$3" -gt "$2" ]; then over=1; fi
}

yubico() {
  with_timeout 60 yubico-piv-tool --reader Cardea "$@" >>"$work/setup.log" 2>&1 || fail "yubico-piv-tool $*"
}

# A PIV card with four certificates. 9D and 9A are RSA-2048, 9C and 9E P-256.
personalise_piv() {
  local slot algorithm
  new_ca
  for slot in 9a:RSA2048 9c:ECCP256 9d:RSA2048 9e:ECCP256; do
    algorithm=${slot#*:} slot=${slot%:*}
    yubico --action generate --slot "$slot" --algorithm "$algorithm" --output "$work/$slot.pub"
    sign_certificate "$slot" "keyUsage=digitalSignature" "$work/$slot.pub"
    yubico --action import-certificate --slot "$slot" --input "$work/$slot.pem"
  done
}

# measure_piv TITLE COLD FURTHER
measure_piv() {
  local title=$1 first further other_first other_further other_list
  read -r other_first other_further <<<"$(count "$peer" piv sign 01 $rsa)"
  read -r other_list <<<"$(count "$peer" piv list)"
  forget
  read -r first further <<<"$(count "$module" piv sign 01 $rsa)"
  row "PIV, $title: first RSA-2048 signature, nothing cached" "$2" "$first" "$other_first"
  row "PIV, $title: each further RSA-2048 signature" "$3" "$further" "$other_further"
  read -r first further <<<"$(count "$module" piv sign 01 $rsa)"
  row "PIV, $title: first signature, contents cached" 6 "$first" "$other_first"
  read -r first further <<<"$(count "$module" piv sign 04 $ecdsa)"
  read -r other_first other_further <<<"$(count "$peer" piv sign 04 $ecdsa)"
  row "PIV, $title: each further P-256 signature" 1 "$further" "$other_further"
  count "$module" piv list >/dev/null
  row "PIV, $title: list all objects, second process" 3 "$(count "$module" piv list)" "$other_list"
}

# A GIDS card with two keys and their certificates, all written through our own module.
personalise_gids() {
  local id
  for id in 00 01; do
    card_tool --keypairgen --key-type rsa:2048 --label "key $id"
    card_tool --read-object --type pubkey --id "$id" --output-file "$work/$id.pub.der"
    openssl pkey -pubin -inform DER -in "$work/$id.pub.der" -out "$work/$id.pub" 2>>"$work/setup.log"
    sign_certificate "$id" "keyUsage=digitalSignature" "$work/$id.pub"
    openssl x509 -in "$work/$id.pem" -outform DER -out "$work/$id.der"
    card_tool --write-object "$work/$id.der" --type cert --id "$id"
  done
}
card_tool() {
  with_timeout 60 pkcs11-tool --module "$module" --login --pin 123456 "$@" >>"$work/setup.log" 2>&1 ||
    fail "pkcs11-tool $*"
}

measure_gids() {
  local first further other_first other_further
  read -r other_first other_further <<<"$(count "$peer" gids sign 00 $rsa)"
  forget
  read -r first further <<<"$(count "$module" gids sign 00 $rsa)"
  row "GIDS: first RSA-2048 signature, nothing cached" 16 "$first" "$other_first"
  row "GIDS: each further RSA-2048 signature" 2 "$further" "$other_further"
}

start_pcscd
printf '[keystore]\nenabled = false\n' >"$CARDEA_CONF"
new_card piv piv --management-key 3des
insert_card piv
personalise_piv
printf '%-58s %6s %6s %6s\n' "commands to the card" budget ours OpenSC
measure_piv "extended length" 9 1
remove_card piv
insert_card piv --short
measure_piv "short APDUs" 14 3
remove_card piv
new_card gids gids --initialised
insert_card gids
personalise_gids
measure_gids
remove_card gids
[ "$over" = 0 ] || fail "more commands than allowed"
done_ok
