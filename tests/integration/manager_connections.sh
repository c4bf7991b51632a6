#!/usr/bin/env bash
# Slow, silent, half-closed and very many connections.
. "$(dirname "$0")/manager_lib.sh"
command -v python3 >/dev/null || { echo "skipped: python3 is not installed"; exit 77; }
make_manager
header_seconds=2
sed -i "s/^# housekeeping_seconds = .*/housekeeping_seconds = 86400/; s/^# header_seconds = .*/header_seconds = $header_seconds/
  s/^# body_seconds = .*/body_seconds = $header_seconds/" "$work/manager.toml"
start_manager
timeout 250 python3 "$(dirname "$0")/manager_connections.py" "${CARDEA_SOURCE:?}" "$port" "$plain_port" "$data" \
  "$(manager_process)" "$header_seconds" || fail "connections are not handled as they should be"
stop_manager

# With few descriptors more clients have to wait, and what is served still reaches the database.
printf '#!/bin/sh\nulimit -n 200\nexec %s "$@"\n' "$manager" >"$work/few"
chmod +x "$work/few"
manager=$work/few start_manager
python3 - "$plain_port" >"$work/idle.log" 2>&1 <<'PY' &
import resource, socket, sys, time
resource.setrlimit(resource.RLIMIT_NOFILE, (1024, resource.getrlimit(resource.RLIMIT_NOFILE)[1]))
held = [socket.create_connection(("127.0.0.1", int(sys.argv[1])), timeout=60) for _ in range(400)]
print("held", flush=True)
time.sleep(4)
PY
idle_pid=$!
for i in $(seq 200); do grep -q held "$work/idle.log" && break; sleep 0.1; done
grep -q held "$work/idle.log" || fail "the idle clients do not get connected: $(cat "$work/idle.log")"
for i in 1 2 3; do
  post /v1/persons "{\"name\":\"with few descriptors $i\"}" | jq -e .id >/dev/null || fail "no change with few descriptors"
done
grep -q 'fewer connections than set' "$work/log" || fail "the log does not tell of few descriptors"
wait "$idle_pid" || fail "the idle clients: $(cat "$work/idle.log")"
[ "$(status_of GET /v1/ready)" = 200 ] || fail "the manager does not work any more"
stop_manager
say "few descriptors: clients wait, the database is reached"
