#!/usr/bin/env bash
# Every command's --json is one JSON object with the members that the man page names.
. "$(dirname "$0")/lib.sh"
command -v jq >/dev/null || { echo "skipped: jq reads the JSON"; exit 77; }

seen=""
# json WANTED FILTER COMMAND...: one object on one line that makes the jq filter true; WANTED is the exit status.
json() {
  local wanted=$1 filter=$2
  shift 2
  status "$wanted" "$cardea" "$@" --json
  [ "$(wc -l <"$work/out")" = 1 ] || fail "not one line: $*: $(cat "$work/out")"
  jq -e "type == \"object\" and ($filter)" "$work/out" >/dev/null || fail "$filter does not hold for $*: $(cat "$work/out")"
  seen+="|$*"
}
user=(--pin-file user.pin)

json 0 '.program == "cardea" and (.version | test("^[0-9]+[.][0-9]+[.][0-9]+$"))' --version
status 0 "$cardea" --json token list
jq -e '.tokens | length == 1' out >/dev/null || fail "--json before the command is not heard: $(cat out)"

json 0 '.tokens | length == 1 and (.[0].initialized | not)' token list
json 0 '.label == "demo" and .user_pin == "not set" and (.uri | startswith("pkcs11:"))' \
  token init --label demo --so-pin-file so.pin --no-user-pin
json 0 '.label == "demo" and .done' token pin set --so-pin-file so.pin --new-pin-file user.pin
json 0 '.done' token pin change "${user[@]}" --new-pin-file user.pin
json 0 '.done' token pin unlock --so-pin-file so.pin --new-pin-file user.pin
json 0 '.user_tries_left == 3 and .so_tries_left == 5 and (.mechanisms | length > 50)' token show
json 0 '.type == "rsa:2048" and .id == "01" and .class == "private"' key generate rsa:2048 --label rsa --id 01 "${user[@]}"
json 0 '.type == "aes:256" and .class == "secret-key"' key generate aes:256 --label aes --id 02 "${user[@]}"
json 0 '.keys | length == 3' key list "${user[@]}"
json 0 '.objects | length >= 3' object list "${user[@]}"
json 0 '.request_pem | startswith("-----BEGIN CERTIFICATE REQUEST")' cert request rsa --subject CN=rsa "${user[@]}"
jq -r .request_pem out >rsa.csr
openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -keyout ca.key -out ca.pem -subj /CN=ca 2>/dev/null
openssl x509 -req -in rsa.csr -CA ca.pem -CAkey ca.key -CAcreateserial -out rsa.pem 2>/dev/null
json 0 '.written and .id == "01"' cert write rsa.pem "${user[@]}"
json 0 '.certificates | length == 1 and .[0].subject == "CN=rsa"' cert list
json 0 '.pem | startswith("-----BEGIN CERTIFICATE")' cert export --id 01 --out exported.pem
openssl x509 -in exported.pem -noout || fail "--out beside --json wrote no certificate"
printf 'a letter\n' >letter
json 0 '.mechanism == "CKM_SHA256_RSA_PKCS" and (.signature_base64 | length > 300)' sign rsa --in letter "${user[@]}"
jq -r .signature_base64 out | base64 -d >rsa.sig
json 0 '.valid' verify rsa --in letter --signature rsa.sig
json 0 '.mechanism == "CKM_RSA_PKCS_OAEP" and .file == "sealed"' encrypt rsa --in letter --out sealed
json 0 '.bytes == 9 and (.plain_base64 | @base64d) == "a letter\n"' decrypt rsa --in sealed "${user[@]}"
json 0 '(.iv | length) == 24 and .cipher_base64' encrypt aes --in letter "${user[@]}"
json 0 '.bytes == 8 and (.random_hex | length) == 16' random 8
json 0 '.bytes == 9 and (.random_base64 | length) == 12' random 9 --format raw
json 0 '.bytes == 8 and .file == "seed"' random 8 --format raw --out seed
[ "$(stat -c %s:%a seed)" = 8:600 ] || fail "random --out wrote something else"
json 0 '.registered and .p11_kit_file' p11 register
json 0 '.registered | not' p11 register --undo
json 0 '.problems == 0 and (.findings | map(.severity, .subject, .finding, .next_step) | all(type == "string"))' doctor
json 0 '.keystore.retry_limit == 3 and .problems == []' config show
json 0 '.default | length > 100' config default
json 0 '.deleted_objects == 3' key delete --id 01 --with-certificates --yes "${user[@]}"
if command -v softhsm2-util >/dev/null; then
  mkdir soft
  echo "directories.tokendir = $work/soft" >softhsm2.conf
  export SOFTHSM2_CONF=$work/softhsm2.conf
  softhsm2-util --init-token --free --label soft --so-pin "$so_pin" --pin "$user_pin" >/dev/null
  json 0 '.label == "soft" and .skipped == []' token import-softhsm --from soft --so-pin-file so.pin "${user[@]}"
else
  echo "left out: token import-softhsm, which needs softhsm2-util"
  seen+="|token import-softhsm"
fi
printf '59203718\n' >phone.pin
chmod 600 phone.pin
json 0 '.done == "unblocked"' unblock --device demo --puk-file so.pin --new-pin-file phone.pin
json 0 '.deleted and .label == "demo"' token delete demo --yes

# Nothing was forgotten; agent and collect need a manager; the commands of cards need cards (card_commands.sh), those of the TPM one (tpm_cards.sh, tpm_attest.sh, tpm_import.sh, tpm_seal.sh).
"$cardea" help --options | grep -Ev '^((attest|card|tpm|manager|person|profile|request|job|ca|archive|audit|operator) |(agent|collect):|token (seal|unseal):)' | cut -d: -f1 | while IFS= read -r command; do
  [ "$command" = help ] || [[ "$seen" == *"|$command"* ]] || fail "no test of: $command --json"
done
