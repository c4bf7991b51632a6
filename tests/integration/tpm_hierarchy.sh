#!/usr/bin/env bash
# Virtual smart cards, and a sealed keystore token, where the owner hierarchy has an authorisation: without it nothing is
# made, in words; with it they are made and used; a wrong one is refused.
. "$(dirname "$0")/lib.sh"
. "$(dirname "$0")/tpm_lib.sh"
begin_tpm tpm2_changeauth
cardea=${CARDEA_COMMAND:?CARDEA_COMMAND names the program}
c() { with_timeout 60 "$cardea" "$@" 2>"$work/cardea.log"; }
start_tpm
umask 077
printf '%s\n' 123456 >"$work/pin"
printf '%s\n' owner-secret >"$work/owner"
printf '%s\n' another-secret >"$work/wrong"
with_timeout 30 tpm2_changeauth -T "$tcti" -c owner owner-secret >>"$work/setup.log" 2>&1 || fail "tpm2_changeauth"

tpm_settings
! c tpm create --label laptop --pin-file "$work/pin" >/dev/null || fail "a card is made without the authorisation"
grep -q hierarchy_auth_file "$work/cardea.log" || fail "the setting is not named: $(cat "$work/cardea.log")"
! grep -q "who owns" "$work/cardea.log" || fail "files are blamed: $(cat "$work/cardea.log")"
pass "without the authorisation no card is made, and the setting is named"

tpm_settings "hierarchy_auth_file = \"$work/wrong\""
! c tpm create --label laptop --pin-file "$work/pin" >/dev/null || fail "a card is made with a wrong authorisation"
grep -q "holds is not the authorisation" "$work/cardea.log" || fail "in other words: $(cat "$work/cardea.log")"
! grep -q "who owns" "$work/cardea.log" || fail "files are blamed: $(cat "$work/cardea.log")"
pass "a wrong authorisation is refused"

tpm_settings "hierarchy_auth_file = \"$work/owner\""
c tpm create --label laptop --pin-file "$work/pin" >/dev/null || fail "making a card: $(cat "$work/cardea.log")"
c key generate ec:P-256 --token laptop --label ec --pin-file "$work/pin" >/dev/null || fail "generating a key"
printf 'a message' >"$work/message"
c sign ec --token laptop --pin-file "$work/pin" --in "$work/message" --out "$work/signature" || fail "signing"
c verify ec --token laptop --in "$work/message" --signature "$work/signature" >/dev/null || fail "verifying"
pass "with it a card is made and signs"

# keystore LINE...: a machine with that TPM and keystores.
keystore() {
  printf '%s\n' '[card]' 'enabled = false' '[tpm]' "tcti = \"$tcti\"" "$@" >"$work/cardea.toml"
}
keystore
printf '%s\n' "$so_pin" >"$work/so"
c token init --label vault --so-pin-file "$work/so" --pin-file "$work/pin" >/dev/null || fail "token init"
! c token seal vault --pin-file "$work/pin" >/dev/null || fail "a token is sealed without the authorisation"
grep -q hierarchy_auth_file "$work/cardea.log" || fail "the setting is not named: $(cat "$work/cardea.log")"
keystore "hierarchy_auth_file = \"$work/owner\""
c token seal vault --pin-file "$work/pin" >/dev/null || fail "sealing: $(cat "$work/cardea.log")"
c key generate ec:P-256 --token vault --label ec --pin-file "$work/pin" >/dev/null || fail "generating a key"
keystore
! c key list --token vault --login --pin-file "$work/pin" >/dev/null || fail "the seal opens without the authorisation"
grep -q hierarchy_auth_file "$work/cardea.log" || fail "the setting is not named: $(cat "$work/cardea.log")"
pass "a keystore token is sealed and opened with it, and not without"
done_ok
