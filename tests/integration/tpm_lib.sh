#!/usr/bin/env bash
# Software TPMs of a test's own; sourced, not run. Scripts that start one source lib.sh first and call:
#
#   begin_tpm COMMAND...   like begin, and checks that swtpm and these commands are there
#   start_tpm [FOLDER]     a TPM on a Unix socket under $work/tpm or another folder; sets $tcti. Its state stays over
#                          stop_tpm.
#   stop_tpm               ends the one started last, as a power failure would
#   tpm_commands           how many commands it has answered
#   start_resource_manager a D-Bus of the test's own with tpm2-abrmd on that TPM; sets $tcti to it

tpm_id=
abrmd_id=

# require_swtpm: without lib.sh, for programs that start swtpm themselves.
require_swtpm() {
  command -v swtpm >/dev/null || { echo "skipped: swtpm is not installed (./install-packages tests)"; exit 77; }
  local library
  for library in /usr/lib/*/libtss2-tcti-swtpm.so.0 /usr/lib/libtss2-tcti-swtpm.so.0; do
    if [ -e "$library" ]; then return 0; fi
  done
  echo "skipped: libtss2-tcti-swtpm0 is not installed (./install-packages tests)"
  exit 77
}

begin_tpm() {
  begin "$@"
  require_swtpm
}

start_tpm() {
  local i folder=${1:-$work/tpm}
  mkdir -p "$folder/state"
  rm -f "$folder/socket" "$folder/socket.ctrl"
  tcti=swtpm:path=$folder/socket
  [ ${#tcti} -lt 100 ] || fail "the path of the TPM's socket is too long: $tcti"
  timeout --kill-after=5 "${TPM_LIMIT:-280}" swtpm socket --tpm2 --tpmstate "dir=$folder/state" \
    --server "type=unixio,path=$folder/socket" --ctrl "type=unixio,path=$folder/socket.ctrl" \
    --flags not-need-init,startup-clear --log "level=20,file=$folder/commands" >>"$work/swtpm.log" 2>&1 </dev/null &
  tpm_id=$!
  daemons+=("$tpm_id")
  for i in {1..100}; do
    # Listening (flag 00010000), not merely there; swtpm opens the control socket before this one.
    if grep -q " 00010000 .* $folder/socket\$" /proc/net/unix; then return 0; fi
    kill -0 "$tpm_id" 2>/dev/null || fail "swtpm does not run"
    sleep 0.1
  done
  fail "swtpm does not come up"
}

# `timeout` passes the signal on to its child only when it is not SIGKILL.
stop_tpm() {
  local child
  child=$(awk '{print $1}' "/proc/$tpm_id/task/$tpm_id/children")
  [ -z "$child" ] || kill -9 "$child" 2>/dev/null || true
  wait "$tpm_id" 2>/dev/null || true
}

tpm_commands() { grep -c SWTPM_IO_Read "$work/tpm/commands" || true; }

# tpm_settings [LINE...]: cardea.toml with this TPM and no other token kind.
tpm_settings() {
  printf '%s\n' '[keystore]' 'enabled = false' '[card]' 'enabled = false' '[tpm]' "tcti = \"$tcti\"" "$@" \
    >"$work/cardea.toml"
  export CARDEA_CONF=$work/cardea.toml
}

start_resource_manager() {
  local i
  command -v tpm2-abrmd >/dev/null || skip "tpm2-abrmd is not installed (./install-packages tests)"
  command -v dbus-daemon >/dev/null || skip "dbus-daemon is not installed (./install-packages tests)"
  dbus-daemon --session --nofork --address="unix:path=$work/bus" >>"$work/dbus.log" 2>&1 </dev/null &
  daemons+=("$!")
  for i in {1..50}; do [ ! -S "$work/bus" ] || break; sleep 0.1; done
  export DBUS_SESSION_BUS_ADDRESS=unix:path=$work/bus
  timeout --kill-after=5 "${TPM_LIMIT:-280}" tpm2-abrmd --session --allow-root --flush-all --tcti "$tcti" >>"$work/abrmd.log" 2>&1 \
    </dev/null &
  abrmd_id=$!
  daemons+=("$abrmd_id")
  tcti=tabrmd:bus_type=session
  for i in {1..100}; do
    ! with_timeout 5 tpm2_getrandom --tcti "$tcti" --hex 4 >>"$work/abrmd.log" 2>&1 || return 0
    kill -0 "$abrmd_id" 2>/dev/null || fail "tpm2-abrmd does not run"
    sleep 0.1
  done
  fail "tpm2-abrmd does not come up"
}
