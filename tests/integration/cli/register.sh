#!/usr/bin/env bash
# Registration with p11-kit and NSS, twice, and its undoing; a foreign file is left alone.
. "$(dirname "$0")/lib.sh"

file=$XDG_CONFIG_HOME/pkcs11/modules/cardea.module
status 0 "$cardea" p11 register
has "$file" "module: $CARDEA_MODULE"
status 0 "$cardea" p11 register --json
has out '"registered":true'
if command -v modutil >/dev/null; then
  modutil -dbdir "sql:$HOME/.pki/nssdb" -list </dev/null >nss.txt 2>&1
  has nss.txt "$CARDEA_MODULE"
fi
status 0 "$cardea" p11 register --undo
[ ! -e "$file" ] || fail "the module file is still there"
if command -v modutil >/dev/null; then
  modutil -dbdir "sql:$HOME/.pki/nssdb" -list </dev/null >nss.txt 2>&1
  ! grep -qF "$CARDEA_MODULE" nss.txt || fail "NSS still knows the module"
fi
mkdir -p "$(dirname "$file")"
echo 'module: /somewhere/else.so' >"$file"
status 1 "$cardea" p11 register
has err "left alone"
has "$file" /somewhere/else.so
status 3 "$cardea" p11 register --module /nonexistent.so
