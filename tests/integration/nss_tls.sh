#!/usr/bin/env bash
# NSS: TLS 1.2 and 1.3 with client certificates from the token, and a TLS server whose key lies on the token.
. "$(dirname "$0")/lib.sh"
begin modutil certutil tstclnt selfserv
. "$here/nss_lib.sh"
new_identities
new_nss_db
trust_ca

# client VERSION NAME: a request with the token's certificate; the server's status page says which one it saw.
client() {
  printf 'GET / HTTP/1.0\r\n\r\n' >"$work/get"
  with_timeout 60 tstclnt -h 127.0.0.1 -p "$port" -d "sql:$nss_db" -n "$token:$2" -W "$nss_pins" -V "tls1.$1:tls1.$1" \
    -A "$work/get" -b >"$work/client.log" 2>&1 || fail "tstclnt with TLS 1.$1 and $2"
  grep -q "CN *= *$2" "$work/client.log" || fail "the server saw no certificate of $2 (TLS 1.$1)"
  pass "TLS 1.$1 client with the token's $2 key"
}

serve_tls
for version in 2 3; do
  for name in rsa ec; do client "$version" "$name"; done
done

# The trap here: with an RSA key the server calls C_CopyObject(session, key, NULL, 0).
for name in rsa ec; do
  option=-n
  [ "$name" = rsa ] || option=-e
  serve "selfserv-$name" selfserv -d "sql:$nss_db" "$option" "$token:$name" -f "$nss_pins" -p @PORT@ -V tls1.2:tls1.3
  for version in 2 3; do
    expect 'Verify return code: 0\|Verification: OK' openssl s_client -connect "127.0.0.1:$port" "-tls1_$version" \
      -CAfile "$work/ca.pem" -verify_return_error
    pass "TLS 1.$version server with the token's $name key"
  done
  if [ "$name" = rsa ]; then
    # RSA key transport decrypts with the key; everything above signs.
    expect 'Verify return code: 0\|Verification: OK' openssl s_client -connect "127.0.0.1:$port" -tls1_2 \
      -cipher AES128-GCM-SHA256 -CAfile "$work/ca.pem" -verify_return_error
    pass "TLS 1.2 server that decrypts with the token's RSA key"
  fi
done
done_ok
