#!/usr/bin/env bash
# Attestation on the command line: a TPM with its maker's certificate vouches for a key, and somebody without a TPM checks
# that; tpm2-tools read and answer what is ours, and the other way round.
. "$(dirname "$0")/lib.sh"
. "$(dirname "$0")/tpm_lib.sh"
begin_tpm openssl jq
cardea=${CARDEA_COMMAND:?CARDEA_COMMAND names the program}
c() { with_timeout 60 "$cardea" "$@" 2>>"$work/cardea.log"; }
# refused STATUS WORDS COMMAND...: the program ends with that status and says so.
refused() {
  local wanted=$1 words=$2 status=0
  shift 2
  with_timeout 60 "$cardea" "$@" >"$work/out" 2>"$work/err" || status=$?
  [ "$status" = "$wanted" ] || fail "cardea $* ended with $status, not $wanted: $(cat "$work/err")"
  grep -q -- "$words" "$work/err" || fail "cardea $* does not say '$words': $(cat "$work/err")"
}
umask 077
printf '%s\n' 123456 >"$work/pin"
nonce=00112233445566778899aabbccddeeff

# A maker's authority with an intermediate one, and the certificate of this TPM's endorsement key, by swtpm's own tools.
make_endorsed_tpm() {
  command -v swtpm_setup >/dev/null && command -v swtpm_localca >/dev/null || skip "swtpm-tools is not installed"
  mkdir -p "$work/ca" "$work/tpm/state"
  printf '%s\n' "statedir = $work/ca" "signingkey = $work/ca/signkey.pem" "issuercert = $work/ca/issuercert.pem" \
    "certserial = $work/ca/certserial" >"$work/ca.conf"
  printf '%s\n' "--platform-manufacturer Cardea" "--platform-version 1" "--platform-model test" >"$work/ca.options"
  printf '%s\n' "create_certs_tool = $(command -v swtpm_localca)" "create_certs_tool_config = $work/ca.conf" \
    "create_certs_tool_options = $work/ca.options" >"$work/setup.conf"
  XDG_CONFIG_HOME="$work" with_timeout 120 swtpm_setup --tpm2 --tpmstate "$work/tpm/state" --create-ek-cert \
    --config "$work/setup.conf" --lock-nvram --overwrite >>"$work/setup.log" 2>&1 ||
    fail "swtpm_setup: $(tail -3 "$work/setup.log")"
  cat "$work/ca/"*cert.pem >"$work/roots.pem"
}
make_endorsed_tpm
start_tpm
tpm_settings
c tpm create --label laptop --pin-file "$work/pin" --json >/dev/null || fail "making a card"
c key generate ec:P-256 --token laptop --label ssh --pin-file "$work/pin" >/dev/null || fail "a P-256 key"
c key generate rsa:2048 --token laptop --label mail --pin-file "$work/pin" >/dev/null || fail "an RSA key"

for key in ssh mail; do
  c tpm attest laptop "$key" --nonce "$nonce" --pin-file "$work/pin" --out "$work/$key.attestation" ||
    fail "the TPM does not vouch for $key"
  c attest verify "$work/$key.attestation" --nonce "$nonce" --ca "$work/roots.pem" --json |
    jq -e '.endorsed and .fresh and (.attestation_key_in_tpm | not)' >/dev/null || fail "the statement on $key does not hold"
done
c attest verify "$work/ssh.attestation" >"$work/words" || fail "a statement without further demands"
grep -q "that the attestation key is in a TPM at all" "$work/words" || fail "it is not said what is missing"
pass "statements hold, and say what they prove"

cp "$work/ssh.attestation" "$work/a"
refused 5 "another nonce" attest verify "$work/a" --nonce 00
openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -keyout "$work/other.key" -out "$work/other.pem" \
  -subj /CN=other -days 2 2>>"$work/openssl.log" || fail "another authority"
refused 5 "not trusted" attest verify "$work/a" --ca "$work/other.pem"
jq 'del(.endorsement_certificate)' "$work/a" >"$work/bare"
refused 5 "no endorsement certificate" attest verify "$work/bare" --ca "$work/roots.pem"
c attest verify "$work/bare" | grep >/dev/null "software that plays one" || fail "a TPM without certificate is not told"
jq --arg k "$(jq -r .endorsement_key "$work/mail.attestation" | tr 'A-Z' 'B-ZA')" '.endorsement_key = $k' "$work/a" >"$work/b"
refused 1 "" attest verify "$work/b"
jq --slurpfile o "$work/mail.attestation" '.key = $o[0].key' "$work/a" >"$work/b"
refused 5 "about another key" attest verify "$work/b"
jq '.version = 2' "$work/a" >"$work/b"
refused 1 "version" attest verify "$work/b"
pass "other nonces, roots, keys and versions are refused"

c cert request ssh --token laptop --subject CN=laptop --pin-file "$work/pin" --out "$work/ssh.csr" >/dev/null || fail "a request"
c attest verify "$work/a" --certificate "$work/ssh.csr" --json | jq -e .certificate >/dev/null || fail "the request's key"
refused 5 "another key" attest verify "$work/mail.attestation" --certificate "$work/ssh.csr"
refused 5 "another key" attest verify "$work/a" --certificate "$work/other.pem"
pass "a request is compared with the attested key"

c attest challenge "$work/a" --out "$work/credential" --keep "$work/kept" || fail "a challenge"
c tpm activate laptop "$work/credential" --out "$work/answer" || fail "answering the challenge"
c attest verify "$work/a" --nonce "$nonce" --ca "$work/roots.pem" --challenge "$work/kept" --answer "$work/answer" \
  --certificate "$work/ssh.csr" --json | jq -e '.endorsed and .fresh and .attestation_key_in_tpm and .certificate' \
  >/dev/null || fail "the answered challenge is not accepted"
tr '0-9a-f' '1-9a-f0' <"$work/answer" >"$work/wrong"
refused 5 "answer to the challenge is wrong" attest verify "$work/a" --challenge "$work/kept" --answer "$work/wrong"
refused 2 "go together" attest verify "$work/a" --challenge "$work/kept"
c attest challenge "$work/mail.attestation" --out "$work/credential2" --keep "$work/kept2" || fail "a second challenge"
refused 5 "" attest verify "$work/a" --challenge "$work/kept2" --answer "$work/answer"
c tpm create --label second --pin-file "$work/pin" --json >/dev/null || fail "a second card"
refused 1 "not for this TPM and this card" tpm activate second "$work/credential"
pass "one TPM answers the challenge for one card"

if command -v tpm2_print >/dev/null; then
  base() { jq -r ".$1" "$2" | base64 -d; }
  base attestation_key "$work/a" >"$work/ak.pub"
  base endorsement_key "$work/a" >"$work/ek.pub"
  base key "$work/a" >"$work/key.pub"
  for file in ak ek key; do
    with_timeout 20 tpm2_print -t TPM2B_PUBLIC "$work/$file.pub" >"$work/$file.print" 2>>"$work/tools.log" ||
      fail "tpm2_print does not read our $file"
  done
  name=$(jq -r .attestation_key_name <(c attest verify "$work/a" --json))
  # Their credential, our TPM.
  printf 'twelve bytes' >"$work/secret"
  with_timeout 20 tpm2_makecredential -T none -u "$work/ek.pub" -s "$work/secret" -n "$name" -o "$work/theirs" -G rsa \
    >>"$work/tools.log" 2>&1 || with_timeout 20 tpm2_makecredential -T none -e "$work/ek.pub" -s "$work/secret" -n "$name" \
    -o "$work/theirs" >>"$work/tools.log" 2>&1 || fail "tpm2_makecredential: $(tail -3 "$work/tools.log")"
  [ "$(c tpm activate laptop "$work/theirs")" = "$(od -An -tx1 -v "$work/secret" | tr -d ' \n')" ] ||
    fail "a credential of tpm2_makecredential is not answered"
  # Our credential, their answer, about a key that they made: the statement is put together from their pieces.
  export TPM2TOOLS_TCTI=$tcti
  t() { with_timeout 60 "$@" >>"$work/tools.log" 2>&1 || fail "$1: $(tail -3 "$work/tools.log")"; }
  t tpm2_createek -c "$work/ek.ctx" -G rsa -u "$work/ek2.pub"
  t tpm2_createak -C "$work/ek.ctx" -c "$work/ak.ctx" -G ecc -g sha256 -s ecdsa -u "$work/ak2.pub"
  tpm2_flushcontext -t >>"$work/tools.log" 2>&1
  t tpm2_createprimary -C o -c "$work/primary.ctx"
  t tpm2_create -C "$work/primary.ctx" -c "$work/key.ctx" -G ecc -u "$work/key2.pub"
  tpm2_flushcontext -t >>"$work/tools.log" 2>&1
  printf 'a nonce of theirs' >"$work/nonce2"
  if with_timeout 60 tpm2_certify -c "$work/key.ctx" -C "$work/ak.ctx" -g sha256 -o "$work/attest2" -s "$work/sig2" -f tss \
    >>"$work/tools.log" 2>&1; then
    jq -n --arg ek "$(base64 -w0 "$work/ek2.pub")" --arg ak "$(base64 -w0 "$work/ak2.pub")" \
      --arg key "$(base64 -w0 "$work/key2.pub")" --arg c "$(base64 -w0 "$work/attest2")" --arg s "$(base64 -w0 "$work/sig2")" \
      '{format: "cardea-attestation", version: 1, endorsement_key: $ek, attestation_key: $ak, key: $key,
        certification: $c, signature: $s}' >"$work/theirs.attestation"
    c attest verify "$work/theirs.attestation" >/dev/null || fail "a statement of tpm2_certify does not hold"
    c attest challenge "$work/theirs.attestation" --out "$work/ours" --keep "$work/ours.kept" || fail "a challenge for theirs"
    t tpm2_startauthsession --policy-session -S "$work/session.ctx"
    t tpm2_policysecret -S "$work/session.ctx" -c e
    tpm2_flushcontext -t >>"$work/tools.log" 2>&1
    t tpm2_activatecredential -c "$work/ak.ctx" -C "$work/ek.ctx" -i "$work/ours" -o "$work/their.secret" \
      -P "session:$work/session.ctx"
    t tpm2_flushcontext "$work/session.ctx"
    tpm2_flushcontext -t >>"$work/tools.log" 2>&1
    od -An -tx1 -v "$work/their.secret" | tr -d ' \n' >"$work/their.answer"
    c attest verify "$work/theirs.attestation" --challenge "$work/ours.kept" --answer "$work/their.answer" >/dev/null ||
      fail "their answer is not accepted"
    pass "tpm2-tools and ours understand each other both ways"
  else
    fail "tpm2_certify: $(tail -3 "$work/tools.log")"
  fi
fi

stop_tpm
rm -rf "$work/tpm/state"
start_tpm
refused 1 "" tpm activate laptop "$work/credential"
pass "another TPM does not answer"
done_ok
