#!/usr/bin/env bash
# Identities that somebody else made: taken in from PKCS#12 files of OpenSSL, refused in words where they cannot be, put
# onto a PIV card by a recovery that two operators approve, and given back as files. Mail encrypted to them opens.
. "$(dirname "$0")/manager_rig.sh"
begin_story piv jq certutil modutil cmsutil
made=$work/made
mkdir "$made"
password=correct-horse-battery
printf '%s\n' "$password" >"$made/password"

elsewhere() {
  openssl req -x509 -newkey rsa:2048 -nodes -keyout "$made/ca.key" -out "$made/ca.pem" -days 30 -subj '/CN=Elsewhere CA' \
    -addext basicConstraints=critical,CA:TRUE
}
# make NAME KEY USAGE [OPTIONS OF openssl pkcs12 -export]: $made/NAME.p12
make() {
  local name=$1 key=$2 usage=$3
  shift 3
  openssl genpkey -algorithm "${key%%:*}" -pkeyopt "${key#*:}" -out "$made/$name.key" &&
    openssl req -new -key "$made/$name.key" -subj "/CN=Alice Archer/OU=$name" -out "$made/$name.csr" &&
    { [ -z "$usage" ] || printf 'keyUsage = critical,%s\n' "$usage"
      printf 'subjectAltName = email:alice@example.test\n'; } >"$made/$name.ext" &&
    openssl x509 -req -in "$made/$name.csr" -CA "$made/ca.pem" -CAkey "$made/ca.key" -days 20 -extfile "$made/$name.ext" \
      -out "$made/$name.pem" &&
    pack "$name" "$@"
}
# pack NAME [OPTIONS]: the key and certificate of that name anew.
pack() {
  local name=$1
  shift
  openssl pkcs12 -export -inkey "$made/$name.key" -in "$made/$name.pem" -certfile "$made/ca.pem" -name "$name" \
    -passout "file:$made/password" -out "$made/$name.p12" "$@"
}
import() {
  local name=$1
  shift
  as_admin archive import "$made/$name.p12" --person alice --password-file "$made/password" "$@"
}
# refused WORDS COMMAND...: it fails and says so, and the archive is as it was.
refused() {
  local words=$1 before
  shift
  before=$(archived)
  if "$@" >"$work/step.log" 2>&1 </dev/null; then fail "not refused: $*"; fi
  grep -q -- "$words" "$work/step.log" || fail "it is not said why ($words): $*"
  [ "$(archived)" = "$before" ] || fail "what was refused is in the archive: $*"
}
archived() { as_admin archive list --json | jq '.items | length'; }

run administrator_token
printf '%08d\n' "$((30000000 + RANDOM * 2000 + RANDOM))" >"$story/pin"
run make_story_manager
run start_story_manager
run add_alice
run hand_over first
run issue
run appoint
[ "$(archived)" = 1 ] || fail "the issued card has no archived key"

run elsewhere
run make mail RSA:rsa_keygen_bits:2048 keyEncipherment
run make agreed EC:ec_paramgen_curve:P-256 keyAgreement -keypbe PBE-SHA1-3DES -certpbe PBE-SHA1-3DES -macalg sha1
run make anything RSA:rsa_keygen_bits:2048 ''
cp "$made/mail.pem" "$story/encryptionmail.pem"
printf 'Content-Type: text/plain\r\n\r\nMail to Alice, sent elsewhere.\r\n' >"$story/mailmail.txt"
run openssl cms -encrypt -binary -aes-256-cbc -in "$story/mailmail.txt" -outform DER -out "$story/mailmail.p7" "$made/mail.pem"

import mail --json >"$work/mail.json" 2>"$work/step.log" || fail "a key for mail"
jq -e '.key.certificate == .certificate.id and .certificate.ca == null and .certificate.state == "active" and
  .certificate.issuer == "CN=Elsewhere CA"' "$work/mail.json" >/dev/null || fail "what was imported: $(cat "$work/mail.json")"
run import agreed
run import anything
[ "$(archived)" = 4 ] || fail "the archive lacks what was imported"
as_admin audit search --action key_imported --json | jq -e '.items | length == 3' >/dev/null ||
  fail "the audit log does not tell of the imports"
pass "RSA and ECDH keys are taken in, from files with AES and 3DES"

refused 'is this very one' import mail
certificate=$(jq .certificate.id "$work/mail.json")
refused 'made elsewhere; its issuer revokes it' as_admin manager cert revoke "$certificate" --reason superseded
refused 'made elsewhere; its issuer revokes it' as_admin manager cert suspend "$certificate"
refused '3 of [0-9]* certificates are as they were' as_admin manager cert bulk suspend --person alice
grep 'made elsewhere; its issuer revokes it' "$work/step.log" >/dev/null || fail "it is not said which and why"
run as_admin manager cert bulk unsuspend --person alice
pass "the same certificate is a conflict, and its issuer alone revokes it"

run make signer RSA:rsa_keygen_bits:2048 digitalSignature,nonRepudiation
refused 'for signatures only' import signer
run openssl genpkey -algorithm ED25519 -out "$made/edwards.key"
run openssl req -x509 -new -key "$made/edwards.key" -subj /CN=edwards -days 5 -out "$made/edwards.pem" \
  -addext basicConstraints=CA:FALSE
run pack edwards
refused 'for decryption keys' import edwards
run make stranger RSA:rsa_keygen_bits:2048 keyEncipherment
printf 'wrong\n' >"$made/wrong"
refused 'password.* is wrong' as_admin archive import "$made/stranger.p12" --person alice --password-file "$made/wrong"
printf '#!/bin/sh\nexec setsid --wait "%s" "$@"\n' "$cardea" >"$work/detached"
chmod 700 "$work/detached"
cardea=$work/detached refused 'Give it with --password-file' as_admin archive import "$made/stranger.p12" --person alice
refused 'no such person' as_admin archive import "$made/stranger.p12" --person 4711 --password-file "$made/password"
refused 'no certificate policy' import stranger --policy nowhere
refused 'right' as_operator rosa archive import "$made/stranger.p12" --person alice --password-file "$made/password"
cp "$made/mail.pem" "$made/junk.p12"
refused 'no PKCS#12 file' import junk
refused 'command line is refused' as_admin archive import "$made/stranger.p12" --person alice --password="$password"
run pack stranger -keypbe AES-256-CBC -certpbe NONE -iter 4000001 -nomaciter
refused 'rounds of key derivation' import stranger
run openssl pkcs12 -export -inkey "$made/mail.key" -in "$made/ca.pem" -nocerts -passout "file:$made/password" -out "$made/bare.p12"
refused 'holds no certificate' import bare
if pack stranger -legacy >"$work/step.log" 2>&1; then
  refused 'RC2.*write it anew with AES' import stranger
else
  echo "left out: OpenSSL's legacy provider is not there to write a file with RC2"
fi
pass "what cannot be taken in is refused in words, and nothing is kept of it"

run as_admin audit export --out "$work/audit.jsonl"
for log in "$story/manager.log" "$work/audit.jsonl"; do
  if grep -F -- "$password" "$log" >/dev/null; then fail "$log tells a password"; fi
done
pass "the password stands in no log"

# The interface: an idempotency key makes one import of two, with the same answer.
run make again RSA:rsa_keygen_bits:2048 keyEncipherment,dataEncipherment
person=$(as_admin person list --json | jq '.items[] | select(.name == "alice") | .id')
jq -n --arg password "$password" --arg file "$(base64 -w 0 "$made/again.p12")" --argjson person "$person" \
  '{person: $person, pkcs12: $file, password: $password}' >"$work/again.json"
run as_admin operator add clerk --role elevated --scope all
run as_admin operator access-token create clerk --name import --out "$story/clerk.token"
for number in 1 2; do
  curl -sS --noproxy '*' --max-time 60 --cacert "$story/manager/ca.pem" -D "$work/headers$number" \
    -H "Authorization: Bearer $(cat "$story/clerk.token")" -H 'Content-Type: application/json' -H 'Idempotency-Key: once' \
    --data-binary @"$work/again.json" "$server_url/v1/archived-keys" >"$work/answer$number" 2>"$work/step.log" ||
    fail "asking the interface"
done
cmp "$work/answer1" "$work/answer2" || fail "the repeated answer is another"
for header in Location ETag; do
  first=$(grep -i "^$header:" "$work/headers1") && [ "$first" = "$(grep -i "^$header:" "$work/headers2")" ] ||
    fail "the repeated answer has another $header"
done
grep -qi '^Idempotent-Replayed: true' "$work/headers2" || fail "the answer was not repeated"
pass "a repeated import is answered as the first"

# Onto the card, by two operators.
printf '{"to": "token", "keys": "all"}' >"$work/onto.json"
run ask recover --serial "$alice_token" --parameters "$work/onto.json"
refused . as_admin request code "$request"
run as_operator rosa request approve "$request"
run as_operator ruth request approve "$request"
run collect
(alice_settings && "$cardea" object list --json --login --pin-file "$story/pin") >"$work/objects.json" 2>"$work/step.log" ||
  fail "reading the card"
jq -e '[.objects[] | select(.class == "CKO_PRIVATE_KEY" and (.label | startswith("Retired"))) | .type] | sort ==
  ["ec:P-256", "rsa:2048", "rsa:2048", "rsa:2048"]' "$work/objects.json" >/dev/null || fail "the card lacks the imported keys"
run open_mail mail
pass "a recovery that two operators approved puts them onto the card, and NSS opens mail encrypted to one"

# And as files.
printf '{"to": "pkcs12", "keys": "all"}' >"$work/file.json"
run ask recover --parameters "$work/file.json"
run as_operator rosa request approve "$request"
run as_operator ruth request approve "$request"
refused 'a folder that exists' as_operator rosa archive recover "$request" --directory "$work/recovered"
mkdir "$work/recovered"
as_operator rosa archive recover "$request" --directory "$work/recovered" >"$work/files" 2>"$work/step.log" || fail "recovery"
opened=
while read -r file _ word; do
  openssl pkcs12 -in "$file" -passin "pass:$word" -nodes -out "$work/back.pem" 2>/dev/null || fail "$file does not open"
  if openssl cms -decrypt -binary -inform DER -in "$story/mailmail.p7" -recip "$work/back.pem" -out "$work/mail.read" \
    2>/dev/null && cmp "$work/mail.read" "$story/mailmail.txt"; then
    opened=1
  fi
done <"$work/files"
[ -n "$opened" ] || fail "no recovered file opens the mail"
ls "$work/recovered" >"$work/names"
! grep >/dev/null -v "^$request-0[1-9]-" "$work/names" || fail "another recovery would overwrite $(cat "$work/names")"
pass "recovered as PKCS#12 they open it too"

run audit_is_intact
done_ok
