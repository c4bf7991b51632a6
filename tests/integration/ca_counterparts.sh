#!/usr/bin/env bash
# Certificates, CRLs and OCSP answers of the embedded CA as OpenSSL, GnuTLS and NSS see them, for every kind of key.
# The independent linter is python3-cryptography's strict parser with the rules of ca_lint.py, beside OpenSSL's strict
# mode (RFC 5280).
set -euo pipefail
export LC_ALL=C.UTF-8
here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
artifacts=${CARDEA_CA_ARTIFACTS:?CARDEA_CA_ARTIFACTS names the program ca_artifacts}
for program in openssl certtool certutil vfychain crlutil python3; do
  command -v "$program" >/dev/null || { echo "skipped: $program is missing"; exit 77; }
done
python3 -c 'import cryptography' 2>/dev/null || { echo "skipped: python3-cryptography is missing"; exit 77; }

work=$(mktemp -d)
trap 'status=$?; exec 3>&- 2>/dev/null || true; wait "${maker:-}" 2>/dev/null || true; rm -rf "$work"; exit $status' EXIT
fail() { printf 'FAILED: %s\n' "$*" >&2; exit 1; }
pass() { printf 'ok: %s\n' "$*"; }

mkfifo "$work/to" "$work/from"
"$artifacts" "$work/made" <"$work/to" >"$work/from" &
maker=$!
exec 3>"$work/to" 4<"$work/from"

# Runs a command that has to succeed; its output is shown when it does not.
good() { "$@" >"$work/out" 2>&1 || { cat "$work/out" >&2; fail "$*"; }; }
# Runs a command that has to fail and say the words.
bad() {
  local words=$1
  shift
  if "$@" >"$work/out" 2>&1; then fail "this should have failed: $*"; fi
  grep -qi -- "$words" "$work/out" || { cat "$work/out" >&2; fail "no '$words' from: $*"; }
}

leaves="logon signature encryption agreement piv server"

with_openssl() {
  local leaf
  for crl in root issuing; do
    good openssl crl -inform DER -in "$crl.crl" -CAfile "$([ $crl = root ] && echo root.pem || echo chain.pem)" -noout
    openssl crl -inform DER -in "$crl.crl" -out "$crl.crl.pem"
  done
  for leaf in $leaves; do
    good openssl verify -x509_strict -purpose any -CAfile root.pem -untrusted issuing.pem "$leaf.pem"
    good openssl verify -x509_strict -crl_check_all -CRLfile root.crl.pem -CRLfile issuing.crl.pem -CAfile root.pem \
      -untrusted issuing.pem "$leaf.pem"
  done
  good openssl verify -purpose sslserver -verify_hostname www.example.org -CAfile root.pem -untrusted issuing.pem \
    server.pem
  good openssl verify -purpose smimesign -CAfile root.pem -untrusted issuing.pem signature.pem
  good openssl verify -purpose smimeencrypt -CAfile root.pem -untrusted issuing.pem encryption.pem
  for leaf in revoked held; do
    bad "certificate revoked" openssl verify -crl_check_all -CRLfile root.crl.pem -CRLfile issuing.crl.pem \
      -CAfile root.pem -untrusted issuing.pem "$leaf.pem"
  done
  openssl crl -in issuing.crl.pem -noout -text >crl.txt
  grep -q "Key Compromise" crl.txt || fail "the CRL names no reason"
  grep -q "Certificate Hold" crl.txt || fail "the CRL does not show the suspension"
  grep -q "Invalidity Date" crl.txt || fail "the CRL has no invalidity date"
  grep -q "X509v3 CRL Number" crl.txt || fail "the CRL has no number"
  grep -q "2.5.29.60\|Expired" crl.txt || fail "the CRL does not say that expired certificates stay"
}

ask() { # ask NAME OPTIONS... : makes a request, has it answered
  local name=$1
  shift
  good openssl ocsp -reqout "$name.ocsp-request" "$@"
  echo answer >&3
  read -r -t 60 said <&4
  [ "$said" = answered ] || fail "the responder said '$said'"
}

with_ocsp() {
  local certs=() name
  for name in logon revoked held; do certs+=(-cert "$name.pem"); done
  for hash in sha1 sha256 sha384; do
    ask many "-$hash" -issuer issuing.pem "${certs[@]}"
    good openssl ocsp -respin many.ocsp-answer -reqin many.ocsp-request -CAfile root.pem -verify_other issuing.pem
    openssl ocsp -respin many.ocsp-answer -no_nonce -issuer issuing.pem "-$hash" "${certs[@]}" -CAfile root.pem \
      -verify_other issuing.pem >ocsp.txt 2>&1 || { cat ocsp.txt >&2; fail "OCSP with $hash"; }
    grep -q "logon.pem: good" ocsp.txt && grep -q "revoked.pem: revoked" ocsp.txt && grep -q "held.pem: revoked" ocsp.txt ||
      { cat ocsp.txt >&2; fail "OCSP says something else with $hash"; }
  done
  grep -q "Reason: keyCompromise" ocsp.txt || fail "OCSP names no reason"
  grep -q "Reason: certificateHold" ocsp.txt || fail "OCSP does not show the suspension"
  openssl ocsp -respin many.ocsp-answer -resp_text -noverify >text.txt 2>&1
  grep -q "Archive Cutoff" text.txt || fail "OCSP has no archive cutoff"
  grep -q "OCSP Nonce" text.txt || fail "OCSP does not repeat the nonce"
  ask unknown -issuer issuing.pem -serial 0x1234
  openssl ocsp -respin unknown.ocsp-answer -no_nonce -issuer issuing.pem -serial 0x1234 -CAfile root.pem \
    -verify_other issuing.pem >ocsp.txt 2>&1 || true
  grep -q "0x1234: unknown" ocsp.txt || { cat ocsp.txt >&2; fail "a number never issued is not unknown"; }
  ask foreign -issuer root.pem -cert issuing.pem
  bad "unauthorized" openssl ocsp -respin foreign.ocsp-answer -noverify
  ask signed -issuer issuing.pem -cert logon.pem -signer "$work/requestor.pem" -signkey "$work/requestor.key"
  good openssl ocsp -respin signed.ocsp-answer -reqin signed.ocsp-request -CAfile root.pem -verify_other issuing.pem
  head -c 20 many.ocsp-request >broken.ocsp-request
  echo answer >&3 && read -r -t 60 said <&4
  bad "malformed" openssl ocsp -respin broken.ocsp-answer -noverify
}

with_gnutls() {
  local leaf
  for leaf in $leaves; do
    cat "$leaf.pem" issuing.pem root.pem >path.pem
    good certtool --verify-chain --infile path.pem
    good certtool --certificate-info --infile "$leaf.pem"
  done
  good certtool --verify-crl --load-ca-certificate issuing.pem --infile issuing.crl.pem
  good certtool --verify-crl --load-ca-certificate root.pem --infile root.crl.pem
  good certtool --crl-info --inder --infile issuing.crl
}

with_nss() {
  mkdir nss
  good certutil -N -d sql:nss --empty-password
  good certutil -A -d sql:nss -n root -t CT,C,C -i root.pem
  good certutil -A -d sql:nss -n issuing -t ,, -i issuing.pem
  good crlutil -I -d sql:nss -i issuing.crl
  good crlutil -I -d sql:nss -i root.crl
  good certutil -A -d sql:nss -n server -t ,, -i server.pem
  good certutil -A -d sql:nss -n signature -t ,, -i signature.pem
  good certutil -A -d sql:nss -n encryption -t ,, -i encryption.pem
  good certutil -A -d sql:nss -n logon -t ,, -i logon.pem
  good certutil -A -d sql:nss -n revoked -t ,, -i revoked.pem
  good certutil -V -d sql:nss -n server -u V
  good certutil -V -d sql:nss -n signature -u S
  good certutil -V -d sql:nss -n encryption -u R
  good certutil -V -d sql:nss -n logon -u C
  bad "revoked" certutil -V -d sql:nss -n revoked -u S
  good vfychain -d sql:nss -u 1 -a server.pem -a issuing.pem
}

openssl req -x509 -newkey rsa:2048 -nodes -subj /CN=requestor -keyout "$work/requestor.key" -out "$work/requestor.pem" \
  2>/dev/null

kinds=0
while read -r -t 120 said kind <&4; do
  [ "$said" = ready ] || fail "the maker said '$said'"
  cd "$work/made/$kind"
  cat root.pem issuing.pem >chain.pem
  if openssl x509 -in root.pem -noout -pubkey >/dev/null 2>&1; then with_openssl && with_ocsp; fi
  case $kind in
    ml-dsa-* | slh-dsa-*) ;; # neither GnuTLS nor NSS of Debian 13 verifies these in certificates
    *) with_gnutls && with_nss && good python3 "$here/ca_lint.py" ./*.pem ./*.crl ;;
  esac
  pass "$kind"
  kinds=$((kinds + 1))
  echo next >&3
done
exec 3>&-
wait "$maker" || fail "ca_artifacts"
maker=
[ "$kinds" -ge 8 ] || fail "only $kinds kinds of keys"
