#!/usr/bin/env bash
# manager.sh [SECONDS]: what a manager of its own answers in a second (SQLite, durable; CA with a P-256 key in a keystore
# token), with the load generator on the same machine, and one table of it at the end: asked, measured, and beside it
# what the crypto library alone does on the same cores in the same run.
. "$(dirname "$0")/../integration/manager_lib.sh"
seconds=${1:-5}
bench=${CARDEA_BENCH_MANAGER:?}
make_manager
start_manager
openssl req -new -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -keyout "$work/c.key" -out "$work/c.csr" \
  -subj /CN=client 2>/dev/null

# measure FILE WORDS...: runs the generator; the rate goes to the file.
measure() {
  local file=$1
  shift
  "$bench" "$@" >"$work/measured" || fail "$* was answered wrongly: $(cat "$work/measured")"
  cat "$work/measured"
  grep -o '[0-9]* /s' "$work/measured" | cut -d' ' -f1 >"$file"
}

measure "$work/limits" limits "$work/c.csr" "$seconds"
for connections in 1 4 16 64; do
  measure "$work/certificates.$connections" certificates "$port" "$data/ca.pem" "$data/administrator.pem" \
    "$data/administrator.key" "$work/c.csr" "$connections" "$seconds"
done

# The status of one of them.
post /v1/certificates "{\"policy\":\"tls-client\",\"csr\":\"$(sed '/^-/d' "$work/c.csr" | tr -d '\n')\"}" |
  jq -re .certificate | base64 -d | openssl x509 -inform DER -out "$work/c.pem" || fail "no certificate"
curl -sS --max-time 20 "http://127.0.0.1:$plain_port/certificates/issuing.cer" |
  openssl x509 -inform DER -out "$work/issuing.pem" || fail "the authority's certificate"
openssl ocsp -issuer "$work/issuing.pem" -cert "$work/c.pem" -nonce -reqout "$work/question.der" >/dev/null 2>&1 ||
  fail "no OCSP request"
for way in post get; do
  for connections in 1 16; do
    measure "$work/$way.$connections" ocsp "$plain_port" /ocsp/issuing "$work/question.der" "$way" "$connections" "$seconds"
  done
done
stop_manager

{ read -r signatures; read -r requests; } <"$work/limits"
# row NAME ASKED FILE LIMIT
row() {
  awk -v name="$1" -v asked="$2" -v measured="$(cat "$3")" -v limit="$4" 'BEGIN {
    printf "%-44s %8s %9d %12d %6.2f\n", name, asked, measured, limit, measured / limit }'
}
say
say "load of the machine: $(cut -d' ' -f1-3 /proc/loadavg), $(nproc) processors"
printf '%-44s %8s %9s %12s %6s\n' 'a second, request to answer' asked measured 'library alone' ratio
row 'certificates, mutual TLS, 1 connection' - "$work/certificates.1" "$requests"
row 'certificates, mutual TLS, 16 connections' 2500 "$work/certificates.16" "$requests"
row 'certificates, mutual TLS, 64 connections' 2500 "$work/certificates.64" "$requests"
row 'OCSP, signed afresh, POST, 16 connections' 10000 "$work/post.16" "$signatures"
row 'OCSP, signed afresh, GET, 16 connections' 10000 "$work/get.16" "$signatures"
