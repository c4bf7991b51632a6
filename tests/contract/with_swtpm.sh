#!/usr/bin/env bash
# with_swtpm.sh PROGRAM [ARGUMENTS]: runs a test program that starts software TPMs of its own; skips where there are none.
set -euo pipefail
command -v swtpm >/dev/null || { echo "skipped: swtpm is not installed (./install-packages tests)"; exit 77; }
ldconfig -p | grep -q libtss2-tcti-swtpm || { echo "skipped: libtss2-tcti-swtpm0 is not installed (./install-packages tests)"; exit 77; }
exec "$@"
