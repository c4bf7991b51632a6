#!/usr/bin/env bash
# What is installed is whole and works from where it is installed; the unit is right and hardened; readiness is told to
# systemd; a stop in the middle of a job loses no step. manager_service.sh BUILD_FOLDER
. "$(dirname "$0")/manager_lib.sh"
build=${1:?the folder of the build}
command -v python3 >/dev/null || { echo "skipped: python3 is not installed"; exit 77; }

root=$work/root
DESTDIR=$root cmake --install "$build" >"$work/install.log" 2>&1 || fail "cmake --install: $(tail -n 5 "$work/install.log")"
installed() { find "$root" -path "*/$1" | grep >/dev/null . || fail "$1 is not installed"; }
for file in bin/cardea bin/cardea-manager pkcs11/libcardea-pkcs11.so systemd/system/cardea-manager.service \
  systemd/user/cardea-agent.service \
  sysusers.d/cardea-manager.conf man8/cardea-manager.8 man1/cardea.1 man5/cardea.toml.5 \
  bash-completion/completions/cardea; do
  installed "$file"
done
profiles=$(find "$root" -path '*/share/cardea/ca-profiles/*.json' | wc -l)
[ "$profiles" = "$(find "${CARDEA_SOURCE:?}/manager/ca/profiles" -name '*.json' | wc -l)" ] ||
  fail "$profiles certificate profiles are installed"
manager=$(find "$root" -path '*/bin/cardea-manager')
cardea=$(find "$root" -path '*/bin/cardea')
unset CARDEA_MODULE
say "installed: all there, $profiles certificate profiles"

check_unit() {
  command -v systemd-analyze >/dev/null || { say "unit: skipped, systemd-analyze is not installed"; return 0; }
  # The program lies elsewhere than the unit will find it.
  sed "s|^ExecStart=[^ ]*|ExecStart=$manager|" "$(find "$root" -name cardea-manager.service)" >"$work/cardea-manager.service"
  systemd-analyze verify --man=no "$work/cardea-manager.service" >"$work/verify.log" 2>&1 || fail "unit: $(cat "$work/verify.log")"
  [ ! -s "$work/verify.log" ] || fail "unit: $(cat "$work/verify.log")"
  # Exposure in tenths: up to 2 of 10 is well protected.
  systemd-analyze security --offline=yes --threshold=20 "$work/cardea-manager.service" >"$work/security.log" 2>&1 ||
    fail "unit: $(tail -n 2 "$work/security.log")"
  say "unit: $(tail -n 1 "$work/security.log" | sed 's/^[^A-Z]*//; s/[^A-Z]*$//')"
}
check_unit

# The agent's unit is for users' own systemd, which knows other targets and specifiers.
check_user_unit() {
  command -v systemd-analyze >/dev/null || { say "user unit: skipped, systemd-analyze is not installed"; return 0; }
  local unit=$work/cardea-agent.service
  mkdir -p "$work/run" && chmod 700 "$work/run"
  sed "s|^ExecStart=[^ ]*|ExecStart=$cardea|" "$(find "$root" -name cardea-agent.service)" >"$unit"
  XDG_RUNTIME_DIR=$work/run systemd-analyze --user verify --man=no "$unit" >"$work/verify.log" 2>&1 ||
    fail "user unit: $(cat "$work/verify.log")"
  [ ! -s "$work/verify.log" ] || fail "user unit: $(cat "$work/verify.log")"
  say "user unit: nothing to object to"
}
check_user_unit

# What stopped half-way says what to do, and then goes on.
half() { "$manager" init --data "$work/half" --config "$work/half.toml" >"$work/half.log" 2>&1; }
printf '[manager]\ndata_directory = "%s/half"\n[database]\ndatabase = "sqlite:%s/none/m.db"\n' "$work" "$work" >"$work/half.toml"
! half || fail "a manager was made without a folder for its database"
grep "remove $work/half, .*run init again" "$work/half.log" >/dev/null || fail "what to do is not told: $(cat "$work/half.log")"
mkdir "$work/none" && rm -r "$work/half"
half || fail "init again: $(cat "$work/half.log")"
say "init: a second attempt after a failure"

# As systemd does it: a datagram socket whose name stands in the environment.
python3 - "$work/notify" >"$work/notified" <<'PY' &
import socket, sys
listener = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
listener.bind(sys.argv[1])
listener.settimeout(200)
while True:
    text = listener.recv(4096).decode()
    print(text, flush=True)
    if "STOPPING=1" in text:
        break
PY
listener=$!
after_manager() { kill "$listener" 2>/dev/null || true; }
for i in $(seq 600); do [ -S "$work/notify" ] && break; sleep 0.1; done
make_manager
NOTIFY_SOCKET=$work/notify start_manager
for i in $(seq 600); do grep -qx READY=1 "$work/notified" && break; sleep 0.1; done
grep -qx READY=1 "$work/notified" || fail "readiness is not told"
[ "$(request GET /v1/cas/2/profiles | jq '.items | length')" -ge "$profiles" ] || fail "the certificate profiles are not found"

# A stop in the middle of a job: the agent goes on with the daemon that is started again.
export CARDEA_HOME=$work/home CARDEA_CONF=$work/agent.toml
mkdir -p "$CARDEA_HOME"
printf '[card]\nenabled = false\n' >"$CARDEA_CONF"
printf '48159263\n' >"$work/pin"
"$cardea" person add alice --display-name Alice --email alice@example.test >/dev/null || fail "alice is not added"
number=$("$cardea" request create issue --person alice --profile staff-keystore --json | jq -e .id) || fail "no request"
code=$("$cardea" request code "$number") || fail "no code"
timeout 120 "$cardea" collect "$code" --server "https://localhost:$port" --ca "$data/ca.pem" --device keystore --attempts 60 \
  --interval 1 --pin-file "$work/pin" --new-pin-file "$work/pin" >"$work/collect.log" 2>&1 &
agent=$!
for i in $(seq 1200); do
  steps=$(request GET /v1/jobs/1 | jq '[.steps[]? | select(.state == "done")] | length')
  [ "${steps:-0}" -lt 4 ] || break
  sleep 0.02
done
[ "${steps:-0}" -ge 4 ] || fail "the job does not begin"
before=$(request GET /v1/jobs/1 | jq -c .state)
stop_manager
wait "$listener" || fail "the end is not told: $(cat "$work/notified")"
grep -qx STOPPING=1 "$work/notified" || fail "the end is not told"
start_manager
wait "$agent" || fail "the agent did not get through: $(cat "$work/collect.log")"
request GET /v1/jobs/1 >"$work/job"
jq -e '.state == "completed" and ([.steps[] | select(.state != "done")] | length == 0)' "$work/job" >/dev/null ||
  fail "the job stands at: $(cat "$work/job")"
# No certificate beside those of the token: nothing was issued twice.
wanted=$(jq '[.steps[] | select(.kind == "write_certificate")] | length' "$work/job")
[ "$(request GET "/v1/certificates?person=1" | jq '[.items[] | .state] | length')" = "$wanted" ] || fail "certificates beside the token's"
[ "$(request GET "/v1/certificates?person=1&state=active" | jq '.items | length')" = "$wanted" ] || fail "certificates are not active"
"$cardea" audit verify --json | jq -e .intact >/dev/null || fail "the audit log is broken"
stop_manager
say "stopped with a job in state $before after $steps steps; finished after the start, $wanted certificates"

# What the daemon calls, the unit's filter must allow: systemd would end it otherwise.
check_calls() {
  command -v strace >/dev/null && command -v systemd-analyze >/dev/null ||
    { say "system calls: skipped, strace or systemd-analyze is not installed"; return 0; }
  printf '#!/bin/sh\nexec strace -f -qq -o %s/calls -e signal=none %s "$@"\n' "$work" "$manager" >"$work/traced"
  chmod +x "$work/traced"
  manager=$work/traced start_manager
  "$cardea" person add bob >/dev/null || fail "bob is not added"
  "$cardea" ca crl issuing >/dev/null || fail "no CRL"
  # The signal is for the daemon, not for the program that watches it.
  kill -TERM "$(tr -d ' ' <"/proc/$(manager_process)/task/$(manager_process)/children")"
  wait "$manager_pid" || fail "the traced manager ended with an error"
  manager_pid=
  systemd-analyze syscall-filter >"$work/sets" 2>/dev/null
  # Each set begins with its name in the first column; members are calls and other sets. What the unit denies is taken
  # away from what it allows; @default is always allowed (systemd.exec(5), SystemCallFilter=).
  python3 - "$work/sets" >"$work/filter" <<'PY'
import sys
sets, name = {}, None
for line in open(sys.argv[1], encoding="utf-8"):
    word = line.strip()
    if line.startswith("@"):
        name = word
        sets[name] = []
    elif name and word and not word.startswith("#"):
        sets[name].append(word)

def calls(word):
    return {word} if not word.startswith("@") else set().union(*map(calls, sets[word]))

allowed = (calls("@system-service") - calls("@privileged") - calls("@resources")) | calls("@default")
print("\n".join(sorted(allowed | {"mlock", "mlock2"})))
PY
  sed -n 's/^[0-9]* *\([a-z0-9_]*\)(.*/\1/p' "$work/calls" | LC_ALL=C sort -u >"$work/used"
  [ -s "$work/used" ] && [ -s "$work/filter" ] || fail "no system calls seen"
  over=$(LC_ALL=C comm -23 "$work/used" "$work/filter" | tr '\n' ' ')
  # SQLite gives files their owner's rights when it runs as root, as it does in tests only.
  [ "$(id -u)" != 0 ] || over=$(printf '%s' "$over" | sed 's/\bfchown\b *//')
  [ -z "$over" ] || fail "the unit's filter forbids what the daemon does: $over"
  say "system calls: $(grep -c . "$work/used") kinds, all allowed by the unit"
}
check_calls
