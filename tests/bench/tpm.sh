#!/usr/bin/env bash
# tpm.sh [rates | many [N] | keys [N] | processes [N]]: counts the commands that a virtual card costs its TPM, and fails where
# they are more than promised. Then, through a resource manager:
#   rates      signatures a second, beside bare ESAPI
#   many       N (200,000) signatures beside a session that is idle meanwhile and signs at the end
#   keys       N (1,000) keys made in one process, used and destroyed
#   processes  N (20) processes that sign at once
# The last three also fail where the TPM holds an object or a session afterwards.
. "$(dirname "$0")/../integration/lib.sh"
. "$(dirname "$0")/../integration/tpm_lib.sh"
[ $# -le 1 ] || [[ "$2" =~ ^[1-9][0-9]*$ ]] || fail "$2 is no number"
case "${1:-}" in
  "" | rates) ;;
  many | keys | processes) export TPM_LIMIT=3600 ;;
  *) fail "$1 is not among rates, many, keys and processes" ;;
esac
begin_tpm tpm2_getcap
cardea=${CARDEA_COMMAND:?CARDEA_COMMAND names the program}
bench=${CARDEA_BENCH_TPM:?CARDEA_BENCH_TPM names the program}
most_to_first_signature=8
start_tpm
tpm_settings
umask 077
printf '%s\n' 123456 >"$work/pin"
with_timeout 60 "$cardea" tpm create --label bench --pin-file "$work/pin" >/dev/null
with_timeout 60 "$cardea" key generate ec:P-256 --label ec --pin-file "$work/pin" >/dev/null
with_timeout 120 "$cardea" key generate rsa:2048 --label rsa --pin-file "$work/pin" >/dev/null

# counted WORK...: how many commands that costs. A process that ends in the middle flushes nothing, so that what is counted
# are the commands up to its last signature and the one that takes the storage key out of the TPM.
counted() {
  local before
  before=$(tpm_commands)
  with_timeout 60 "$bench" "$@" || fail "$*"
  echo $(($(tpm_commands) - before))
}
first=$(counted start "$module" 123456)
say "commands from a new process to its first signature: $((first - 1)), and one afterwards"
[ $((first - 1)) -le "$most_to_first_signature" ] || fail "that is more than $most_to_first_signature"
further=$(counted further "$module" 123456 100)
say "commands for each of 100 further signatures: $(((further - first) / 100))"
[ $((further - first)) = 100 ] || fail "that is not one"
[ -n "${1:-}" ] || done_ok

# Asked of the TPM itself, without the resource manager, which would show only what is the asker's own. What was in it before is
# gone: the resource manager begins with an empty TPM.
bare_tcti=$tcti
nothing_left() {
  local what left
  end_process "$abrmd_id"
  for what in handles-transient handles-loaded-session handles-saved-session; do
    left=$(with_timeout 10 tpm2_getcap --tcti "$bare_tcti" "$what" | wc -l)
    [ "$left" = 0 ] || fail "$left $what are left in the TPM"
  done
  say "nothing is left in the TPM"
}
start_resource_manager
tpm_settings
if [ "$1" = keys ]; then
  begun=$SECONDS
  with_timeout 3600 "$bench" keys "$module" 123456 "${2:-1000}" || fail "keys are not made without an end"
  say "${2:-1000} keys made in one process, used and destroyed: $((SECONDS - begun)) seconds"
  nothing_left
  done_ok
fi
if [ "$1" = processes ]; then
  begun=$SECONDS
  ids=()
  for ((i = 0; i < ${2:-20}; ++i)); do
    with_timeout 600 "$bench" further "$module" 123456 50 &
    ids+=("$!")
  done
  for id in "${ids[@]}"; do wait "$id" || fail "one of ${2:-20} processes cannot sign"; done
  say "${2:-20} processes at once, 51 signatures each: $((SECONDS - begun)) seconds"
  nothing_left
  done_ok
fi
if [ "$1" = many ]; then
  mkfifo "$work/hold"
  "$bench" idle "$module" 123456 <"$work/hold" >>"$work/idle.log" 2>&1 &
  idle=$!
  exec 7>"$work/hold"
  begun=$SECONDS
  "$bench" further "$module" 123456 "${2:-200000}" || fail "signing did not last"
  say "${2:-200000} signatures beside an idle session: $((SECONDS - begun)) seconds"
  exec 7>&-
  wait "$idle" || fail "the idle session does not sign any more"
  nothing_left
  done_ok
fi
for key in ec rsa; do
  with_timeout 60 "$bench" bare "$tcti" "$key"
  [ "$key" = ec ] || with_timeout 60 "$bench" bare "$tcti" raw
  with_timeout 60 "$bench" rate "$module" 123456 "$key"
done
done_ok
