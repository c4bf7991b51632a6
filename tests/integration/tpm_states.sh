#!/usr/bin/env bash
# What a person is told of a TPM that is not there, is locked out or does not answer; and that nothing is noisy.
. "$(dirname "$0")/lib.sh"
. "$(dirname "$0")/tpm_lib.sh"
. "$(dirname "$0")/terminal_lib.sh"
begin_tpm jq script
cardea=${CARDEA_COMMAND:?CARDEA_COMMAND names the program}
c() { with_timeout 60 "$cardea" "$@" 2>"$work/err"; }
silent() { [ ! -s "$work/err" ] || fail "noise on stderr: $(cat "$work/err")"; }
start_tpm
umask 077
printf '%s\n' 123456 >"$work/pin"
tpm_settings
c tpm create --label laptop --pin-file "$work/pin" --json >/dev/null || fail "making a card: $(cat "$work/err")"
c key generate ec:P-256 --label ssh --pin-file "$work/pin" >/dev/null || fail "a key: $(cat "$work/err")"
printf 'a message' >"$work/message"
sign() { c sign ssh --pin-file "$work/pin" --in "$work/message" --out "$work/signature"; }
sign || fail "signing: $(cat "$work/err")"

present=$tcti
tcti=device:/nonexistent/tpmrm0
tpm_settings
with_timeout 30 pkcs11-tool --module "$module" --list-slots >"$work/out" 2>&1 || true
grep -q "^No slots" "$work/out" || fail "a card without a TPM has a slot: $(cat "$work/out")"
! grep -qv -e "^No slots" -e "^Available slots" "$work/out" || fail "noise: $(cat "$work/out")"
[ "$(c tpm list --json | jq -r '.cards[0].state')" = "no TPM" ] || fail "the list does not say that there is no TPM"
silent
! c doctor >"$work/out" || fail "doctor finds nothing"
grep -q "PROBLEM.*'laptop'.*no TPM at /nonexistent/tpmrm0" "$work/out" || fail "doctor says: $(cat "$work/out")"
pass "without a TPM there is no slot and no noise, and doctor says why"

tcti=$present
tpm_settings 'timeout_seconds = 1'
child=$(awk '{print $1}' "/proc/$tpm_id/task/$tpm_id/children")
kill -STOP "$child"
! sign || fail "a TPM that does not answer signs"
grep -q CKR_DEVICE_ERROR "$work/err" || fail "in other words: $(cat "$work/err")"
! c doctor >"$work/out" || fail "doctor finds nothing"
grep -q "PROBLEM.*'laptop'.*did not answer within 1 second" "$work/out" || fail "doctor says: $(cat "$work/out")"
kill -CONT "$child"
sign || fail "it does not sign again: $(cat "$work/err")"
silent
pass "a TPM that does not answer is told, and used again when it does"

wrong_pin() {
  ! with_timeout 30 pkcs11-tool --module "$module" --login --pin 000000 --list-objects >"$work/out" 2>&1 ||
    fail "a wrong PIN opens"
}
wrong_pin
wrong_pin
printf '%s\n' 000000 >"$work/wrong"
! with_timeout 60 setsid -w "$cardea" tpm attest laptop ssh --pin-file "$work/pin" --out "$work/statement" 2>"$work/err" </dev/null ||
  fail "the last try is given away"
grep -q "it was not used" "$work/err" || fail "in other words: $(cat "$work/err")"
on_terminal "$cardea tpm attest laptop ssh --pin-file $work/wrong --out $work/statement"
await 'Type "yes"'; type_line yes
await "PIN of 'laptop': "; type_line 123456
finish 0
[ -s "$work/statement" ] || fail "nothing was stated"
pass "the last try is the PIN that is typed"

for _ in 1 2 3; do
  ! with_timeout 30 pkcs11-tool --module "$module" --login --pin 000000 --list-objects >"$work/out" 2>&1 || fail "a wrong PIN opens"
done
! with_timeout 30 pkcs11-tool --module "$module" --login --pin 123456 --list-objects >"$work/out" 2>&1 || fail "it is not locked out"
grep -q CKR_PIN_LOCKED "$work/out" || fail "the lock-out is told in other words: $(cat "$work/out")"
! c doctor >"$work/out" || fail "doctor finds nothing"
seconds=$(c tpm list --json | jq '.cards[0].seconds_per_try')
[ "$seconds" -gt 0 ] || fail "the TPM says no time to wait"
grep -q "PROBLEM.*'laptop'.*locked out.*every $seconds seconds" "$work/out" || fail "doctor says: $(cat "$work/out")"
c tpm show laptop >"$work/out" || fail "showing the card: $(cat "$work/err")"
grep -q "3 of 3 that the TPM allows; it forgets one every $seconds seconds" "$work/out" || fail "show says: $(cat "$work/out")"
pass "a lock-out is told with the time to wait"
done_ok
