#!/usr/bin/env bash
# A decryption key that was recovered elsewhere comes into a virtual card wrapped, and decrypts old mail there.
. "$(dirname "$0")/lib.sh"
. "$(dirname "$0")/tpm_lib.sh"
. "$(dirname "$0")/openssl_lib.sh"
begin_tpm openssl jq
cardea=${CARDEA_COMMAND:?CARDEA_COMMAND names the program}
c() { with_timeout 60 "$cardea" "$@" 2>>"$work/cardea.log"; }
start_tpm
tpm_settings
umask 077
pin=123456
printf '%s\n' "$pin" >"$work/pin"

# The other machine: no TPM, and a key whose old mail is to be read.
elsewhere() { env CARDEA_HOME="$work/elsewhere" CARDEA_CONF=/dev/null CARDEA_MODULE=/nonexistent "$cardea" "$@" 2>>"$work/cardea.log"; }
mkdir "$work/elsewhere"
openssl req -x509 -newkey rsa:2048 -nodes -keyout "$work/old.key" -out "$work/old.pem" -subj /CN=old -days 2 \
  2>>"$work/openssl.log" || fail "an old key"
printf 'what was written long ago' >"$work/mail"
openssl cms -encrypt -aes-256-cbc -in "$work/mail" -out "$work/mail.cms" -outform DER "$work/old.pem" 2>>"$work/openssl.log" ||
  fail "old mail"
openssl genpkey -algorithm EC -pkeyopt ec_paramgen_curve:P-256 -out "$work/ec.key" 2>>"$work/openssl.log"

c tpm create --label laptop --pin-file "$work/pin" --json >/dev/null || fail "making a card"
c tpm create --label second --pin-file "$work/pin" --json >/dev/null || fail "a second card"
c tpm parent laptop --out "$work/parent" || fail "the storage key"
if command -v tpm2_print >/dev/null; then
  with_timeout 20 tpm2_print -t TPM2B_PUBLIC "$work/parent" | grep >/dev/null 'fixedtpm.*restricted\|restricted' ||
    fail "tpm2_print does not read our storage key"
fi
elsewhere tpm wrap --parent "$work/parent" --key "$work/old.key" --out "$work/wrapped" || fail "wrapping"
[ "$(stat -c %a "$work/wrapped")" = 600 ] || fail "others can read the wrapped key"
c tpm import laptop "$work/wrapped" --label old-mail --id 0102 --pin-file "$work/pin" >/dev/null || fail "taking the key in"
engine_settings
with_timeout 60 openssl cms -decrypt -engine pkcs11 -keyform engine -inkey "pkcs11:token=laptop;object=old-mail;type=private" \
  -recip "$work/old.pem" -inform DER -in "$work/mail.cms" -out "$work/opened" >>"$work/openssl.log" 2>&1 ||
  fail "the card does not decrypt old mail"
unset OPENSSL_CONF
cmp -s "$work/mail" "$work/opened" || fail "the mail is another one"
pass "a wrapped key decrypts mail in the card"

elsewhere tpm wrap --parent "$work/parent" --key "$work/ec.key" --out "$work/wrapped-ec" --transport-key "$work/transport" ||
  fail "wrapping with the transport key apart"
! jq -e .inner_key "$work/wrapped-ec" >/dev/null || fail "the transport key is in the file"
! c tpm import laptop "$work/wrapped-ec" --label ec --pin-file "$work/pin" >/dev/null || fail "no transport key is needed"
tr '0-9a-f' '1-9a-f0' <"$work/transport" >"$work/wrong"
! c tpm import laptop "$work/wrapped-ec" --label ec --transport-key "$work/wrong" --pin-file "$work/pin" >/dev/null ||
  fail "a wrong transport key will do"
c tpm import laptop "$work/wrapped-ec" --label ec --transport-key "$work/transport" --pin-file "$work/pin" >/dev/null ||
  fail "taking in with the transport key"
printf 'a message' >"$work/message"
c sign ec --token laptop --pin-file "$work/pin" --in "$work/message" --out "$work/signature" || fail "signing with the key"
c verify ec --token laptop --in "$work/message" --signature "$work/signature" >/dev/null || fail "verifying"
pass "the inner wrapper's key may travel another way"

! c tpm import second "$work/wrapped" --pin-file "$work/pin" >/dev/null || fail "another card takes the key"
! c tpm attest laptop old-mail --pin-file "$work/pin" --out "$work/statement" >/dev/null ||
  ! c attest verify "$work/statement" >/dev/null || fail "the TPM vouches for a key that was made elsewhere"
! c tpm import laptop "$work/mail" --pin-file "$work/pin" >/dev/null || fail "something else is taken in"
! elsewhere tpm wrap --parent "$work/old.pem" --key "$work/old.key" --out "$work/no" || fail "it wraps for no storage key"
jq '.duplicate = .encrypted_seed' "$work/wrapped" >"$work/damaged"
! c tpm import laptop "$work/damaged" --pin-file "$work/pin" >/dev/null || fail "a damaged key is taken in"
[ "$(c tpm show laptop --json | jq .keys)" = 2 ] || fail "something of a refused key is left"
pass "other cards, TPMs and files are refused"
done_ok
