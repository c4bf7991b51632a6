#!/usr/bin/env bash
# OpenSSL through the PKCS#11 engine: signatures, CMS, certificate requests, TLS client and server with keys on the token.
. "$(dirname "$0")/lib.sh"
begin
. "$here/openssl_lib.sh"
new_identities
new_server_certificate
public_key 01 "$work/rsa.pub"
public_key 02 "$work/ec.pub"
engine_settings
printf 'to be signed\n' >"$work/message"
engine=(-engine pkcs11)

ssl() { with_timeout 60 openssl "$@" >>"$work/openssl.log" 2>&1 </dev/null || fail "openssl $*"; }
plain() { OPENSSL_CONF=/dev/null with_timeout 60 openssl "$@" >>"$work/openssl.log" 2>&1 || fail "openssl $*"; }

test_signatures() {
  local name id hash
  for name in rsa:01 ec:02; do
    id=${name#*:} name=${name%:*}
    for hash in sha256 sha384 sha512; do
      ssl dgst "${engine[@]}" -keyform engine -"$hash" -sign "$(key_uri "$id")" -out "$work/signature" "$work/message"
      plain dgst -"$hash" -verify "$work/$name.pub" -signature "$work/signature" "$work/message"
    done
    pass "openssl dgst with the $name key"
  done
  ssl dgst "${engine[@]}" -keyform engine -sha256 -sigopt rsa_padding_mode:pss -sigopt rsa_pss_saltlen:32 \
    -sign "$(key_uri 01)" -out "$work/signature" "$work/message"
  plain dgst -sha256 -sigopt rsa_padding_mode:pss -sigopt rsa_pss_saltlen:32 -verify "$work/rsa.pub" \
    -signature "$work/signature" "$work/message"
  pass "openssl dgst with RSA-PSS"
}

test_cms() {
  local name id
  for name in rsa:01 ec:02; do
    id=${name#*:} name=${name%:*}
    ssl cms -sign "${engine[@]}" -keyform engine -inkey "$(key_uri "$id")" -signer "$work/$name.pem" -binary -nodetach \
      -outform DER -in "$work/message" -out "$work/signed"
    plain cms -verify -inform DER -in "$work/signed" -CAfile "$work/ca.pem" -out "$work/verified"
    same "$work/message" "$work/verified"
    pass "openssl cms -sign with the $name key"
  done
  for name in rsa:01 ec:02; do
    id=${name#*:} name=${name%:*}
    plain cms -encrypt -binary -aes256 -outform DER -in "$work/message" -out "$work/enveloped" "$work/$name.pem"
    ssl cms -decrypt "${engine[@]}" -keyform engine -inkey "$(key_uri "$id")" -recip "$work/$name.pem" -inform DER \
      -binary -in "$work/enveloped" -out "$work/decrypted"
    same "$work/message" "$work/decrypted"
    pass "openssl cms -decrypt with the $name key"
  done
}

test_request() {
  local id
  for id in 01 02; do
    ssl req -new "${engine[@]}" -keyform engine -key "$(key_uri "$id")" -subj '/CN=from the engine' -out "$work/csr"
    plain req -in "$work/csr" -noout -verify
  done
  pass "openssl req signed on the token"
}

test_tls() {
  local name id version
  serve_tls
  for name in rsa:01 ec:02; do
    id=${name#*:} name=${name%:*}
    for version in 2 3; do
      printf 'GET / HTTP/1.0\r\n\r\n' >"$work/get"
      with_timeout 60 openssl s_client -connect "127.0.0.1:$port" "-tls1_$version" -CAfile "$work/ca.pem" \
        -verify_return_error "${engine[@]}" -keyform engine -key "$(key_uri "$id")" -cert "$work/$name.pem" -ign_eof \
        <"$work/get" >"$work/client.log" 2>&1 || fail "s_client with TLS 1.$version and $name"
      grep -q "CN *= *$name" "$work/client.log" || fail "the server saw no certificate of $name"
      pass "TLS 1.$version client with the $name key"
    done
  done
  serve engine_server openssl s_server -accept 127.0.0.1:@PORT@ "${engine[@]}" -keyform engine -key "$(key_uri 01)" \
    -cert "$work/rsa.pem" -www
  for version in 2 3; do
    expect 'Verification: OK\|Verify return code: 0' env OPENSSL_CONF=/dev/null openssl s_client \
      -connect "127.0.0.1:$port" "-tls1_$version" -CAfile "$work/ca.pem" -verify_return_error
  done
  pass "TLS server with the RSA key"
}

test_signatures
test_cms
test_request
test_tls
done_ok
