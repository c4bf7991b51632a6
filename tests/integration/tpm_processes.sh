#!/usr/bin/env bash
# Many processes on one TPM through a resource manager: none is in another's way, and nothing is left behind.
. "$(dirname "$0")/lib.sh"
. "$(dirname "$0")/tpm_lib.sh"
begin_tpm tpm2_getcap
cardea=${CARDEA_COMMAND:?CARDEA_COMMAND names the program}
probe=${CARDEA_TPM_PROBE:?CARDEA_TPM_PROBE names the program that works in a process of its own}
start_tpm
swtpm_tcti=$tcti
start_resource_manager
tpm_settings
umask 077
printf '%s\n' 123456 >"$work/pin"
with_timeout 60 "$cardea" tpm create --label many --pin-file "$work/pin" >/dev/null || fail "making a card"
p() { with_timeout "${2:-120}" "$probe" "$module" "$1" 123456 "${3:-0}"; }

p keys 250 100 || fail "100 keys in one process"
pass "keys are made in one process without an end"

p idle 200 >"$work/idle.out" 2>>"$work/killed.log" &
idle=$!
p wait 200 >"$work/wait.out" 2>>"$work/killed.log" &
waiting=$!
for i in {1..100}; do [ -s "$work/wait.out" ] && [ -s "$work/idle.out" ] && break; sleep 0.1; done
[ -s "$work/wait.out" ] || fail "a process does not get to its first signature"
ids=()
for i in {1..20}; do p sign 200 20 & ids+=("$!"); done
for id in "${ids[@]}"; do wait "$id" || fail "one of 20 processes at once cannot sign"; done
pass "20 processes sign beside an idle and a waiting one"

read -r one other < <(p threads 200 200)
[ "$one" -gt 0 ] && [ "$other" -gt 0 ] || fail "two threads do not both sign"
pass "two threads sign"

kill -9 "$(cat "$work/idle.out")" "$(cat "$work/wait.out")"
wait "$idle" "$waiting" 2>/dev/null || true
p sign 60 1 || fail "signing after others were killed"
# The TPM itself is asked, without the resource manager, which would show only what is the asker's own.
end_process "$abrmd_id"
for what in handles-transient handles-loaded-session handles-saved-session; do
  left=$(with_timeout 10 tpm2_getcap --tcti "$swtpm_tcti" "$what" | wc -l)
  [ "$left" = 0 ] || fail "$left $what are left behind"
done
pass "nothing stays in the TPM, after kill -9 neither"
done_ok
