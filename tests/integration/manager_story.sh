#!/usr/bin/env bash
# The life of a credential with the daemon, the command line, curl, OpenSSL and NSS, on a token of the kind $1; with
# $2 = postgresql on a PostgreSQL server of the test's own.
if [ "${2:-}" = postgresql ] && [ -z "${CARDEA_TEST_DATABASE:-}" ]; then
  exec bash "$(dirname "$0")/store_with_postgresql.sh" bash "$(realpath "$0")" "$@"
fi
. "$(dirname "$0")/manager_rig.sh"
begin_story "${1:?}" curl openssl certutil modutil cmsutil
[ "$story_kind" != tpm ] || start_tpm
step() {
  local text=$1
  shift 2
  "$@" >"$work/step.log" 2>&1 </dev/null || { cp "$story/manager.log" "$work/" 2>/dev/null; fail "$text"; }
  pass "$text"
}
[ "${2:-}" != postgresql ] || story_database="postgresql:$CARDEA_TEST_DATABASE dbname=postgres"
tell_story
done_ok
