#!/usr/bin/env bash
# The module exports its entry points and nothing else: what `nm` finds equals pkcs11/cryptoki/functions.def. And it has
# nothing that is destroyed at the end of a process or thread, since hosts still call it then.
set -euo pipefail
module=${CARDEA_MODULE:?}
command -v nm >/dev/null || { echo "skipped: nm is not installed (package binutils)"; exit 77; }
wanted=$(sed -n 's|^CARDEA_FUNCTION([^,]*, *\(C_[A-Za-z0-9]*\),.*|\1|p' "${CARDEA_SOURCE:?}/pkcs11/cryptoki/functions.def" | sort -u)
[ "$(printf '%s\n' "$wanted" | wc -l)" -ge 90 ] || { echo "FAILED: functions.def names too few functions"; exit 1; }
found=$(nm -D --defined-only "$module" | awk '{sub(/@.*/, "", $NF); if ($(NF-1) != "A") print $NF}' | sort -u)
if ! difference=$(diff <(printf '%s\n' "$wanted") <(printf '%s\n' "$found")); then
  printf 'FAILED: < should be exported, > should not\n%s\n' "$difference"
  exit 1
fi
# The sanitizers register destructors of their own.
if ! nm -D --undefined-only "$module" | grep >/dev/null '__[at]san_init'; then
  if registrars=$(nm -D --undefined-only "$module" | grep -E 'atexit'); then
    printf 'FAILED: objects with destructors are static or thread-local:\n%s\n' "$registrars"
    exit 1
  fi
fi
echo "all passed: $(printf '%s\n' "$found" | wc -l) entry points"
