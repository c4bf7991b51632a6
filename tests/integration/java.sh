#!/usr/bin/env bash
# Java's SunPKCS11: key store, signatures, decryption, ECDH, AES and mutual TLS by TokenClient.java.
. "$(dirname "$0")/lib.sh"
begin java javac keytool jarsigner
new_identities
new_key EC:prime256v1 spare 03 --usage-sign
certify spare 03
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

printf '%s\n' "$pin" >"$work/pin"
expect '^rsa, PrivateKeyEntry' keytool -list -storetype PKCS11 -addprovider SunPKCS11 -providerArg "$work/sunpkcs11.cfg" \
  -storepass:file "$work/pin"
grep -q '^ec, PrivateKeyEntry' "$work/out" || fail "keytool lists no ec key"
pass "keytool lists both keys"
(cd "$work/classes" && jar --create --file "$work/signed.jar" TokenClient.class)
expect 'jar signed' jarsigner -storetype PKCS11 -addprovider SunPKCS11 -providerArg "$work/sunpkcs11.cfg" \
  -storepass:file "$work/pin" "$work/signed.jar" ec
expect 'jar verified' jarsigner -verify "$work/signed.jar"
pass "jarsigner signs with the token's ec key"
done_ok
