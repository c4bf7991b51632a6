#!/usr/bin/env bash
# Authorities of many kinds at a real daemon: RSA with PSS, one below a root that OpenSSL runs, custom profiles, OCSP off, switched
# off and on. What they issue is verified by OpenSSL.
. "$(dirname "$0")/manager_lib.sh"

make_manager
start_manager
openssl req -new -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -keyout "$work/c.key" -out "$work/c.csr" \
  -subj /CN=client 2>/dev/null

# policy NAME CA PROFILE: a certificate policy that takes the names of the request.
policy() {
  echo '{"subject": [{"type": "CN", "from": "person.display_name"}]}' >"$work/policy.json"
  "$cardea" ca policy add "$1" --ca "$2" --ca-profile "$3" --file "$work/policy.json" >/dev/null || fail "policy $1"
}
issue() { "$cardea" manager cert issue "$work/c.csr" --policy "$1" --out "$work/$1.pem"; }

# A root that signs by RSA-PSS.
"$cardea" ca create pss --subject 'CN=PSS Root,O=Example' --key-type rsa-2048 --scheme rsa-pss-sha384 >/dev/null ||
  fail "no root with PSS"
curl -sS --max-time 20 "http://127.0.0.1:$plain_port/certificates/pss.cer" | openssl x509 -inform DER -out "$work/pss.root"
policy by-pss pss tls-client
issue by-pss || fail "the root with PSS issues nothing"
openssl verify -CAfile "$work/pss.root" "$work/by-pss.pem" >/dev/null || fail "its certificate does not verify"
openssl x509 -in "$work/by-pss.pem" -noout -text | grep >/dev/null 'Signature Algorithm: rsassaPss' || fail "not by PSS"
is_problem invalid-content 422 "$(post /v1/cas \
  '{"name":"x","connector":"embedded","settings":{"subject":"CN=X","key_type":"p-256","scheme":"rsa-pss-sha256"}}')"

# Below a root that somebody else runs.
openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:P-384 -nodes -keyout "$work/root.key" -out "$work/root.pem" \
  -days 30 -subj '/CN=Foreign Root' -addext 'basicConstraints=critical,CA:TRUE' 2>/dev/null
"$cardea" ca create below --subject 'CN=Below,O=Example' --external --request-out "$work/below.csr" || fail "no request"
openssl req -in "$work/below.csr" -noout -verify 2>/dev/null || fail "the request proves nothing"
printf 'basicConstraints=critical,CA:TRUE,pathlen:0\nkeyUsage=critical,keyCertSign,cRLSign\nsubjectKeyIdentifier=hash\n' \
  >"$work/ext"
openssl x509 -req -in "$work/below.csr" -CA "$work/root.pem" -CAkey "$work/root.key" -CAcreateserial -days 20 \
  -extfile "$work/ext" -out "$work/below.pem" 2>/dev/null
policy by-below below tls-client
issue by-below 2>/dev/null && fail "an authority without certificate issues"
"$cardea" ca check below >"$work/check" 2>&1 && fail "an authority without certificate is said to work: $(cat "$work/check")"
grep "does not work" "$work/check" >/dev/null || fail "the check says: $(cat "$work/check")"
"$cardea" ca install below "$work/root.pem" 2>/dev/null && fail "a foreign certificate is installed"
"$cardea" ca install below "$work/below.pem" 2>/dev/null && fail "a certificate without its chain is installed"
cat "$work/below.pem" "$work/root.pem" >"$work/chain.pem"
"$cardea" ca install below "$work/chain.pem" >/dev/null || fail "the certificate is not installed"
issue by-below || fail "the authority below a foreign root issues nothing"
"$cardea" ca check below >/dev/null || fail "an authority that works is said not to"
openssl verify -CAfile "$work/root.pem" -untrusted "$work/below.pem" "$work/by-below.pem" >/dev/null || fail "its chain"
openssl ocsp -issuer "$work/below.pem" -cert "$work/by-below.pem" -CAfile "$work/root.pem" \
  -verify_other "$work/below.pem" -url "http://127.0.0.1:$plain_port/ocsp/below" 2>&1 | grep >/dev/null ': good' ||
  fail "its OCSP"

# A root answers for the authorities below it; those are renewed for the same key, and revoked as any certificate.
fetch() { curl -sS --fail --max-time 20 "http://127.0.0.1:$plain_port/$1"; }
by_root() {
  openssl ocsp -issuer "$work/root-ca.pem" -cert "$1" -CAfile "$work/root-ca.pem" -verify_other "$work/root-ca.pem" \
    -url "http://127.0.0.1:$plain_port/ocsp/root" >"$work/ocsp" 2>&1
  grep 'Response verify OK' "$work/ocsp" >/dev/null && grep "pem: $2" "$work/ocsp" >/dev/null || fail "OCSP says $(cat "$work/ocsp")"
}
"$cardea" ca create branch --subject 'CN=Branch,O=Example' --parent root --validity P2Y >/dev/null || fail "no authority below the root"
policy by-branch branch tls-client
issue by-branch || fail "the branch issues nothing"
fetch certificates/root.cer | openssl x509 -inform DER -out "$work/root-ca.pem"
fetch certificates/branch.cer | openssl x509 -inform DER -out "$work/branch-1.pem"
by_root "$work/branch-1.pem" good
"$cardea" ca renew root 2>"$work/refusal" && fail "a root is renewed"
grep 'successor' "$work/refusal" >/dev/null || fail "the refusal says: $(cat "$work/refusal")"
"$cardea" ca renew below 2>"$work/refusal" && fail "an authority below a foreign root is renewed"
grep 'install' "$work/refusal" >/dev/null || fail "the refusal says: $(cat "$work/refusal")"
"$cardea" ca renew branch --validity P1Y 2>/dev/null && fail "a renewal shortens the time"
"$cardea" ca renew branch --validity P5Y >/dev/null || fail "the branch is not renewed"
fetch certificates/branch.cer | openssl x509 -inform DER -out "$work/branch-2.pem"
[ "$(openssl x509 -in "$work/branch-1.pem" -noout -pubkey)" = "$(openssl x509 -in "$work/branch-2.pem" -noout -pubkey)" ] ||
  fail "the renewal is for another key"
openssl x509 -in "$work/branch-2.pem" -noout -checkend $((4 * 365 * 86400)) >/dev/null || fail "the renewal lasts no longer"
for present in branch-1 branch-2; do
  openssl verify -x509_strict -CAfile "$work/root-ca.pem" -untrusted "$work/$present.pem" "$work/by-branch.pem" >/dev/null ||
    fail "what was issued before does not verify by $present"
  by_root "$work/$present.pem" good
done
cp "$work/by-branch.pem" "$work/first.pem"
issue by-branch || fail "the renewed branch issues nothing"
openssl verify -x509_strict -CAfile "$work/root-ca.pem" -untrusted "$work/branch-2.pem" "$work/by-branch.pem" >/dev/null ||
  fail "what is issued now does not verify"
row=$("$cardea" manager cert list --search 'CN=Branch' --json | jq '[.items[] | select(.state == "active") | .id] | max')
"$cardea" manager cert revoke "$row" --reason cACompromise >/dev/null || fail "an authority's certificate is not revoked"
by_root "$work/branch-2.pem" revoked
grep 'Reason: cACompromise' "$work/ocsp" >/dev/null || fail "OCSP says $(cat "$work/ocsp")"
by_root "$work/branch-1.pem" good
"$cardea" ca crl root >/dev/null || fail "no CRL of the root"
fetch crl/root.crl | openssl crl -inform DER -out "$work/root.crl"
openssl verify -crl_check -CRLfile "$work/root.crl" -CAfile "$work/root-ca.pem" "$work/branch-2.pem" >"$work/verify" 2>&1 &&
  fail "the root's CRL lacks the branch"
grep 'revoked' "$work/verify" >/dev/null || fail "$(cat "$work/verify")"
# A good state is believed for the rest of its second.
for _ in 1 2 3 4 5; do
  issue by-branch 2>"$work/refusal" || break
  sleep 0.5
done
grep 'revoked' "$work/refusal" >/dev/null || fail "the refusal says: $(cat "$work/refusal")"
"$cardea" ca renew branch 2>/dev/null && fail "a revoked authority is renewed"

# Custom profiles; what cannot work is refused and changes nothing.
echo '{"profiles":[{"id":"short","based_on":"tls-client","name":"Short","validity":"PT2H"}],"crl_interval":"PT6H"}' \
  >"$work/settings.json"
"$cardea" ca change issuing --file "$work/settings.json" >/dev/null || fail "custom profiles are refused"
policy by-short issuing short
issue by-short || fail "the custom profile does not issue"
openssl x509 -in "$work/by-short.pem" -noout -checkend 7300 >/dev/null && fail "the custom validity does not hold"
for wrong in '{"profiles":[{"id":"y","based_on":"nothing"}]}' '{"crl_interval":"P30D"}' '{"key":"other"}' \
  '{"crl_lifetime":5}' '{"answers_ocsp":"no"}'; do
  number=$("$cardea" ca list --json | jq '.items[] | select(.name == "issuing") | .id')
  is_problem invalid-content 422 "$(request PATCH "/v1/cas/$number" -H 'Content-Type: application/json' \
    -d "{\"settings\":$wrong}")"
done
"$cardea" ca show issuing --json | jq -e '.settings.crl_interval == "PT21600S"' >/dev/null || fail "a setting is lost"

# OCSP of one authority off, and on again.
echo '{"answers_ocsp":false}' >"$work/settings.json"
"$cardea" ca change issuing --file "$work/settings.json" >/dev/null || fail "OCSP cannot be switched off"
is_problem not-found 404 "$(curl -sS --max-time 20 -H 'Content-Type: application/ocsp-request' --data-binary x \
  "http://127.0.0.1:$plain_port/ocsp/issuing")"
echo '{"answers_ocsp":true}' >"$work/settings.json"
"$cardea" ca change issuing --file "$work/settings.json" >/dev/null || fail "OCSP cannot be switched on"

# An authority that is off issues nothing and goes on publishing.
"$cardea" ca change issuing --disable >/dev/null || fail "--disable"
issue by-short 2>"$work/refusal" && fail "an authority that is switched off issues"
grep -q 'switched off' "$work/refusal" || fail "the refusal says: $(cat "$work/refusal")"
"$cardea" ca crl issuing >/dev/null || fail "no CRL of an authority that is switched off"
"$cardea" ca change issuing --enable >/dev/null || fail "--enable"
issue by-short || fail "nothing is issued after --enable"

# A key made here and its certificate, as PKCS#12: once, and not in any answer that is kept.
policy plain issuing tls-client
identity=$("$cardea" manager cert make --policy plain --subject 'CN=backup' --key-type rsa:2048 --out "$work/made.p12") ||
  fail "no PKCS#12"
password=${identity##*password: }
openssl pkcs12 -in "$work/made.p12" -passin "pass:$password" -nodes -out "$work/made.pem" 2>/dev/null ||
  fail "OpenSSL does not read it with its password"
openssl pkcs12 -in "$work/made.p12" -passin pass:wrong -nodes -out /dev/null 2>/dev/null && fail "any password opens it"
[ "$(openssl x509 -in "$work/made.pem" -noout -pubkey)" = "$(openssl pkey -in "$work/made.pem" -pubout)" ] ||
  fail "key and certificate do not belong together"
[ "$(grep -c 'BEGIN CERTIFICATE' "$work/made.pem")" = 3 ] || fail "the chain is not in it"
[ "$(stat -c %a "$work/made.p12")" = 600 ] || fail "others can read the file"
is_problem invalid-content 422 "$(post /v1/certificates/pkcs12 '{"policy":"plain","key_algorithm":"ec:P-256"}')"
is_problem invalid-content 422 "$(post /v1/certificates/pkcs12 '{"policy":"plain","key_algorithm":"x","subject":"CN=x"}')"
once='{"policy":"plain","key_algorithm":"ec:P-256","subject":"CN=once"}'
post /v1/certificates/pkcs12 "$once" -H 'Idempotency-Key: p12' | jq -e .password >/dev/null || fail "no password"
post /v1/certificates/pkcs12 "$once" -H 'Idempotency-Key: p12' | jq -e 'has("password") | not' >/dev/null ||
  fail "a password is shown twice"

# An authority whose key is lost: named, not left out in silence; what it published before is served while that is valid.
"$cardea" ca create lost --subject 'CN=Lost,O=Example' >/dev/null || fail "no authority"
key=$("$cardea" ca show lost --json | jq -er .settings.key) || fail "no name of the key"
health() { request_bare GET /v1/health | jq -e "$1" >/dev/null; }
health '.authorities == "working"' || fail "$(request_bare GET /v1/health)"
fetch crl/lost.crl >"$work/lost.crl"
fetch certificates/lost.cer >"$work/lost.cer"
stop_manager
CARDEA_HOME=$data/keys timeout 60 "$cardea" key delete "$key" --token cardea-manager --pin-file "$data/key-token.pin" \
  --yes >/dev/null || fail "the key is not deleted"
start_manager
for _ in $(seq 300); do
  health '.authorities == "failing" and .failing_authorities == ["lost"]' && break
  sleep 0.1
done
health '.failing_authorities == ["lost"]' || fail "the lost key is not told: $(request_bare GET /v1/health)"
[ "$(grep -c 'cardea ca check lost' "$work/log")" = 1 ] || fail "the log does not say once what to do"
"$cardea" ca check lost >"$work/check" 2>&1 && fail "an authority without its key is said to work"
"$cardea" ca check issuing >/dev/null || fail "the others do not work"
fetch crl/lost.crl | cmp - "$work/lost.crl" || fail "a CRL that is valid is not served"
fetch certificates/lost.cer | cmp - "$work/lost.cer" || fail "the certificate is not served"
"$cardea" ca crl lost 2>/dev/null && fail "a CRL is made without a key"
stop_manager
say "authorities of all kinds work"
