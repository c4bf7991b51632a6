#!/usr/bin/env bash
# Authorities with every family of keys through the interface: root and issuing, a certificate, CRL and OCSP, verified by
# OpenSSL. ML-DSA and SLH-DSA where the crypto library has it; elsewhere it is refused in words.
. "$(dirname "$0")/manager_lib.sh"
make_manager
start_manager
openssl req -new -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -keyout "$work/c.key" -out "$work/c.csr" -subj /CN=client \
  2>/dev/null
fetch() { curl -sS --fail --max-time 20 "http://127.0.0.1:$plain_port/$1"; }
ocsp() {
  openssl ocsp -issuer "$work/$1-issuing.pem" -cert "$work/$1.pem" -CAfile "$work/$1-root.pem" \
    -verify_other "$work/$1-issuing.pem" -url "http://127.0.0.1:$plain_port/ocsp/$1-issuing" 2>&1
}

# chain KEY_TYPE: everything of one family.
chain() {
  local kind=$1 id above
  above=$(post /v1/cas "{\"name\":\"$kind-root\",\"connector\":\"embedded\",\"settings\":{\"subject\":\"CN=$kind root\",\"key_type\":\"$kind\"}}")
  if ! jq -e .id >/dev/null <<<"$above"; then
    openssl list -signature-algorithms | grep -i "${kind:0:7}" >/dev/null && fail "$kind: $above"
    is_problem not-supported 501 "$above"
    say "$kind: refused in words, this OpenSSL has none"
    return 0
  fi
  id=$(post /v1/cas "{\"name\":\"$kind-issuing\",\"connector\":\"embedded\",\"settings\":{\"subject\":\"CN=$kind issuing\",\"key_type\":\"$kind\",\"parent\":\"$kind-root\"}}" |
    jq -e .id) || fail "$kind: no issuing authority"
  post /v1/policies "{\"name\":\"$kind\",\"ca\":$id,\"ca_profile\":\"tls-client\",\"document\":{\"subject\":[{\"type\":\"CN\",\"from\":\"person.name\"}]}}" |
    jq -e .id >/dev/null || fail "$kind: no policy"
  "$cardea" manager cert issue "$work/c.csr" --policy "$kind" --out "$work/$kind.pem" >/dev/null || fail "$kind: no certificate"
  fetch "certificates/$kind-root.cer" | openssl x509 -inform DER -out "$work/$kind-root.pem" || fail "$kind: root"
  fetch "certificates/$kind-issuing.cer" | openssl x509 -inform DER -out "$work/$kind-issuing.pem" || fail "$kind: issuing"
  openssl verify -x509_strict -CAfile "$work/$kind-root.pem" -untrusted "$work/$kind-issuing.pem" "$work/$kind.pem" >/dev/null ||
    fail "$kind: the chain"
  ocsp "$kind" >"$work/ocsp"
  grep -q 'Response verify OK' "$work/ocsp" && grep -q ': good' "$work/ocsp" || fail "$kind: OCSP says $(cat "$work/ocsp")"
  id=$(request GET "/v1/certificates?ca=$id" | jq '[.items[].id] | max')
  "$cardea" manager cert revoke "$id" --reason superseded >/dev/null || fail "$kind: no revocation"
  ocsp "$kind" >"$work/ocsp"
  grep -q ': revoked' "$work/ocsp" || fail "$kind: OCSP says $(cat "$work/ocsp")"
  "$cardea" ca crl "$kind-issuing" >/dev/null || fail "$kind: no CRL"
  fetch "crl/$kind-issuing.crl" | openssl crl -inform DER -out "$work/$kind.crl" || fail "$kind: CRL"
  openssl crl -in "$work/$kind.crl" -CAfile "$work/$kind-issuing.pem" -noout 2>&1 | grep 'verify OK' >/dev/null || fail "$kind: CRL's signature"
  openssl verify -crl_check -CRLfile "$work/$kind.crl" -CAfile "$work/$kind-root.pem" -untrusted "$work/$kind-issuing.pem" \
    "$work/$kind.pem" >"$work/verify" 2>&1 && fail "$kind: the CRL lacks the certificate"
  grep -q revoked "$work/verify" || fail "$kind: $(cat "$work/verify")"
  say "$kind: root, issuing, certificate, OCSP, CRL"
}
for kind in rsa-3072 p-521 ml-dsa-65 slh-dsa-sha2-128s; do chain "$kind"; done
stop_manager
