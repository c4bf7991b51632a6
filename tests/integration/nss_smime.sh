#!/usr/bin/env bash
# NSS: an S/MIME message signed and encrypted with keys on the token, and opened again; OpenSSL reads it as well.
. "$(dirname "$0")/lib.sh"
begin modutil certutil cmsutil
. "$here/nss_lib.sh"
new_identities
new_nss_db
trust_ca
printf 'Content-Type: text/plain\r\n\r\nMeet me at noon.\r\n' >"$work/mail"

cms() { with_timeout 60 cmsutil "$@" -d "sql:$nss_db" -f "$nss_pins" 2>>"$work/cms.log" || fail "cmsutil $*"; }

for name in rsa ec; do
  cms -S -G -H SHA256 -N "$token:$name" -i "$work/mail" -o "$work/$name.signed"
  cms -D -i "$work/$name.signed" -o "$work/$name.opened"
  same "$work/mail" "$work/$name.opened"
  expect 'CMS Verification successful\|Verification successful' openssl cms -verify -inform DER \
    -in "$work/$name.signed" -CAfile "$work/ca.pem" -out "$work/$name.verified"
  same "$work/mail" "$work/$name.verified"
  pass "S/MIME signed by the token's $name key"
done

cms -E -r "$token:rsa" -i "$work/mail" -o "$work/enveloped"
cms -D -i "$work/enveloped" -o "$work/decrypted"
same "$work/mail" "$work/decrypted"
openssl cms -encrypt -binary -aes256 -outform DER -in "$work/mail" -out "$work/enveloped" "$work/rsa.pem"
cms -D -i "$work/enveloped" -o "$work/decrypted"
same "$work/mail" "$work/decrypted"
pass "S/MIME decrypted with the token's RSA key"

cms -S -N "$token:rsa" -i "$work/mail" -o "$work/inner"
cms -E -r "$token:rsa" -i "$work/inner" -o "$work/both"
cms -D -i "$work/both" -o "$work/inner.back"
cms -D -i "$work/inner.back" -o "$work/decrypted"
same "$work/mail" "$work/decrypted"
pass "signed, encrypted, decrypted and verified"

# Mail to an EC key: ECDH with the KDF of ANSI X9.63 and shared data, then AES key unwrap. NSS before 3.99 cannot read it.
for kdf in sha1 sha256; do
  openssl cms -encrypt -binary -aes256 -outform DER -in "$work/mail" -out "$work/enveloped" \
    -recip "$work/ec.pem" -keyopt "ecdh_kdf_md:$kdf" 2>>"$work/cms.log" || fail "openssl cms -encrypt to EC with $kdf"
  if with_timeout 60 cmsutil -D -d "sql:$nss_db" -f "$nss_pins" -i "$work/enveloped" -o "$work/decrypted" \
    2>"$work/ec.log"; then
    same "$work/mail" "$work/decrypted"
    pass "S/MIME decrypted with the token's EC key and KDF $kdf"
  elif grep -q SEC_ERROR_BAD_DER "$work/ec.log"; then
    say "not tried: this NSS reads no mail to EC keys (KDF $kdf)"
  else
    fail "cmsutil -D for an EC key with KDF $kdf"
  fi
done
done_ok
