#!/usr/bin/env bash
# ML-DSA and SLH-DSA keys by command line, with OpenSSL 3.5 as counterpart: signatures, requests, certificates.
. "$(dirname "$0")/lib.sh"

make_token demo
if ! openssl list -public-key-algorithms | grep >/dev/null ML-DSA; then
  as_user 1 key generate ml-dsa-65 --label future
  echo "skipped: $(openssl version) has no post-quantum algorithms, and neither has the module"
  exit 77
fi

ssl() { openssl "$@" >>ssl.log 2>&1 || fail "openssl $* ($(tail -n 3 ssl.log))"; }
refused_by_openssl() { ! openssl "$@" >>ssl.log 2>&1 || fail "openssl takes what is wrong: $*"; }

printf 'a letter\n' >letter
printf 'another letter\n' >other
ssl req -x509 -newkey ML-DSA-65 -noenc -keyout ca.key -out ca.pem -subj '/CN=post-quantum root' -days 30 \
  -addext basicConstraints=critical,CA:TRUE

number=10
for type in ml-dsa-44 ml-dsa-65 ml-dsa-87 slh-dsa-sha2-128f slh-dsa-shake-192f slh-dsa-sha2-256s; do
  number=$((number + 1))
  as_user 0 key generate $type --label $type --id $number
  as_user 0 sign $type --in letter --out $type.sig
  status 0 "$cardea" verify $type --in letter --signature $type.sig
  status 5 "$cardea" verify $type --in other --signature $type.sig
  as_user 0 cert request $type --subject "CN=$type" --san email:pq@example.org --key-usage digitalSignature \
    --out $type.csr
  ssl req -in $type.csr -noout -verify
  openssl req -in $type.csr -noout -text >$type.txt
  grep -qi "Signature Algorithm: $type" $type.txt || fail "the request of $type says another algorithm"
  openssl req -in $type.csr -noout -pubkey >$type.pub
  ssl pkeyutl -verify -pubin -inkey $type.pub -rawin -in letter -sigfile $type.sig
  refused_by_openssl pkeyutl -verify -pubin -inkey $type.pub -rawin -in other -sigfile $type.sig

  ssl x509 -req -in $type.csr -copy_extensions copy -CA ca.pem -CAkey ca.key -CAcreateserial -days 30 -out $type.pem
  ssl verify -CAfile ca.pem $type.pem
  as_user 0 cert write $type.pem
  has out "id $number"
  status 0 "$cardea" cert export --id $number --out exported.pem
  openssl x509 -in $type.pem -outform DER -out a.der
  openssl x509 -in exported.pem -outform DER -out b.der
  cmp a.der b.der || fail "the exported certificate of $type differs"
done

for type in ml-kem-512 ml-kem-768 ml-kem-1024; do
  as_user 0 key generate $type --label $type
  as_user 1 sign $type --in letter --out $type.sig
done
as_user 0 key list --json
for type in ml-dsa-87 slh-dsa-shake-192f ml-kem-1024; do has out "\"type\":\"$type\""; done
echo "all passed"
