#!/usr/bin/env bash
# The life of a virtual smart card on the command line: made, used, unblocked by PUK and from afar, enrolled again on
# another TPM, destroyed.
. "$(dirname "$0")/lib.sh"
. "$(dirname "$0")/tpm_lib.sh"
begin_tpm jq
cardea=${CARDEA_COMMAND:?CARDEA_COMMAND names the program}
c() { with_timeout 60 "$cardea" "$@" 2>>"$work/cardea.log"; }
start_tpm
tpm_settings
umask 077
printf '%s\n' 123456 >"$work/pin"
printf '%s\n' 654321 >"$work/new-pin"

[ "$(c tpm list --json | jq '.cards | length')" = 0 ] || fail "there is a card before one was made"
made=$(c tpm create --label laptop --pin-file "$work/pin" --json) || fail "making a card"
serial=$(jq -r .serial <<<"$made")
jq -r .puk <<<"$made" >"$work/puk"
jq -r .administrator_key <<<"$made" >"$work/key"
[ "$(wc -c <"$work/puk")" = 13 ] && [ "$(wc -c <"$work/key")" = 65 ] || fail "no PUK or administrator's key is shown"
c tpm create --label second --pin-file "$work/pin" --puk-file "$work/puk" --admin-key-file "$work/key" >"$work/second" ||
  fail "making a second card"
! grep -q PUK "$work/second" || fail "a PUK that was given is shown"
[ "$(c tpm list --json | jq -r '[.cards[].state] | unique | join(" ")')" = ready ] || fail "cards are not ready"
pass "several cards are made and listed"

for type in rsa:2048 ec:P-256 ec:P-384; do
  label=${type/:/-}
  c key generate "$type" --token laptop --label "$label" --pin-file "$work/pin" >/dev/null || fail "generating $type"
  printf 'a message' >"$work/message"
  c sign "$label" --token laptop --pin-file "$work/pin" --in "$work/message" --out "$work/$label.sig" ||
    fail "signing with $type"
  c verify "$label" --token laptop --in "$work/message" --signature "$work/$label.sig" >/dev/null || fail "verifying $type"
done
[ "$(c tpm show laptop --json | jq .keys)" = 3 ] || fail "the keys are not counted"
pass "keys are made and sign"

for line in "show laptop" "list" "answer --admin-key-file $work/key $(printf '%064d' 0)"; do
  # shellcheck disable=SC2086  # words on purpose
  c tpm $line --json | jq -e 'type == "object"' >/dev/null || fail "tpm $line --json is no object"
done
c token pin change --token laptop --pin-file "$work/pin" --new-pin-file "$work/new-pin" >/dev/null || fail "changing the PIN"
c key list --token laptop --login --pin-file "$work/new-pin" >/dev/null || fail "the new PIN does not log in"
c token pin unlock --token laptop --so-pin-file "$work/puk" --new-pin-file "$work/pin" >/dev/null || fail "unblocking by PUK"
c key list --token laptop --login --pin-file "$work/pin" >/dev/null || fail "the PIN set by PUK does not log in"
c tpm unblock laptop --admin-key-file "$work/key" --new-pin-file "$work/new-pin" --json |
  jq -e ".unblocked == \"$serial\"" >/dev/null || fail "unblocking by key"
c key list --token laptop --login --pin-file "$work/new-pin" >/dev/null || fail "the PIN set by the key does not log in"
printf '%064d\n' 0 >"$work/wrong-key"
! c tpm unblock laptop --admin-key-file "$work/wrong-key" --new-pin-file "$work/pin" >/dev/null || fail "a wrong key unblocks"
printf '123\n' >"$work/short"
status=0
with_timeout 60 "$cardea" tpm create --label short --pin-file "$work/short" >/dev/null 2>"$work/refusal" || status=$?
[ "$status" = 4 ] && grep -q "from 4 to 255 bytes" "$work/refusal" || fail "a short PIN is refused with $status: $(cat "$work/refusal")"
pass "PIN, PUK and administrator's key"

[ "$(c tpm answer --admin-key-file "$work/key" "$(printf '%064d' 0)" | wc -c)" = 65 ] || fail "no answer to a challenge"
pass "a challenge is answered elsewhere"

cp -r "$work/cardea/tpm/$serial" "$work/copy"
stop_tpm
mv "$work/tpm/state" "$work/tpm/old-state"
start_tpm
[ "$(c tpm show laptop --json | jq -r .state)" = "of another TPM" ] || fail "another TPM is not told"
! c key list --token laptop --login --pin-file "$work/new-pin" >/dev/null || fail "a copy of the state opens on another TPM"
grep -q "cleared or replaced" <(c tpm show laptop) || fail "another TPM is not told in words"
grep -q "PROBLEM.*'laptop'.*cleared or replaced" <(c doctor) || fail "doctor does not tell of another TPM"
pass "the state is of no use on another TPM"

! c tpm renew second --yes --pin-file "$work/no-such-file" >/dev/null || fail "enrolling again without a PIN"
c tpm renew laptop --yes --pin-file "$work/pin" --json | jq -e ".serial == \"$serial\" and .puk" >/dev/null ||
  fail "enrolling again"
[ "$(c tpm show laptop --json | jq -r '.state, .keys' | tr '\n' ' ')" = "ready 0 " ] || fail "the card is not as new"
c key generate ec:P-256 --token laptop --label again --pin-file "$work/pin" >/dev/null || fail "a key after enrolling again"
! c tpm renew laptop --yes --pin-file "$work/pin" >/dev/null || fail "a card is enrolled again that has its TPM"
c key list --token laptop --login --pin-file "$work/pin" >/dev/null || fail "the PIN after enrolling again"
stop_tpm
rm -r "$work/tpm/state"
mv "$work/tpm/old-state" "$work/tpm/state"
start_tpm
pass "a card is enrolled again"

c tpm destroy laptop --yes --json | jq -e '.label == "laptop"' >/dev/null || fail "destroying a card"
[ "$(c tpm list --json | jq '.cards | length')" = 1 ] || fail "a destroyed card is listed"
[ ! -e "$work/cardea/tpm/$serial" ] || fail "a destroyed card has left something"
stop_tpm
[ "$(c tpm list --json | jq -r '.cards[0].state')" = "no TPM" ] || fail "a TPM that is off is not told"
! grep -v '^cardea: ' "$work/cardea.log" || fail "something else than cardea writes to stderr"
pass "cards are destroyed, and nothing is noisy"
done_ok
