#!/usr/bin/env bash
# NSS: the module in a database (modutil), certificates and keys on the token (certutil), import from PKCS#12 (pk12util).
. "$(dirname "$0")/lib.sh"
begin modutil certutil pk12util
. "$here/nss_lib.sh"
new_identities
new_nss_db
trust_ca
pass "modutil adds the module and shows the token"

expect '^client-test:rsa .*u,u,u' certutil -L -d "sql:$nss_db" -h "$token" -f "$nss_pins"
expect '^client-test:ec .*u,u,u' certutil -L -d "sql:$nss_db" -h "$token" -f "$nss_pins"
expect '> rsa  *01  *\(client-test:\)*rsa' certutil -K -d "sql:$nss_db" -h "$token" -f "$nss_pins"
expect '> ec  *02  *\(client-test:\)*ec' certutil -K -d "sql:$nss_db" -h "$token" -f "$nss_pins"
for name in rsa ec; do
  expect 'certificate is valid' certutil -V -d "sql:$nss_db" -n "$token:$name" -u C -f "$nss_pins"
done
pass "certutil lists and validates certificates and keys on the token"

# certutil -R makes the key on the token and signs the request with it.
request() {
  head -c 64 /dev/urandom >"$work/noise"
  with_timeout 60 certutil -R -d "sql:$nss_db" -h "$token" -f "$nss_pins" -z "$work/noise" -s 'CN=from NSS' -a \
    -o "$work/request.pem" "$@" >"$work/request.log" 2>&1 || fail "certutil -R $*"
  expect 'verify OK' openssl req -in "$work/request.pem" -noout -verify
}
request -k rsa -g 2048
request -k ec -q nistp256
request -k ec -q nistp384
pass "certutil generates keys on the token and signs requests"

openssl req -x509 -newkey rsa:2048 -nodes -keyout "$work/soft.key" -out "$work/soft.pem" -days 30 \
  -subj '/CN=From a file' 2>>"$work/setup.log"
openssl pkcs12 -export -inkey "$work/soft.key" -in "$work/soft.pem" -name imported -passout pass:secret \
  -out "$work/soft.p12"
expect 'PKCS12 IMPORT SUCCESSFUL' pk12util -i "$work/soft.p12" -d "sql:$nss_db" -h "$token" -K "$pin" -W secret
expect 'client-test:imported' certutil -L -d "sql:$nss_db" -h "$token" -f "$nss_pins"
expect '> rsa .*imported' certutil -K -d "sql:$nss_db" -h "$token" -f "$nss_pins"
pass "pk12util imports a key and its certificate"

with_timeout 60 certutil -F -d "sql:$nss_db" -n "$token:imported" -f "$nss_pins" >"$work/delete.log" 2>&1 </dev/null ||
  fail "certutil -F"
if certutil -L -d "sql:$nss_db" -h "$token" -f "$nss_pins" 2>&1 | grep >/dev/null imported; then
  fail "certutil -F leaves the certificate"
fi
pass "certutil deletes a key with its certificate"

expect 'deleted' modutil -force -dbdir "sql:$nss_db" -delete cardea
done_ok
