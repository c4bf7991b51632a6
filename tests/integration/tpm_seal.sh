#!/usr/bin/env bash
# A software keystore token sealed to a TPM: it works there, and a copy of it with another TPM, or with none, does not open
# and says why; the recovery code is the way out.
. "$(dirname "$0")/lib.sh"
. "$(dirname "$0")/tpm_lib.sh"
begin_tpm jq
cardea=${CARDEA_COMMAND:?CARDEA_COMMAND names the program}
c() { with_timeout 60 "$cardea" "$@" 2>"$work/cardea.log"; }
says() { grep -qi -- "$1" "$work/cardea.log" || fail "no '$1' in: $(cat "$work/cardea.log")"; }
# refused WORDS COMMAND...: the command fails, and says so.
refused() {
  local words=$1
  shift
  ! c "$@" >"$work/out" || fail "should have been refused: $*"
  says "$words"
}
# machine TCTI [HOME]: settings of a machine with that TPM and that home.
machine() {
  printf '%s\n' '[keystore]' 'retry_limit = 3' 'pin_cost = { memory_kib = 256, iterations = 1, lanes = 1 }' '[card]' \
    'enabled = false' '[tpm]' "tcti = \"$1\"" >"$work/cardea.toml"
  export CARDEA_CONF=$work/cardea.toml CARDEA_HOME=${2:-$work/cardea}
}
signs() {
  c sign ec --token "$1" --pin-file "$work/pin" --in "$work/message" --out "$work/signature" || return 1
  c verify ec --token "$1" --in "$work/message" --signature "$work/signature" >/dev/null || fail "verifying"
}
tries() { c token show "$1" --json | jq .user_tries_left; }

start_tpm "$work/tpm2"
elsewhere=$tcti
start_tpm
here=$tcti
umask 077
printf '%s\n' "$pin" >"$work/pin"
printf '%s\n' "$so_pin" >"$work/so"
printf '%s\n' wrong-pin >"$work/wrong"
printf 'a message' >"$work/message"
machine "$here"
for label in sealed plain; do
  c token init --label "$label" --so-pin-file "$work/so" --pin-file "$work/pin" >/dev/null || fail "token init"
  c key generate ec:P-256 --token "$label" --label ec --pin-file "$work/pin" >/dev/null || fail "key generate"
done
[ "$(tpm_commands)" = 0 ] || fail "a keystore without a seal asks the TPM $(tpm_commands) things"
pass "without a seal the TPM is asked nothing"

refused "PIN is wrong" token seal sealed --pin-file "$work/wrong"
c token seal sealed --pin-file "$work/pin" --json >"$work/out" || fail "token seal: $(cat "$work/cardea.log")"
jq -e '.sealed and .label == "sealed" and (.recovery_code | test("^([0-9a-f]{4}-){7}[0-9a-f]{4}$"))' "$work/out" \
  >/dev/null || fail "token seal --json says: $(cat "$work/out")"
jq -r .recovery_code "$work/out" >"$work/code"
refused "sealed already" token seal sealed --pin-file "$work/pin"
c tpm create --label card --pin-file "$work/pin" >/dev/null || fail "tpm create: $(cat "$work/cardea.log")"
refused "none of the software keystore" token seal card --pin-file "$work/pin"
c tpm destroy card --yes >/dev/null || fail "tpm destroy"
before=$(tpm_commands)
signs sealed || fail "signing with the TPM: $(cat "$work/cardea.log")"
[ $(($(tpm_commands) - before)) = 6 ] || fail "a login asks the TPM $(($(tpm_commands) - before)) things instead of six"
c token list >"$work/out"
grep -q '^sealed .*TPM' "$work/out" && ! grep -q '^plain .*TPM' "$work/out" || fail "the list: $(cat "$work/out")"
c token show sealed >"$work/out"
grep -q "^Sealed: .*by this machine's TPM" "$work/out" || fail "token show says: $(cat "$work/out")"
c doctor >"$work/out" || fail "doctor: $(cat "$work/out")"
grep -q "'sealed': is ready, and sealed" "$work/out" || fail "doctor says: $(cat "$work/out")"
before=$(tpm_commands)
signs plain || fail "signing without a seal"
[ "$(tpm_commands)" = "$before" ] || fail "a token without a seal asks the TPM"
pass "a sealed token signs with its TPM, and list, show and doctor say that it is sealed"

stop_tpm
refused "cannot be reached" sign ec --token sealed --pin-file "$work/pin" --in "$work/message"
start_tpm
signs sealed || fail "signing after the TPM was off: $(cat "$work/cardea.log")"
pass "it waits for a TPM that is off, and works again with it"

cp -a "$work/cardea" "$work/copy"
machine "$elsewhere" "$work/copy"
refused "sealed to another TPM" sign ec --token sealed --pin-file "$work/pin" --in "$work/message"
refused "sealed to another TPM" token pin unlock --token sealed --so-pin-file "$work/so" --new-pin-file "$work/wrong"
refused "sealed to another TPM" token unseal sealed --pin-file "$work/pin"
[ "$(tries sealed)" = 3 ] || fail "tries were burnt: $(tries sealed) left"
refuse CKR_DEVICE_ERROR pkcs11-tool --module "$module" --token-label sealed --login --pin "$pin" --list-objects
[ "$(tries sealed)" = 3 ] || fail "a client burnt tries: $(tries sealed) left"
c token show sealed >"$work/out" || fail "token show"
grep -q "^Sealed: .*another TPM" "$work/out" || fail "token show says: $(cat "$work/out")"
! c doctor >"$work/out" || fail "doctor finds nothing"
grep -q "another TPM" "$work/out" && grep -q -- --recovery-code "$work/out" || fail "doctor says: $(cat "$work/out")"
signs plain || fail "the token beside it does not work"
machine "swtpm:path=$work/nowhere" "$work/copy"
refused "cannot be reached" sign ec --token sealed --pin-file "$work/pin" --in "$work/message"
[ "$(tries sealed)" = 3 ] || fail "tries were burnt without a TPM"
signs plain || fail "the token beside it does not work without a TPM"
pass "a copy with another TPM, or none, does not open, says why and burns no try; other tokens work"

machine "$elsewhere" "$work/copy"
printf '%s\n' 0000-0000-0000-0000-0000-0000-0000-0000 >"$work/no-code"
refused "not the recovery code" token unseal sealed --recovery-code-file "$work/no-code"
refused "32 digits" token unseal sealed --recovery-code-file "$work/wrong"
c token unseal sealed --recovery-code-file "$work/code" --json >"$work/out" || fail "unseal: $(cat "$work/cardea.log")"
jq -e '.sealed == false' "$work/out" >/dev/null || fail "unseal --json says: $(cat "$work/out")"
signs sealed || fail "signing after the recovery: $(cat "$work/cardea.log")"
c token seal sealed --so --so-pin-file "$work/so" >"$work/out" || fail "sealing anew: $(cat "$work/cardea.log")"
grep -q '^Recovery code: ' "$work/out" || fail "no recovery code: $(cat "$work/out")"
signs sealed || fail "signing with the new TPM: $(cat "$work/cardea.log")"
pass "the recovery code opens it, and it is sealed to the new TPM"

machine "$here"
signs sealed || fail "the first one does not sign any more"
c token unseal sealed --pin-file "$work/pin" >/dev/null || fail "unseal: $(cat "$work/cardea.log")"
refused "not sealed" token unseal sealed --pin-file "$work/pin"
machine "swtpm:path=$work/nowhere"
signs sealed || fail "signing without a seal: $(cat "$work/cardea.log")"
pass "without its seal it needs no TPM"
done_ok
