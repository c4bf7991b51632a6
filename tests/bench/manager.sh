#!/usr/bin/env bash
# manager.sh [SECONDS]: what a manager of its own answers in a second (SQLite, durable; CA with a P-256 key in a keystore
# token), with the load generator on the same machine, and one table of it at the end: asked, measured, beside it what
# the crypto library alone does on the same cores in the same run, and the processor time that the manager spends on one
# answer, which tells most where other programs are running.
. "$(dirname "$0")/../integration/manager_lib.sh"
seconds=${1:-5}
bench=${CARDEA_BENCH_MANAGER:?}
make_manager
start_manager
openssl req -new -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -keyout "$work/c.key" -out "$work/c.csr" \
  -subj /CN=client 2>/dev/null

# Processor time of the manager so far, user's and system's, in ticks (proc(5)).
ticks() { sed 's/.*) //' "/proc/$(manager_process)/stat" | awk '{ print $12 + $13 }'; }

# ask FILE WORDS...: runs the generator; the answers a second and the manager's microseconds for each go to the file.
ask() {
  local file=$1 before rate
  shift
  before=$(ticks)
  "$bench" "$@" "$seconds" >"$work/said" || fail "$* was answered wrongly: $(cat "$work/said")"
  rate=$(grep -o '[0-9]* /s' "$work/said" | cut -d' ' -f1)
  awk -v rate="$rate" -v ticks=$(($(ticks) - before)) -v hertz="$(getconf CLK_TCK)" -v seconds="$seconds" \
    'BEGIN { print rate, ticks * 1e6 / hertz / (rate * seconds) }' >"$file"
  cat "$work/said"
}

"$bench" limits "$work/c.csr" "$seconds" | tee "$work/said" || fail "the library's own figures"
read -r signatures requests < <(grep -o '[0-9]* /s' "$work/said" | cut -d' ' -f1 | tr '\n' ' '; echo)
for connections in 1 4 16 64; do
  ask "$work/certificates.$connections" certificates "$port" "$data/ca.pem" "$data/administrator.pem" \
    "$data/administrator.key" "$work/c.csr" "$connections"
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
    ask "$work/$way.$connections" ocsp "$plain_port" /ocsp/issuing "$work/question.der" "$way" "$connections"
  done
done
stop_manager

# row NAME ASKED FILE LIMIT
row() {
  local rate computed
  read -r rate computed <"$3"
  awk -v name="$1" -v asked="$2" -v rate="$rate" -v limit="$4" -v computed="$computed" 'BEGIN {
    printf "%-42s %7s %9d %14d %6.2f %8.0f\n", name, asked, rate, limit, rate / limit, computed }'
}
say
say "$(nproc) processors, load $(cut -d' ' -f1-3 /proc/loadavg)"
printf '%-42s %7s %9s %14s %6s %8s\n' 'a second, request to answer' asked measured 'library alone' ratio 'us each'
row 'certificates, mutual TLS, 1 connection' - "$work/certificates.1" "$requests"
row 'certificates, mutual TLS, 16 connections' 2500 "$work/certificates.16" "$requests"
row 'certificates, mutual TLS, 64 connections' 2500 "$work/certificates.64" "$requests"
row 'OCSP, signed afresh, POST, 16 connections' 10000 "$work/post.16" "$signatures"
row 'OCSP, signed afresh, GET, 16 connections' 10000 "$work/get.16" "$signatures"
