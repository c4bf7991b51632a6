#!/usr/bin/env bash
# OpenSSL 3.5 through pkcs11-provider: signatures, CMS, requests and TLS with keys on the token.
. "$(dirname "$0")/lib.sh"
begin
. "$here/openssl_lib.sh"
new_identities
new_server_certificate
public_key 01 "$work/rsa.pub"
public_key 02 "$work/ec.pub"
provider_settings
printf 'to be signed\n' >"$work/message"

ssl() { with_timeout 60 openssl "$@" >>"$work/openssl.log" 2>&1 </dev/null || fail "openssl $*"; }
plain() { OPENSSL_CONF=/dev/null with_timeout 60 openssl "$@" >>"$work/openssl.log" 2>&1 || fail "openssl $*"; }

for name in rsa:01 ec:02; do
  id=${name#*:} name=${name%:*}
  ssl dgst -sha256 -sign "$(key_uri "$id")" -out "$work/signature" "$work/message"
  plain dgst -sha256 -verify "$work/$name.pub" -signature "$work/signature" "$work/message"
  ssl cms -sign -inkey "$(key_uri "$id")" -signer "$work/$name.pem" -binary -nodetach -outform DER \
    -in "$work/message" -out "$work/signed"
  plain cms -verify -inform DER -in "$work/signed" -CAfile "$work/ca.pem" -out "$work/verified"
  same "$work/message" "$work/verified"
  plain cms -encrypt -binary -aes256 -outform DER -in "$work/message" -out "$work/enveloped" "$work/$name.pem"
  ssl cms -decrypt -inkey "$(key_uri "$id")" -recip "$work/$name.pem" -inform DER -binary -in "$work/enveloped" \
    -out "$work/decrypted"
  same "$work/message" "$work/decrypted"
  ssl req -new -key "$(key_uri "$id")" -subj '/CN=from the provider' -out "$work/csr"
  plain req -in "$work/csr" -noout -verify
  pass "dgst, cms and req with the $name key"
done

OPENSSL_CONF=/dev/null serve_tls
for name in rsa:01 ec:02; do
  id=${name#*:} name=${name%:*}
  for version in 2 3; do
    printf 'GET / HTTP/1.0\r\n\r\n' >"$work/get"
    with_timeout 60 openssl s_client -connect "127.0.0.1:$port" "-tls1_$version" -CAfile "$work/ca.pem" \
      -verify_return_error -key "$(key_uri "$id")" -cert "$work/$name.pem" -ign_eof <"$work/get" \
      >"$work/client.log" 2>&1 || fail "s_client with TLS 1.$version and $name"
    grep -q "CN *= *$name" "$work/client.log" || fail "the server saw no certificate of $name"
    pass "TLS 1.$version client with the $name key"
  done
done
done_ok
