#!/usr/bin/env bash
# The database locked, full, gone and replaced under a working manager: 503 with Retry-After, nothing lost, nothing
# half-done, and it goes on by itself. manager_database.sh sqlite|postgresql
. "$(dirname "$0")/manager_lib.sh"
kind=${1:?sqlite or postgresql}
command -v python3 >/dev/null || { echo "skipped: python3 is not installed"; exit 77; }
if [ "$kind" = postgresql ] && [ -z "${CARDEA_TEST_DATABASE:-}" ]; then
  exec bash "$(dirname "$0")/store_with_postgresql.sh" bash "$(realpath "$0")" postgresql
fi

mounted=
after_manager() { [ -z "$mounted" ] || umount "$mounted"; }

acknowledged=0
# added NAME [curl options]: a person who was acknowledged must be there at the end.
added() {
  post /v1/persons "{\"name\":\"$1\"}" "${@:2}" | jq -e .id >/dev/null || fail "$1 is not added"
  acknowledged=$((acknowledged + 1))
}

# answers_503 WHAT COMMAND...: the problem, and when to come back.
answers_503() {
  local what=$1
  shift
  is_problem unavailable 503 "$("$@" -D "$work/headers")"
  grep -qi '^retry-after: [1-9]' "$work/headers" || fail "$what: no Retry-After"
}

# What cannot be done is told, and the process says it lives but is not ready.
out_of_order() {
  local what=$1
  answers_503 "$what" post /v1/persons '{"name":"nobody"}' -H "Idempotency-Key: $what"
  answers_503 "$what" post /v1/tokens '{"kind":"piv","serial":"1"}'
  # It looks once a second at most.
  local i
  for i in $(seq 600); do
    [ "$(status_of GET /v1/ready)" = 200 ] || break
    sleep 0.1
  done
  answers_503 "$what" request GET /v1/ready
  [ "$(status_of GET /v1/health)" = 200 ] || fail "$what: the process does not say that it lives"
}

# The same request again, by its key, is now carried out, once.
in_order() {
  local what=$1 i
  for i in $(seq 300); do
    [ "$(status_of GET /v1/ready)" = 200 ] && break
    sleep 0.1
  done
  [ "$(status_of GET /v1/ready)" = 200 ] || fail "$what: not ready again"
  added "after $what"
  post /v1/persons '{"name":"nobody"}' -H "Idempotency-Key: $what" >"$work/answer"
  if [ "$(jq -r .name "$work/answer")" = nobody ]; then
    acknowledged=$((acknowledged + 1))
    id=$(jq -r .id "$work/answer")
    request PATCH "/v1/persons/$id" -H 'Content-Type: application/json' -d "{\"name\":\"was nobody: $what\"}" >/dev/null
  else
    # Whether a change was stored whose answer was lost is told by looking, not by doing it again.
    is_problem conflict 409 "$(cat "$work/answer")"
  fi
  [ "$(request GET '/v1/persons?limit=1000' | jq '.items | length')" = "$acknowledged" ] ||
    fail "$what: $acknowledged people were acknowledged, not $(request GET '/v1/persons?limit=1000' | jq '.items | length')"
  "$cardea" audit verify --json | jq -e .intact >/dev/null || fail "$what: the audit log is broken"
  say "$what: told, nothing lost, goes on"
}

# locked_by COMMAND...: a program that says "locked" and holds the lock until its input ends.
locked_by() {
  mkfifo "$work/release"
  "$@" <"$work/release" >"$work/holder" 2>&1 &
  holder_pid=$!
  exec 9>"$work/release"
  local i
  for i in $(seq 600); do
    grep -q locked "$work/holder" && return
    sleep 0.1
  done
  fail "the lock is not taken: $(cat "$work/holder")"
}
released() {
  exec 9>&-
  wait "$holder_pid" || fail "the holder of the lock: $(cat "$work/holder")"
  rm "$work/release"
}

# While it is locked: reading works, and so does a crowd of writers, each of whom is told.
while_locked() {
  [ "$(request GET /v1/persons -o /dev/null -w '%{http_code}')" = 200 ] || fail "locked: reading does not work"
  out_of_order locked
  local i writers=()
  for i in $(seq 30); do
    post /v1/persons "{\"name\":\"crowd $i\"}" -o "$work/crowd.$i" &
    writers+=($!)
  done
  [ "$(status_of GET /v1/health)" = 200 ] || fail "locked: the process does not say that it lives beside a crowd"
  wait "${writers[@]}"
  for i in $(seq 30); do is_problem unavailable 503 "$(cat "$work/crowd.$i")"; done
}

# A certificate that cannot be recorded is not issued, and one that cannot be changed is not revoked.
certificate_request() {
  openssl req -new -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -keyout "$work/c.key" -out "$work/c.csr" \
    -subj /CN=client 2>/dev/null
}
certificates() { request GET '/v1/certificates?limit=1000' | jq '[.items[] | .state] | sort | join(" ")'; }

make_and_start() {
  make_manager
  start_manager
  certificate_request
  "$cardea" manager cert issue "$work/c.csr" --policy tls-client --out "$work/c.pem" >/dev/null || fail "no certificate"
  certificate=$(request GET '/v1/certificates?limit=1000' | jq '[.items[].id] | max')
  added first
  before=$(certificates)
}

no_half_certificates() {
  "$cardea" manager cert issue "$work/c.csr" --policy tls-client --out "$work/d.pem" >/dev/null 2>&1 &&
    fail "a certificate is issued that nobody can record"
  "$cardea" manager cert revoke "$certificate" --reason keyCompromise >/dev/null 2>&1 &&
    fail "a revocation is acknowledged that nobody can record"
  [ ! -e "$work/d.pem" ] || fail "a certificate was written"
}

sqlite_faults() {
  make_and_start
  db=$data/manager.db
  locked_by python3 -c 'import sqlite3, sys
database = sqlite3.connect(sys.argv[1], isolation_level=None, timeout=20)
database.execute("BEGIN IMMEDIATE")
print("locked", flush=True)
sys.stdin.read()
database.execute("ROLLBACK")' "$db"
  while_locked
  no_half_certificates
  released
  [ "$(certificates)" = "$before" ] || fail "locked: certificates have changed: $(certificates)"
  in_order locked

  mv "$db" "$data/aside.db"
  out_of_order gone
  answers_503 gone request GET /v1/persons
  mv "$data/aside.db" "$db"
  in_order gone

  mkdir "$data/aside"
  mv "$db"* "$data/aside/"
  out_of_order 'gone with all files'
  mv "$data/aside/"* "$data/"
  in_order 'gone with all files'

  mkdir "$data/other"
  mv "$db"* "$data/other/"
  : >"$db"
  out_of_order 'an empty file in its place'
  rm -f "$db"*
  mv "$data/other/"* "$data/"
  in_order 'an empty file in its place'
  stop_manager
}

# On a file system of its own that others fill.
full_disk() {
  mkdir "$work/small"
  mount -t tmpfs -o size=6m tmpfs "$work/small" 2>/dev/null ||
    { say "a full disk: skipped, mounting is not allowed here"; return 0; }
  mounted=$work/small
  acknowledged=0
  settings_edit="s|^# database = .*|database = \"sqlite:$work/small/manager.db\"|"
  rm -rf "$work/data" "$work/manager.toml"
  make_and_start
  cat /dev/zero >"$work/small/filler" 2>/dev/null || true
  # What the file system still has room for in pages it has begun is used up first.
  for i in $(seq 200); do
    post /v1/persons "{\"name\":\"until full $i\",\"display_name\":\"$(printf '%0200d' "$i")\"}" >"$work/answer"
    [ "$(jq -r .status "$work/answer")" != 503 ] || break
    acknowledged=$((acknowledged + 1))
  done
  out_of_order full
  no_half_certificates
  [ "$(request GET '/v1/persons?limit=1000' | jq '.items | length')" = "$acknowledged" ] ||
    fail "full: $acknowledged people were acknowledged"
  rm "$work/small/filler"
  [ "$(certificates)" = "$before" ] || fail "full: certificates have changed: $(certificates)"
  in_order full
  stop_manager
}

postgresql_faults() {
  settings_edit="s|^# database = .*|database = \"postgresql:$CARDEA_TEST_DATABASE dbname=postgres\"|"
  make_and_start
  # The lock that writers take, and that other daemons hold while they write.
  locked_by psql -qXAt -v ON_ERROR_STOP=1 "$CARDEA_TEST_DATABASE dbname=postgres" -c 'SELECT pg_advisory_lock(4848485748002)' \
    -c "SELECT 'locked'" -f -
  while_locked
  no_half_certificates
  released
  [ "$(certificates)" = "$before" ] || fail "locked: certificates have changed: $(certificates)"
  in_order locked
  "$CARDEA_POSTGRESQL_STOP"
  out_of_order stopped
  answers_503 stopped request GET /v1/persons
  no_half_certificates
  "$CARDEA_POSTGRESQL_START"
  in_order stopped
  [ "$(certificates)" = "$before" ] || fail "stopped: certificates have changed: $(certificates)"
  stop_manager
}

case "$kind" in
  sqlite)
    sqlite_faults
    full_disk
    ;;
  postgresql) postgresql_faults ;;
esac
grep 'not ready' "$work/log" | grep 'database' >/dev/null || fail "the log does not say why the manager was not ready"
! grep 'the token' "$work/log" >/dev/null || fail "the log blames a token: $(grep 'the token' "$work/log" | head -n 1)"
