#!/usr/bin/env bash
# A vendor's card: the example plug-in, loaded by the module from the folder that the settings name, and its virtual card
# behind a real pcscd.
. "$(dirname "$0")/lib.sh"
. "$(dirname "$0")/pcscd_lib.sh"
begin_cards
plugin=${CARDEA_SAMPLE_PLUGIN:?CARDEA_SAMPLE_PLUGIN names the example plug-in}

# Code is loaded only from where nobody else can write, which rules /tmp out.
plugins=$(mktemp -d "$(dirname "$plugin")/card-plugins.XXXXXX")
pre_cleanup() { rm -rf "$plugins"; }
cp "$plugin" "$plugins/"
folder=$plugins
while :; do
  case "$(stat -c '%u %A' "$folder")" in
    "$(id -u) "d????-??-? | "0 "d????-??-?) ;;
    *) skip "$folder can be written by others, and plug-ins are not loaded from such places" ;;
  esac
  [ "$folder" != / ] || break
  folder=$(dirname "$folder")
done
printf '[card]\nplugin_directory = "%s"\n' "$plugins" >"$work/cardea.toml"
export CARDEA_CONF=$work/cardea.toml

card_tool=(pkcs11-tool --module "$module")

start_pcscd
new_card sample sample
insert_card sample

test_description() {
  expect 'token label *: Sample card' "${card_tool[@]}" --list-token-slots
  expect 'token manufacturer *: Cardea' "${card_tool[@]}" --list-token-slots
  pass "the card of the plug-in is a token"
}

test_refused_folder() {
  chmod 777 "$plugins"
  expect 'can be written by others' "${card_tool[@]}" --list-token-slots
  chmod 755 "$plugins"
  pass "a folder that others can write to is refused in words"
}

test_wrong_pin() {
  ! with_timeout 60 "${card_tool[@]}" --login --pin 000000 --list-objects >"$work/wrong.log" 2>&1 || fail "a wrong PIN logs in"
  grep -q CKR_PIN_INCORRECT "$work/wrong.log" || fail "a wrong PIN is something else than CKR_PIN_INCORRECT"
  with_timeout 60 "${card_tool[@]}" --login --pin 123456 --list-objects >"$work/right.log" 2>&1 || fail "the right PIN does not log in"
  pass "wrong PINs are wrong, and the right one is right"
}

test_key() {
  with_timeout 60 "${card_tool[@]}" --login --pin 123456 --keypairgen --key-type EC:prime256v1 --id 00 --label made \
    >"$work/key.log" 2>&1 || fail "no key is made on the card"
  printf 'a message\n' | openssl dgst -sha256 -binary >"$work/digest"
  with_timeout 60 "${card_tool[@]}" --login --pin 123456 --sign --mechanism ECDSA --signature-format openssl --id 00 \
    --input-file "$work/digest" --output-file "$work/signature" >>"$work/key.log" 2>&1 || fail "the key does not sign"
  with_timeout 60 "${card_tool[@]}" --read-object --type pubkey --id 00 --output-file "$work/key.der" \
    >>"$work/key.log" 2>&1 || fail "the public key cannot be read"
  expect 'Verified Successfully' openssl pkeyutl -verify -pubin -keyform DER -inkey "$work/key.der" \
    -in "$work/digest" -sigfile "$work/signature"
  pass "a key made on the card signs, and OpenSSL verifies"
}

test_description
test_refused_folder
test_wrong_pin
test_key
done_ok
