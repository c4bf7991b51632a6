#!/usr/bin/env bash
# The clock of a working manager is set back (by libfaketime, for the daemon alone): it is noticed, logged, audited and
# shown in /v1/health; no code that had expired is taken, no session opened twice, no serial number issued twice; numbers
# and times of CRLs go on in order; limits end in their own time. A clock that was ahead by mistake is accepted.
. "$(dirname "$0")/manager_lib.sh"
command -v python3 >/dev/null || { echo "skipped: python3 is not installed"; exit 77; }
for faketime in /usr/lib/*/faketime/libfaketimeMT.so.1; do :; done
[ -e "$faketime" ] || { echo "skipped: faketime is not installed (./install-packages tests)"; exit 77; }

# set_clock OFFSET: from the next look at the clock on.
set_clock() { printf '%s\n' "$1" >"$work/offset.new" && mv "$work/offset.new" "$work/offset"; }
# Durations and waits go by the monotonic clock, which nobody sets.
under=(env "LD_PRELOAD=$faketime" "FAKETIME_TIMESTAMP_FILE=$work/offset" FAKETIME_NO_CACHE=1 NO_FAKE_STAT=1
  DONT_FAKE_MONOTONIC=1 FAKETIME_DONT_FAKE_MONOTONIC=1)

# eventually WHAT COMMAND...
eventually() {
  local what=$1 i
  shift
  for i in $(seq 300); do
    if "$@"; then return 0; fi
    sleep 0.1
  done
  fail "$what"
}
health() { request_bare GET /v1/health | jq -e "$1" >/dev/null; }
# Housekeeping has seen a time that is so many days ahead of ours.
has_seen() {
  local seen
  seen=$(python3 -c 'import sqlite3, sys
print(sqlite3.connect(sys.argv[1], timeout=20).execute(
    "SELECT value FROM settings WHERE name = ?", ("highest_time_seen",)).fetchone()[0])' "$data/manager.db")
  [ "$seen" -gt $(($(date +%s) + $1 * 86400 - 3600)) ]
}

# A request for a new person, and a code for it: code_for NAME.
code_for() {
  "$cardea" person add "$1" --display-name "$1" --email "$1@example.test" >/dev/null || fail "$1 is not added"
  number=$("$cardea" request create issue --person "$1" --profile staff-keystore --json | jq -e .id) || fail "no request"
  "$cardea" request code "$number" || fail "no code for $1"
}
open_session() {
  request_bare POST /v1/agent/sessions -H 'Content-Type: application/json' -d "{\"code\":\"$1\"}" "${@:2}"
}

openssl req -new -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -keyout "$work/c.key" -out "$work/c.csr" \
  -subj /CN=client 2>/dev/null
certificates=0
# Some more certificates, the first of which is revoked.
issue_and_revoke() {
  local i
  for i in $(seq 5); do
    "$cardea" manager cert issue "$work/c.csr" --policy tls-client --out "$work/c$certificates.pem" >/dev/null ||
      fail "no certificate"
    certificates=$((certificates + 1))
  done
  local id
  id=$(request GET '/v1/certificates?limit=1000' | jq '[.items[].id] | max')
  "$cardea" manager cert revoke "$id" --reason superseded >/dev/null || fail "not revoked"
}
# Sets $crl_number, $crl_time and $crl_entries.
next_crl() {
  "$cardea" ca crl issuing >/dev/null || fail "no CRL"
  curl -sS --noproxy '*' --max-time 20 "http://127.0.0.1:$plain_port/crl/issuing.crl" >"$work/crl"
  crl_number=$(($(openssl crl -inform DER -in "$work/crl" -noout -crlnumber | cut -d= -f2)))
  crl_time=$(date +%s -d "$(openssl crl -inform DER -in "$work/crl" -noout -lastupdate | cut -d= -f2)")
  crl_entries=$(openssl crl -inform DER -in "$work/crl" -noout -text | grep -c 'Serial Number:')
}
told_times() { request GET '/v1/audit/events?action=clock_set_back' | jq '.items | length'; }

set_clock +10d
settings_edit='s|^# housekeeping_seconds = .*|housekeeping_seconds = 1|; s|^# wrong_codes_of_one = .*|wrong_codes_of_one = 10|
  s|^# wrong_codes_seconds = .*|wrong_codes_seconds = 10|'
make_manager
real_manager=$manager
printf '#!/bin/sh\nexec %s "$@"\n' "$(printf "'%s' " "${under[@]}" "$real_manager")" >"$work/manager-elsewhen"
chmod 755 "$work/manager-elsewhen"
manager=$work/manager-elsewhen
start_manager
eventually "the clock is not right at first" health '.status == "alive" and .clock == "right"'
presented=$(code_for alice)
unseen=$(code_for bob)

set_clock +14d
eventually "the clock that went on was not noticed" has_seen 14
is_problem code-expired 403 "$(open_session "$presented")"
session=$(open_session "$(code_for carol | tee "$work/code")" | jq -er .session) || fail "no session"
job=$(request GET '/v1/jobs' | jq '[.items[].id] | max')
issue_and_revoke
next_crl
first_number=$crl_number first_time=$crl_time

set_clock +10d
eventually "the clock set back is not noticed" health '.clock == "behind" and .clock_behind_seconds > 340000'
[ "$(status_of GET /v1/ready)" = 200 ] || fail "a clock that is behind keeps the manager from working"
lines() { [ "$(grep -c 'the clock is behind' "$work/log")" -ge "$1" ]; }
eventually "the log does not go on saying that the clock is behind" lines 3
[ "$(told_times)" = 1 ] || fail "told $(told_times) times in the audit log"
say "noticed, logged, audited once, shown"

is_problem code-expired 403 "$(open_session "$presented")"
is_problem code-expired 403 "$(open_session "$unseen")"
is_problem code-used 403 "$(open_session "$(cat "$work/code")")"
request_bare POST "/v1/agent/jobs/$job/next" -H 'Content-Type: application/json' -H "Authorization: Bearer $session" -d '{}' |
  jq -e '.state == "step"' >/dev/null || fail "the agent that had the job does not go on"
open_session "$(code_for dora)" | jq -e .session >/dev/null || fail "a new code is not taken"
say "expired codes stay expired, a lease stays with whom it was given to, new codes are taken"

issue_and_revoke
serials=$(request GET '/v1/certificates?limit=1000' | jq -r '.items[].serial' | sort)
[ "$(uniq <<<"$serials")" = "$serials" ] || fail "a serial number twice: $serials"
for i in $(seq 0 $((certificates - 1))); do
  grep -qix "0*$(openssl x509 -in "$work/c$i.pem" -noout -serial | cut -d= -f2 | sed 's|^0*||')" <<<"$serials" ||
    fail "certificate $i is not listed"
done
next_crl
[ "$crl_number" -gt "$first_number" ] || fail "the CRL's number $crl_number after $first_number"
[ "$crl_time" -ge "$first_time" ] || fail "the CRL's time went back"
[ "$crl_entries" = 2 ] || fail "$crl_entries entries in the CRL"
say "serial numbers once; CRLs in order"

# Wrong codes up to the limit; then back by five more days.
is_refused() { open_session 4711-22223333 | jq -e '.type == "urn:cardea:problem:too-many-attempts"' >/dev/null; }
eventually "codes may be guessed without a limit" is_refused
set_clock +5d
eventually "further back is not noticed" health '.clock_behind_seconds > 700000'
is_allowed_again() {
  open_session 4711-22223333 -D "$work/headers" >"$work/answer"
  ! grep -qi '^retry-after: ' "$work/headers" || [ "$(grep -i '^retry-after:' "$work/headers" | tr -cd 0-9)" -le 10 ] ||
    fail "the limit lasts longer than it was set: $(cat "$work/headers")"
  jq -e '.type == "urn:cardea:problem:code-wrong"' "$work/answer" >/dev/null
}
eventually "the limit does not end" is_allowed_again
[ "$(told_times)" = 1 ] || fail "told $(told_times) times in the audit log"
say "limits end in their own time"

# It was the time before that was wrong.
"$manager" accept-clock --config "$work/manager.toml" >/dev/null || fail "the clock is not accepted"
eventually "the accepted clock is not right" health '.clock == "right"'
last_number=$crl_number
next_crl
[ "$crl_number" -gt "$last_number" ] && [ "$crl_time" -lt "$first_time" ] || fail "the CRL has no time of the accepted clock"
"$cardea" audit verify --json | jq -e .intact >/dev/null || fail "the audit log is broken"
[ "$(request GET '/v1/audit/events?action=clock_accepted' | jq '.items | length')" = 1 ] || fail "accepted in silence"
stop_manager
say "accepted where it was ahead by mistake"
