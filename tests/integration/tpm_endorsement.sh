#!/usr/bin/env bash
# Endorsement keys of the high range with their makers' certificates, certificates that are for something else, and an
# authorisation of the endorsement hierarchy.
. "$(dirname "$0")/lib.sh"
. "$(dirname "$0")/tpm_lib.sh"
begin_tpm openssl jq tpm2_createprimary tpm2_readpublic tpm2_nvdefine tpm2_nvwrite tpm2_nvundefine tpm2_flushcontext tpm2_changeauth
cardea=${CARDEA_COMMAND:?CARDEA_COMMAND names the program}
c() { with_timeout 60 "$cardea" "$@" 2>"$work/cardea.log" || { cat "$work/cardea.log" >&2; return 1; }; }
t() { with_timeout 60 "$@" >>"$work/tools.log" 2>&1 || fail "$1: $(tail -3 "$work/tools.log")"; }
# refused STATUS WORDS COMMAND...: the program ends with that status and says so.
refused() {
  local wanted=$1 words=$2 status=0
  shift 2
  with_timeout 60 "$cardea" "$@" >"$work/out" 2>"$work/err" || status=$?
  [ "$status" = "$wanted" ] || fail "cardea $* ended with $status, not $wanted: $(cat "$work/err")"
  grep -q -- "$words" "$work/err" || fail "cardea $* does not say '$words': $(cat "$work/err")"
}
start_tpm
export TPM2TOOLS_TCTI=$tcti
tpm_settings
umask 077
printf '%s\n' 123456 >"$work/pin"
c tpm create --label laptop --pin-file "$work/pin" --json >/dev/null || fail "making a card"
c key generate ec:P-256 --token laptop --label ssh --pin-file "$work/pin" >/dev/null || fail "a P-256 key"
openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -keyout "$work/ca.key" -out "$work/ca.pem" \
  -subj "/CN=a maker" -days 2 2>>"$work/openssl.log" || fail "a maker's authority"

# PolicyB of the EK Credential Profile: TPM2_PolicyOR (0x171) of PolicyA and PolicyC.
policy_a=837197674484b3f81a90cc8d46a5d724fd52d76e06520b64f2a1da1b331469aa
policy_c=3767e2edd43ff45a3a7e1eaefcef78643dca964632e7aad82c673a30d8633fde
hex=$(printf '%064d%s%s%s' 0 00000171 "$policy_a" "$policy_c")
# shellcheck disable=SC2059
printf "$(sed 's/../\\x&/g' <<<"$hex")" | openssl dgst -sha256 -binary >"$work/policy_b"

# endorse ALGORITHM INDEX PURPOSE: certifies the key of the high range that tpm2-tools make, and puts it where makers do.
endorse() {
  t tpm2_createprimary -C e -G "$1" -g sha256 -L "$work/policy_b" -c "$work/ek.ctx" \
    -a 'fixedtpm|fixedparent|sensitivedataorigin|userwithauth|adminwithpolicy|restricted|decrypt'
  t tpm2_readpublic -c "$work/ek.ctx" -f pem -o "$work/ek.pem"
  t tpm2_flushcontext -t
  openssl req -new -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -keyout "$work/any.key" -subj /CN=TPM \
    -out "$work/any.csr" 2>>"$work/openssl.log" || fail "a request"
  printf 'extendedKeyUsage = %s\n' "$3" >"$work/extensions"
  openssl x509 -req -in "$work/any.csr" -force_pubkey "$work/ek.pem" -CA "$work/ca.pem" -CAkey "$work/ca.key" \
    -extfile "$work/extensions" -days 2 -outform DER -out "$work/ek.der" 2>>"$work/openssl.log" || fail "a certificate"
  t tpm2_nvdefine "$2" -C o -s "$(stat -c %s "$work/ek.der")" -a 'ownerread|ownerwrite|authread|authwrite'
  t tpm2_nvwrite "$2" -C o -i "$work/ek.der"
}
attest() { c tpm attest laptop ssh --nonce 0011 --pin-file "$work/pin" --out "$work/a" || fail "no statement"; }
# answered: a challenge for the statement is answered by the card.
answered() {
  c attest challenge "$work/a" --out "$work/credential" --keep "$work/kept" || fail "a challenge"
  c tpm activate laptop "$work/credential" --out "$work/answer" || fail "the challenge is not answered"
  c attest verify "$work/a" --nonce 0011 --challenge "$work/kept" --answer "$work/answer" "$@" --json
}

for each in "rsa2048:aes128cfb 0x01c00012 0001" "ecc256:aes128cfb 0x01c00014 0023"; do
  read -r algorithm index type <<<"$each"
  endorse "$algorithm" "$index" 2.23.133.8.1
  attest
  [ "$(jq -r .endorsement_key "$work/a" | base64 -d | od -An -tx1 -j2 -N2 | tr -d ' ')" = "$type" ] || fail "not the key of $index"
  answered --ca "$work/ca.pem" | jq -e '.endorsed and .attestation_key_in_tpm' >/dev/null || fail "not endorsed by $index"
done
pass "endorsement keys of the high range are used with their certificates"

t tpm2_nvundefine 0x01c00014 -C o
endorse ecc256:aes128cfb 0x01c00014 serverAuth
attest
refused 5 "not one for an endorsement key" attest verify "$work/a" --ca "$work/ca.pem"
c attest verify "$work/a" >/dev/null || fail "without --ca nobody asks for the certificate's purpose"
pass "a certificate of the maker for another purpose is refused"

printf 'endorsement-secret\n' >"$work/right"
printf 'another-secret\n' >"$work/wrong"
t tpm2_changeauth -c endorsement endorsement-secret
refused 1 endorsement_auth_file tpm attest laptop ssh --nonce 0011 --pin-file "$work/pin" --out "$work/b"
tpm_settings "endorsement_auth_file = \"$work/wrong\""
refused 1 "holds is not the authorisation" tpm attest laptop ssh --nonce 0011 --pin-file "$work/pin" --out "$work/b"
tpm_settings "endorsement_auth_file = \"$work/right\""
attest
answered >/dev/null || fail "the answer of a key of the high range is not accepted"
# The key of the low range asks for it in its policy, too.
t tpm2_nvundefine 0x01c00014 -C o
t tpm2_nvundefine 0x01c00012 -C o
attest
answered >/dev/null || fail "the answer of a key of the low range is not accepted"
pass "the endorsement hierarchy's authorisation is used where it is set"
done_ok
