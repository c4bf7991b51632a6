#!/usr/bin/env bash
# Three daemons on one PostgreSQL share the work and do nothing twice; one is killed, the others go on.
. "$(dirname "$0")/manager_lib.sh"
command -v python3 >/dev/null || { echo "skipped: python3 is not installed"; exit 77; }
if [ -z "${CARDEA_TEST_DATABASE:-}" ]; then
  exec bash "$(dirname "$0")/store_with_postgresql.sh" bash "$(realpath "$0")"
fi
settings_edit="s|^# database = .*|database = \"postgresql:$CARDEA_TEST_DATABASE dbname=postgres\"|
  s|^# housekeeping_seconds = .*|housekeeping_seconds = 1|; s|^# name = .*|name = \"a\"|"
make_manager
start_manager
a_port=$port a_plain=$plain_port a_pid=$manager_pid a_process=$(manager_process)

others=()
after_manager() {
  local id
  for id in "${others[@]}"; do
    kill "$id" 2>/dev/null || true
    wait "$id" 2>/dev/null || true
  done
}
# start_another NAME: with the same settings but for name and ports.
start_another() {
  read -r port plain_port < <(free_ports)
  sed "s|^name = \"a\"|name = \"$1\"|; s|^port = $a_port|port = $port|; s|^port = $a_plain|port = $plain_port|" \
    "$work/manager.toml" >"$work/$1.toml"
  timeout 600 "$manager" run --config "$work/$1.toml" >>"$work/log" 2>&1 &
  manager_pid=$!
  others+=("$manager_pid")
  local i
  for i in $(seq 300); do
    [ "$(status_of GET /v1/ready)" = 200 ] && return
    kill -0 "$manager_pid" 2>/dev/null || fail "daemon $1 ended: $(tail -n 5 "$work/log")"
    sleep 0.1
  done
  fail "daemon $1 does not get ready"
}
start_another b
b_port=$port b_process=$(manager_process)
start_another c
c_port=$port c_process=$(manager_process)

# Tokens whose jobs they will share; each is collected from another daemon than the one that made the code.
export CARDEA_HOME=$work/home CARDEA_CONF=$work/agent.toml
mkdir -p "$CARDEA_HOME"
printf '[card]\nenabled = false\n' >"$CARDEA_CONF"
printf '48159263\n' >"$work/pin"
serials=()
for name in alice bob carol; do
  "$cardea" person add "$name" --display-name "$name" --email "$name@example.test" >/dev/null || fail "$name is not added"
  number=$("$cardea" request create issue --person "$name" --profile staff-keystore --json | jq -e .id) ||
    fail "nothing is requested for $name"
  code=$("$cardea" request code "$number") || fail "no code for $name"
  timeout 120 "$cardea" collect "$code" --server "https://localhost:$b_port" --ca "$data/ca.pem" --device keystore --interval 1 \
    --pin-file "$work/pin" --new-pin-file "$work/pin" >"$work/collect" 2>&1 || fail "$name collects nothing: $(cat "$work/collect")"
  serials+=("$("$cardea" manager token list --json | jq -r --arg name "$name" '.items[-1].serial')")
done

openssl req -new -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -keyout "$work/c.key" -outform DER -out "$work/c.csr" \
  -subj /CN=client 2>/dev/null
timeout 200 python3 "$(dirname "$0")/manager_cluster.py" "${CARDEA_SOURCE:?}" "$data" "$work/c.csr" "$a_port:$a_process" \
  "$b_port:$b_process" "$c_port:$c_process" "${serials[@]}" || fail "the daemons do not work together"

# The next CRL, made by any of them, lists all that any of them has revoked.
port=$b_port
post /v1/cas/2/crl '{}' | jq -e .number >/dev/null || fail "no CRL"
curl -sS --max-time 20 "http://127.0.0.1:$a_plain/crl/issuing.crl" | openssl crl -inform DER -noout -text |
  sed -n 's/^ *Serial Number: *//p' | tr 'A-F' 'a-f' | sed 's/^0*//' | sort >"$work/listed"
sed 's/^0*//' "$data/revoked-serials" | sort >"$work/revoked"
[ -s "$work/revoked" ] || fail "nothing was revoked"
[ -z "$(comm -13 "$work/listed" "$work/revoked")" ] || fail "the CRL lacks what was revoked"

# An authority made at one is trusted and served at the other.
port=$a_port
post /v1/cas '{"name":"later","connector":"embedded","settings":{"subject":"CN=Later","parent":"root"}}' |
  jq -e .id >/dev/null || fail "no further authority"
port=$b_port
[ "$(request_bare GET /certificates/later.cer -o /dev/null -w '%{http_code}')" = 200 ] || fail "b does not know a's authority"

# The last one standing ends in order.
port=$a_port manager_pid=$a_pid
stop_manager
say "three daemons, one killed: nothing twice, nothing lost"
