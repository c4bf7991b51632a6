#!/usr/bin/env bash
# Beginning of the tests that follow a credential with the story's helpers on tokens of the test's own; sourced, not run.
. "$(dirname "${BASH_SOURCE[0]}")/lib.sh"
. "$here/pcscd_lib.sh"
. "$here/tpm_lib.sh"
. "$here/manager_story_lib.sh"

# begin_story KIND COMMAND...: the test's folder, what tokens of that kind live in (a TPM is yet to be started), and the
# variables that the story takes. Skips where a command is missing.
begin_story() {
  story_kind=$1
  shift
  case "$story_kind" in
    piv | gids) begin_cards "$@"; start_pcscd ;;
    tpm) begin_tpm "$@" ;;
    *) begin "$@" ;;
  esac
  cardea=${CARDEA_COMMAND:?}
  manager=${CARDEA_MANAGER_COMMAND:?}
  story=$work/story
  mkdir "$story"
  umask 077
}
# A test that starts more of its own defines this anew.
pre_cleanup() { end_story; }

# run COMMAND...: or the test fails with its output and the manager's log.
run() { "$@" >"$work/step.log" 2>&1 </dev/null || { cp "$story/manager.log" "$work/" 2>/dev/null; fail "$*"; }; }
# refused TEXT COMMAND...: it fails, with that text.
refused() {
  local text=$1
  shift
  ! "$@" >"$work/step.log" 2>&1 </dev/null || fail "not refused: $*"
  grep -F -- "$text" "$work/step.log" >/dev/null || fail "refused, but not because '$text': $*"
}

# A manager with its administrator and Alice.
start_manager_for_alice() {
  printf '%08d\n' "$((30000000 + RANDOM * 2000 + RANDOM))" >"$story/pin"
  run administrator_token
  run make_story_manager
  run start_story_manager
  run add_alice
}
