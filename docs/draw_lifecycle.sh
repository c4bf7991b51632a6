#!/bin/bash
# docs/draw_lifecycle.sh            writes docs/lifecycle.md from manager/domain/lifecycle.def
# docs/draw_lifecycle.sh --check    fails when the file is not what the table says
set -euo pipefail
root=$(cd "$(dirname "$0")/.." && pwd)
page=$root/docs/lifecycle.md

draw() {
  cat <<'HEAD'
# States and what may follow what

Drawn from `manager/domain/lifecycle.def` by `docs/draw_lifecycle.sh`; a test compares the two. Whatever is not here is
refused by name, with the events that are possible.
HEAD
  for subject in token request job certificate; do
    printf '\n## A %s\n\n' "$subject"
    printf '```mermaid\nstateDiagram-v2\n'
    first=$(sed -nE "s/^CARDEA_STATE\($subject, ([a-z_]+),.*/\1/p" "$root/manager/domain/lifecycle.def" | head -1)
    printf '    [*] --> %s\n' "$first"
    sed -nE "s/^CARDEA_TRANSITION\($subject, ([a-z_]+), ([a-z_]+), ([a-z_]+)\)$/    \2 --> \3: \1/p" \
      "$root/manager/domain/lifecycle.def"
    printf '```\n\n| state | what it means |\n|---|---|\n'
    sed -nE "s/^CARDEA_STATE\($subject, ([a-z_]+), \"(.*)\"\)$/| \`\1\` | \2 |/p" "$root/manager/domain/lifecycle.def"
  done
}

if [ "${1:-}" = --check ]; then
  draw | diff "$page" - && exit 0
  echo "docs/lifecycle.md is not what manager/domain/lifecycle.def says: run docs/draw_lifecycle.sh" >&2
  exit 1
fi
draw >"$page"
