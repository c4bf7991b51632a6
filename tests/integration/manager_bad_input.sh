#!/usr/bin/env bash
# Bad input on every route.
. "$(dirname "$0")/manager_lib.sh"
command -v python3 >/dev/null || { echo "skipped: python3 is not installed"; exit 77; }
make_manager
# Nothing but what the test asks for changes a row.
sed -i 's/^# housekeeping_seconds = .*/housekeeping_seconds = 86400/' "$work/manager.toml"
start_manager
timeout 250 python3 "$(dirname "$0")/manager_bad_input.py" "${CARDEA_SOURCE:?}" "$port" "$plain_port" "$data" \
  "$(manager_process)" || fail "bad input is not answered as it should be"
[ "$(status_of GET /v1/ready)" = 200 ] || fail "the manager does not work any more"
"$cardea" audit verify --json | jq -e .intact >/dev/null || fail "the audit log is broken"
stop_manager
