#!/usr/bin/env bash
# GnuTLS: p11tool lists, generates and writes; certtool signs with keys on the token; gnutls-cli presents them in TLS.
. "$(dirname "$0")/lib.sh"
begin p11tool certtool gnutls-cli
new_identities
export GNUTLS_PIN=$pin
url="pkcs11:token=$token"

p11t() { with_timeout 60 p11tool --provider "$module" --batch "$@" >"$work/p11tool.log" 2>&1 </dev/null; }

expect "token=$token" p11tool --provider "$module" --batch --list-tokens
expect 'object=rsa;type=private' p11tool --provider "$module" --batch --login --list-all "$url"
expect 'object=ec;type=cert' p11tool --provider "$module" --batch --list-all-certs "$url"
expect 'RSA-PKCS-PSS\|CKM_RSA_PKCS_PSS' p11tool --provider "$module" --batch --list-mechanisms "$url"
pass "p11tool lists token, objects and mechanisms"

p11t --login --generate-privkey ecdsa --curve secp384r1 --label from-gnutls --id 20 "$url" ||
  fail "p11tool --generate-privkey ecdsa"
p11t --login --generate-privkey rsa --bits 2048 --label rsa-gnutls --id 21 "$url" ||
  fail "p11tool --generate-privkey rsa"
for id in 01 02 20 21; do
  p11t --login --test-sign "$url;id=%$id;type=private" || fail "p11tool --test-sign of key $id"
done
pass "p11tool generates and tests keys"

printf 'cn = "GnuTLS test"\ntls_www_client\nexpiration_days = 30\n' >"$work/template"
for id in 01 02 20 21; do
  with_timeout 60 certtool --provider "$module" --generate-self-signed --template "$work/template" \
    --load-privkey "$url;id=%$id;type=private" --load-pubkey "$url;id=%$id;type=public" --outfile "$work/self.pem" \
    >"$work/certtool.log" 2>&1 </dev/null || fail "certtool --generate-self-signed with key $id"
  expect ': OK' openssl verify -CAfile "$work/self.pem" -check_ss_sig "$work/self.pem"
done
p11t --login --write --load-certificate "$work/self.pem" --label rsa-gnutls --id 21 "$url" || fail "p11tool --write"
p11t --export "$url;id=%21;type=cert" || fail "p11tool --export"
openssl x509 -in "$work/self.pem" -outform DER -out "$work/self.der"
openssl x509 -in "$work/p11tool.log" -outform DER -out "$work/back.der"
same "$work/self.der" "$work/back.der"
p11t --login --delete "$url;id=%21;type=cert" || fail "p11tool --delete"
pass "certtool signs on the token, p11tool writes, exports and deletes a certificate"

serve_tls
for version in 2 3; do
  for name in rsa:01 ec:02; do
    id=${name#*:} name=${name%:*}
    printf 'GET / HTTP/1.0\r\n\r\n' | with_timeout 60 gnutls-cli --provider "$module" --port "$port" \
      --priority "NORMAL:-VERS-ALL:+VERS-TLS1.$version" --x509cafile "$work/ca.pem" \
      --x509keyfile "$url;id=%$id;type=private" --x509certfile "$url;id=%$id;type=cert" 127.0.0.1 \
      >"$work/client.log" 2>&1 || fail "gnutls-cli with TLS 1.$version and $name"
    grep -q "CN *= *$name" "$work/client.log" || fail "the server saw no certificate of $name"
    pass "TLS 1.$version client with the $name key"
  done
done
done_ok
