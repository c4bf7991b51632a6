#!/usr/bin/env bash
# manager.sh [SECONDS]: certificates a second from a manager of its own (SQLite, durable; P-256), load generator on the
# same machine; beside it what SQLite alone commits and what the CA alone signs is printed by cardea-bench-store and
# cardea-bench-ca.
. "$(dirname "$0")/../integration/manager_lib.sh"
seconds=${1:-5}
make_manager
start_manager
openssl req -new -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -keyout "$work/c.key" -out "$work/c.csr" \
  -subj /CN=client 2>/dev/null
for connections in 1 4 16 64; do
  "${CARDEA_BENCH_MANAGER:?}" "https://localhost:$port" "$data/ca.pem" "$data/administrator.pem" "$data/administrator.key" \
    "$work/c.csr" "$connections" "$seconds" || fail "certificates were refused"
done
stop_manager
