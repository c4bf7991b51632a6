#!/usr/bin/env bash
# Every route with every role.
. "$(dirname "$0")/manager_lib.sh"
command -v python3 >/dev/null || { echo "skipped: python3 is not installed"; exit 77; }
make_manager
start_manager
timeout 250 python3 "$(dirname "$0")/manager_roles.py" "${CARDEA_SOURCE:?}" "$port" "$data/ca.pem" "$data/administrator.pem" \
  "$data/administrator.key" || fail "roles and routes disagree"
stop_manager
