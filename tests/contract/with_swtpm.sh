#!/usr/bin/env bash
# with_swtpm.sh PROGRAM [ARGUMENTS]: runs a test program that starts software TPMs of its own; skips where there are none.
. "$(dirname "$0")/../integration/tpm_lib.sh"
require_swtpm
exec "$@"
