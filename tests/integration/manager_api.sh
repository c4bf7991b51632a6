#!/usr/bin/env bash
# The manager's interface with a real client: first start, logging on, people, problems, CRL and OCSP, audit, stop.
. "$(dirname "$0")/manager_lib.sh"

make_manager
say "init: $(grep -c . "$work/init.out") lines"
[ "$(stat -c %a "$data/key-token.pin")" = 600 ] || fail "the PIN of the key token can be read by others"
if timeout 60 "$manager" init --data "$data" --config "$work/manager.toml" >/dev/null 2>&1; then fail "a second init"; fi
timeout 60 "$manager" check-config --config "$work/manager.toml" >/dev/null || fail "check-config"
start_manager

# Who may what.
is_problem not-authenticated 401 "$(request_bare GET /v1/persons)"
is_problem not-authenticated 401 "$(request_bare GET /v1/persons -H 'Authorization: Bearer nobody')"
[ "$(request GET /v1/me | jq -r .name)" = operator:administrator ] || fail "the administrator is not known"
openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -keyout "$work/x.key" -out "$work/x.pem" -days 2 \
  -subj /CN=administrator 2>/dev/null
is_problem not-authenticated 401 "$(request_bare GET /v1/me --cert "$work/x.pem" --key "$work/x.key")"

# People.
alice='{"name":"alice","display_name":"Alice Archer","email":"alice@example.org"}'
id=$(post /v1/persons "$alice" | jq -e .id) || fail "alice is not added"
is_problem already-exists 409 "$(post /v1/persons "$alice")"
[ "$(request GET '/v1/persons?q=ali' | jq -r '.items[0].name')" = alice ] || fail "alice is not found"
request PATCH "/v1/persons/$id" -H 'Content-Type: application/json' -d '{"department":"Sales"}' |
  jq -e '.department == "Sales" and .email == "alice@example.org"' >/dev/null || fail "alice is not changed"
is_problem precondition-failed 412 "$(request PATCH "/v1/persons/$id" -H 'Content-Type: application/json' \
  -H 'If-Match: "0"' -d '{"department":"x"}')"

# Bad input.
is_problem invalid-content 422 "$(post /v1/persons '{"name":5,"surplus":1}')"
post /v1/persons '{"name":5,"surplus":1}' | jq -e '[.errors[].pointer] == ["/name", "/surplus"]' >/dev/null ||
  fail "mistakes are not named"
is_problem invalid-content 422 "$(post /v1/persons '{"name":')"
is_problem wrong-content-type 415 "$(request POST /v1/persons -H 'Content-Type: text/plain' -d x)"
is_problem not-found 404 "$(request GET /v1/persons/99999)"
is_problem not-found 404 "$(request GET /v1/persons/abc)"
is_problem not-found 404 "$(request GET /v1/nothing)"
is_problem method-not-allowed 405 "$(request DELETE /v1/persons)"
is_problem invalid-content 422 "$(request GET '/v1/persons?limit=0')"
is_problem invalid-content 422 "$(request GET '/v1/persons?colour=red')"
head -c 104857600 /dev/zero >"$work/large"
is_problem body-too-large 413 "$(request POST /v1/persons -H 'Content-Type: application/json' --data-binary @"$work/large")"

# The same key is the same request.
bob='{"name":"bob"}'
first=$(post /v1/persons "$bob" -H 'Idempotency-Key: one')
[ "$(post /v1/persons "$bob" -H 'Idempotency-Key: one')" = "$first" ] || fail "a repeated request was carried out again"
is_problem idempotency-key-reused 422 "$(post /v1/persons '{"name":"carol"}' -H 'Idempotency-Key: one')"

# The command line says the same.
"$cardea" person list --json | jq -e '[.items[].name] | sort == ["alice", "bob"]' >/dev/null || fail "cardea person list"
"$cardea" manager whoami --json | jq -e '.rights.person_write == "all"' >/dev/null || fail "cardea manager whoami"
"$cardea" person show nobody >/dev/null 2>&1 && fail "nobody is shown" || [ $? = 3 ] || fail "status of a missing person"
"$cardea" ca list --json | jq -e '[.items[].name] | sort == ["issuing", "root"]' >/dev/null || fail "cardea ca list"
"$cardea" profile list >/dev/null || fail "cardea profile list"
"$cardea" operator access-token create administrator --name test --right person_read --out "$work/token"
is_problem not-permitted 403 "$(request_bare POST /v1/persons -H 'Content-Type: application/json' \
  -H "Authorization: Bearer $(cat "$work/token")" -d '{"name":"dave"}')"
[ "$(request_bare GET /v1/persons -H "Authorization: Bearer $(cat "$work/token")" | jq '.items | length')" = 2 ] ||
  fail "the access token does not log on"
for scheme in bearer BEARER; do
  request_bare GET /v1/persons -H "Authorization: $scheme $(cat "$work/token")" | jq -e .items >/dev/null ||
    fail "the scheme '$scheme' is not known"
done
is_problem not-authenticated 401 "$(request_bare GET /v1/persons -H "Authorization: Basic $(cat "$work/token")")"

# A certificate for a request made elsewhere, its status, its revocation.
openssl req -new -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -keyout "$work/c.key" -out "$work/c.csr" \
  -subj /CN=client 2>/dev/null
"$cardea" manager cert issue "$work/c.csr" --policy tls-client --out "$work/c.pem" || fail "no certificate"
curl -sS --max-time 20 "http://127.0.0.1:$plain_port/certificates/issuing.cer" |
  openssl x509 -inform DER -out "$work/issuing.pem" || fail "the authority's certificate"
openssl verify -CAfile "$data/ca.pem" -untrusted "$work/issuing.pem" "$work/c.pem" >/dev/null || fail "the chain"
ocsp() {
  openssl ocsp -issuer "$work/issuing.pem" -cert "$work/c.pem" -CAfile "$data/ca.pem" -verify_other "$work/issuing.pem" \
    -url "http://127.0.0.1:$plain_port/ocsp/issuing" 2>&1
}
ocsp | grep >/dev/null ': good' || fail "OCSP says: $(ocsp)"
serial=$(openssl x509 -in "$work/c.pem" -noout -serial | cut -d= -f2 | tr 'A-F' 'a-f' | sed 's/^0*//')
number=$("$cardea" manager cert list --search "$serial" --json | jq -e '.items[0].id') || fail "the certificate is not listed"
"$cardea" manager cert revoke "$number" --reason keyCompromise >/dev/null || fail "revocation"
ocsp | grep >/dev/null ': revoked' || fail "OCSP after the revocation says: $(ocsp)"
"$cardea" ca crl issuing >/dev/null || fail "no CRL was made"
"$cardea" audit search --action crl_published --json | jq -e '.items[0].detail.number' >/dev/null ||
  fail "the audit log does not tell of the CRL"
curl -sS --max-time 20 "http://127.0.0.1:$plain_port/crl/issuing.crl" | openssl crl -inform DER -noout -text |
  tr 'A-F' 'a-f' | grep -i "$serial" >/dev/null || fail "the CRL lacks the certificate"
is_problem not-permitted 403 "$(curl -sS --max-time 20 "http://127.0.0.1:$plain_port/v1/persons")"

# Codes cannot be guessed, not even for requests that do not exist.
open_session() {
  request_bare POST /v1/agent/sessions -H 'Content-Type: application/json' -d '{"code":"4711-2222 3333"}' "$@"
}
for _ in $(seq 30); do is_problem code-wrong 403 "$(open_session)"; done
is_problem too-many-attempts 429 "$(open_session -D "$work/head")"
grep -Ei '^retry-after: [0-9]+' "$work/head" >/dev/null || fail "nothing says when a code may be tried again"

# Nor can an agent's tickets; whoever asks for a nonce has guessed nothing.
contact() { request_bare POST /v1/agent/contacts -H 'Content-Type: application/json' -d "$@"; }
for _ in $(seq 30); do is_problem not-permitted 403 "$(contact '{"ticket":"1-9999999999.00"}')"; done
is_problem too-many-attempts 429 "$(contact '{"ticket":"1-9999999999.00"}' -D "$work/head")"
grep -Ei '^retry-after: [0-9]+' "$work/head" >/dev/null || fail "nothing says when a ticket may be tried again"
contact '{}' | jq -e .nonce >/dev/null || fail "no nonce for an agent"

# Description and audit.
request_bare GET /v1/openapi.json | jq -e '.openapi == "3.1.0" and (.paths | length > 30)' >/dev/null || fail "OpenAPI"
request_bare GET /docs | grep >/dev/null '<h1>Cardea manager' || fail "/docs"
"$cardea" audit verify --json | jq -e .intact >/dev/null || fail "the audit log is broken"
"$cardea" audit export --out "$work/audit.jsonl"
jq -es 'map(.action) | index("certificate_revoked") and index("person_added")' <"$work/audit.jsonl" >/dev/null ||
  fail "the export lacks events"

# A reload takes a new certificate for the connections that follow, and settings with a mistake change nothing.
reloaded() {
  local i
  kill -HUP "$(manager_process)"
  for i in $(seq 600); do
    tail -n +"$((seen + 1))" "$work/log" | grep -F "$1" >/dev/null && return
    sleep 0.1
  done
  fail "the log does not say: $1"
}
shown() { openssl s_client -connect "localhost:$port" </dev/null 2>/dev/null | openssl x509 -noout -serial; }
seen=$(wc -l <"$work/log")
openssl req -new -key "$data/server.key" -subj /CN=localhost -addext subjectAltName=DNS:localhost -out "$work/s.csr"
"$cardea" manager cert issue "$work/s.csr" --policy tls-server --out "$work/s.pem" || fail "no server certificate"
cat "$work/s.pem" "$work/issuing.pem" >"$data/server.pem"
before=$(shown)
reloaded 'settings read again'
[ "$(shown)" = "$(openssl x509 -in "$work/s.pem" -noout -serial)" ] || fail "the new certificate is not shown"
[ "$before" != "$(shown)" ] || fail "the certificate was new before the reload"
cp "$work/manager.toml" "$work/good.toml"
echo 'nonsense' >>"$work/manager.toml"
seen=$(wc -l <"$work/log")
reloaded 'settings not taken'
cp "$work/good.toml" "$work/manager.toml"
sed -i 's/^# housekeeping_seconds = .*/housekeeping_seconds = 61/' "$work/manager.toml"
seen=$(wc -l <"$work/log")
reloaded 'changed settings take a restart'
[ "$(status_of GET /v1/ready)" = 200 ] || fail "a reload ended the service"

# A backup made while it works, and while its keys change, comes back elsewhere; the log holds no secret; the end is
# orderly.
(
  export CARDEA_HOME=$data/keys
  for i in $(seq 40); do
    [ ! -e "$work/enough" ] || break
    timeout 20 "$cardea" key generate ec:P-256 --token cardea-manager --pin-file "$data/key-token.pin" --label "extra-$i"
  done
) >"$work/generated" 2>&1 &
generating=$!
for i in $(seq 600); do
  CARDEA_HOME=$data/keys "$cardea" key list --token cardea-manager 2>/dev/null | grep extra >/dev/null && break
  sleep 0.1
done
timeout 60 "$manager" backup --config "$work/manager.toml" "$work/backup" >/dev/null || fail "backup"
: >"$work/enough"
wait "$generating" || fail "a key was not made: $(cat "$work/generated")"
[ -z "$(find "$work/backup/keys" -name '*-wal' -o -name '*-shm' -o -name generation)" ] || fail "the backup holds logs"
CARDEA_HOME=$work/backup/keys timeout 60 "$cardea" key list --token cardea-manager | grep extra >/dev/null ||
  fail "the backup of the key token lacks keys"
stop_manager
grep -qF "$(cat "$data/key-token.pin")" "$work/log" && fail "the PIN is in the log"
grep -qF "$(cat "$work/token")" "$work/log" && fail "the access token is in the log"
mv "$data" "$work/lost"
timeout 60 "$manager" restore --config "$work/manager.toml" "$work/backup" >/dev/null || fail "restore"
start_manager
[ "$(request GET /v1/persons | jq '.items | length')" = 2 ] || fail "people are lost"
stop_manager
say "the interface works"
