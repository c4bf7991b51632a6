#!/usr/bin/env bash
# Starting and ending programs within bounds; sourced by lib.sh and by the demonstration, not run.

daemons=()  # process ids of what was started and is to be ended

# with_timeout SECONDS COMMAND...: every client call is bounded.
with_timeout() { timeout --kill-after=5 "$@"; }

# end_process ID: asks a child of this script to end and insists after two seconds.
end_process() {
  local i
  kill "$1" 2>/dev/null || return 0
  for i in {1..20}; do kill -0 "$1" 2>/dev/null || break; sleep 0.1; done
  kill -9 "$1" 2>/dev/null || true
  wait "$1" 2>/dev/null || true
}
