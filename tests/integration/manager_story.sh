#!/usr/bin/env bash
# The life of a credential with the daemon, the command line, curl, OpenSSL and NSS, on a token of the kind $1.
. "$(dirname "$0")/lib.sh"
. "$here/pcscd_lib.sh"
. "$here/tpm_lib.sh"
. "$here/manager_story_lib.sh"
story_kind=${1:?}
case "$story_kind" in
  piv | gids) begin_cards curl openssl certutil modutil cmsutil; start_pcscd ;;
  tpm) begin_tpm curl openssl certutil modutil cmsutil; start_tpm ;;
  *) begin curl openssl certutil modutil cmsutil ;;
esac
cardea=${CARDEA_COMMAND:?}
manager=${CARDEA_MANAGER_COMMAND:?}
story=$work/story
mkdir "$story"
pre_cleanup() { end_story; }
step() {
  local text=$1
  shift 2
  "$@" >"$work/step.log" 2>&1 </dev/null || { cp "$story/manager.log" "$work/" 2>/dev/null; fail "$text"; }
  pass "$text"
}
tell_story
done_ok
