# Helpers of the manager's tests: a manager of its own in a temporary folder, on free ports of the loopback interface.
# shellcheck shell=bash
set -euo pipefail
manager=${CARDEA_MANAGER_COMMAND:?}
cardea=${CARDEA_COMMAND:?}
work=$(mktemp -d)
manager_pid=
# A further sed command on the settings that make_manager writes.
settings_edit=

fail() { printf 'FAILED: %s\n' "$*" >&2; exit 1; }
say() { printf '%s\n' "$*"; }

finish() {
  local status=$?
  if [ -n "$manager_pid" ]; then
    kill "$manager_pid" 2>/dev/null || true
    wait "$manager_pid" 2>/dev/null || true
  fi
  # Belongs to the script that defines it.
  if declare -F after_manager >/dev/null; then after_manager || true; fi
  [ "$status" = 0 ] || { echo "--- log of the manager"; tail -n 30 "$work/log" 2>/dev/null; } >&2
  rm -rf "$work"
}
trap finish EXIT

# Ports that were free a moment ago; a manager that cannot have them is started again with others.
free_ports() {
  python3 -c 'import socket
sockets = [socket.socket() for _ in range(2)]
for s in sockets: s.bind(("127.0.0.1", 0))
print(*(s.getsockname()[1] for s in sockets))' 2>/dev/null || echo $((20000 + RANDOM % 20000)) $((40000 + RANDOM % 20000))
}

make_manager() {
  read -r port plain_port < <(free_ports)
  data=$work/data
  "$manager" config default | sed "s|/var/lib/cardea-manager|$data|; s|^# port = 8443|port = $port|
    s|^# port = 8080|port = $plain_port|; s|^# url = .*|url = \"http://127.0.0.1:$plain_port\"|
    $settings_edit" >"$work/manager.toml"
  timeout 120 "$manager" init --data "$data" --config "$work/manager.toml" --organisation 'Test, Inc.' "$@" \
    >"$work/init.out" 2>&1 || fail "init: $(cat "$work/init.out")"
  # shellcheck disable=SC1091
  . "$data/administrator.env"
}

start_manager() {
  timeout 600 "$manager" run --config "$work/manager.toml" >>"$work/log" 2>&1 &
  manager_pid=$!
  local i
  for i in $(seq 300); do
    [ "$(status_of GET /v1/ready)" = 200 ] && return
    kill -0 "$manager_pid" 2>/dev/null || fail "the manager ended: $(tail -n 5 "$work/log")"
    sleep 0.1
  done
  fail "the manager does not get ready"
}

# The manager's own process; the one in $manager_pid bounds its time.
manager_process() { tr -d ' ' <"/proc/$manager_pid/task/$manager_pid/children"; }

stop_manager() {
  kill -TERM "$manager_pid"
  wait "$manager_pid" || fail "the manager ended with an error: $(tail -n 5 "$work/log")"
  manager_pid=
}

# request METHOD PATH [curl options]: the body; as the administrator.
request() {
  local method=$1 path=$2
  shift 2
  curl -sS --max-time 60 --cacert "$data/ca.pem" --cert "$data/administrator.pem" --key "$data/administrator.key" \
    -X "$method" "$@" "https://localhost:$port$path"
}
# The same as nobody.
request_bare() {
  local method=$1 path=$2
  shift 2
  curl -sS --max-time 60 --cacert "$data/ca.pem" -X "$method" "$@" "https://localhost:$port$path"
}
status_of() { request_bare "$@" -o /dev/null -w '%{http_code}' 2>/dev/null || true; }
post() { request POST "$1" -H 'Content-Type: application/json' -d "$2" "${@:3}"; }

# problem NAME STATUS JSON: the answer is that problem.
is_problem() {
  jq -e --arg type "urn:cardea:problem:$1" --argjson status "$2" '.type == $type and .status == $status' >/dev/null <<<"$3" ||
    fail "expected the problem $1 ($2), got: $3"
}
