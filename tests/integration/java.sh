#!/usr/bin/env bash
# Java's SunPKCS11: key store, signatures, decryption, ECDH, AES and mutual TLS by TokenClient.java.
. "$(dirname "$0")/lib.sh"
begin java javac
new_identities
serve_tls
slot=$(with_timeout 60 pkcs11-tool --module "$module" --list-slots 2>/dev/null |
  awk '/^Slot /{n=$2; id=$3} /token label/ && /'"$token"'/{gsub(/[():]/, "", id); print id; exit}')
[ -n "$slot" ] || fail "no slot holds the token"
cat >"$work/sunpkcs11.cfg" <<SETTINGS
name = Test
library = $(readlink -f "$module")
slot = $((slot))
attributes = compatibility
SETTINGS
with_timeout 120 javac -d "$work/classes" "$here/TokenClient.java" >"$work/javac.log" 2>&1 || fail "javac"
with_timeout 180 java -Xmx256m -cp "$work/classes" TokenClient "$work/sunpkcs11.cfg" "$pin" "$work/ca.pem" "$port" \
  >"$work/java.log" 2>&1 </dev/null || fail "TokenClient"
cat "$work/java.log"
grep -qx 'all passed' "$work/java.log" || fail "TokenClient did not finish"
done_ok
