#!/usr/bin/env bash
# Completion offers what `cardea help` lists, level by level; the man page names every command.
. "$(dirname "$0")/lib.sh"
PATH=$(dirname "$cardea"):$PATH
# shellcheck disable=SC1091
. "$CARDEA_SOURCE/manager/cli/completion/cardea.bash"

complete_words() {
  COMP_WORDS=("$cardea" "$@")
  COMP_CWORD=$(($# ))
  _cardea "$cardea" "${*: -1}" "${COMP_WORDS[COMP_CWORD - 1]}"
  printf '%s\n' "${COMPREPLY[@]}" | sort -u
}

"$cardea" help --options >commands
[ "$(wc -l <commands)" -ge 20 ] || fail "help --options lists too little"
cut -d' ' -f1 commands | cut -d: -f1 | sort -u >first
complete_words "" >offered
diff first offered || fail "the first word differs"
[ "$(complete_words token pin cha)" = change ] || fail "token pin cha does not complete"
while IFS=: read -r command options; do
  # shellcheck disable=SC2086
  tr ' ' '\n' <<<"$options" | grep . | sort -u >wanted
  # shellcheck disable=SC2086
  complete_words $command -- >offered
  diff wanted offered || fail "options of '$command' differ"
  page=$(sed 's/\\f.//g; s/\\-/-/g' "$CARDEA_SOURCE/docs/man/cardea.1")
  grep -qF -- "$command" <<<"$page" || fail "the man page lacks '$command'"
done <commands

for page in cardea.1 cardea.toml.5; do
  command -v groff >/dev/null || { echo "left out: groff, which reads the man pages"; break; }
  groff -ww -man -t -Tutf8 -z "$CARDEA_SOURCE/docs/man/$page" 2>warnings || fail "groff cannot read $page"
  [ ! -s warnings ] || fail "$page: $(cat warnings)"
done
