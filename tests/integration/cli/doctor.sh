#!/usr/bin/env bash
# doctor names each thing that can be wrong, with the next step, and fails only when something is wrong.
. "$(dirname "$0")/lib.sh"

status 0 "$cardea" doctor
has out "note     tokens: there is none yet."
has out "next: cardea token init --label NAME"
make_token demo
as_user 0 key generate ec:P-256 --label signing --id 01
status 0 "$cardea" doctor
has out "ok       token 'demo': is ready."
has out "1 token in $CARDEA_HOME, no damage."

# The line and the reason.
cp cardea.toml good.toml
printf '[keystore]\nretry_limit = "many"\n' >cardea.toml
status 1 "$cardea" doctor
has out "PROBLEM  configuration"
has out "$work/cardea.toml:2"
has out "retry_limit"
printf '[keystore\n' >cardea.toml
status 1 "$cardea" doctor
has out "$work/cardea.toml:1"
status 0 "$cardea" token list
has out demo
cp good.toml cardea.toml

store=$(find "$CARDEA_HOME" -name '*.sqlite')
[ -f "$store" ] || fail "there is no store to damage"
# SQLite keeps PRAGMA user_version, our format's version, as four bytes at offset 60 of the first page.
cp -a "$CARDEA_HOME" saved
rm -f "$store-wal" "$store-shm"
printf '\000\000\003\347' | dd of="$store" bs=1 seek=60 conv=notrunc status=none
status 1 "$cardea" doctor
has out "newer version"
rm -r "$CARDEA_HOME"
cp -a saved "$CARDEA_HOME"

# A row that cannot be read, here for the length before the label, costs that object and not the token.
at=$(grep -abo signing "$store" | tail -n 1 | cut -d: -f1)
[ -n "$at" ] || fail "no object to damage"
rm -f "$store-wal" "$store-shm"
printf '\377' | dd of="$store" bs=1 seek="$((at - 1))" conv=notrunc status=none
status 1 "$cardea" doctor
has out "PROBLEM  token"
has out "is damaged"
has out "restore"
rm -r "$CARDEA_HOME"
cp -a saved "$CARDEA_HOME"
status 0 "$cardea" doctor

# Permissions that are too wide are made right; a read-only home is told and still signs.
chmod 755 "$CARDEA_HOME"
"$cardea" doctor >out 2>err </dev/null || true
[ "$(stat -c %a "$CARDEA_HOME")" = 700 ] || fail "permissions stay too wide"
status 0 "$cardea" doctor
if [ "$(id -u)" != 0 ]; then
  chmod -R a-w "$CARDEA_HOME"
  status 0 "$cardea" doctor
  has out "read-only"
  echo x >letter
  as_user 0 sign signing --in letter --out letter.sig
  as_user 1 key generate ec:P-256 --label more
  chmod -R u+w "$CARDEA_HOME"
fi
status 1 "$cardea" doctor --module /nonexistent.so
has out "PROBLEM  module"
