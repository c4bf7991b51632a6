#!/usr/bin/env bash
# A profile demands that tokens attest their keys: a PIV card and a TPM whose makers are trusted get their certificates,
# and the finding is shown; a keystore, and a card and a TPM of somebody else, are refused before anything is issued.
. "$(dirname "$0")/manager_rig.sh"
begin_story "${1:?}" jq

# A maker's authority and a TPM with its certificate, by swtpm's own tools: make_endorsed_tpm NAME.
make_endorsed_tpm() {
  command -v swtpm_setup >/dev/null && command -v swtpm_localca >/dev/null || skip "swtpm-tools is not installed"
  rm -rf "$work/tpm/state"
  mkdir -p "$work/$1" "$work/tpm/state"
  printf '%s\n' "statedir = $work/$1" "signingkey = $work/$1/signkey.pem" "issuercert = $work/$1/issuercert.pem" \
    "certserial = $work/$1/certserial" >"$work/$1.conf"
  printf '%s\n' "--platform-manufacturer Cardea" "--platform-version 1" "--platform-model test" >"$work/$1.options"
  printf '%s\n' "create_certs_tool = $(command -v swtpm_localca)" "create_certs_tool_config = $work/$1.conf" \
    "create_certs_tool_options = $work/$1.options" >"$work/$1.setup"
  XDG_CONFIG_HOME="$work" with_timeout 120 swtpm_setup --tpm2 --tpmstate "$work/tpm/state" --create-ek-cert \
    --config "$work/$1.setup" --lock-nvram --overwrite >>"$work/setup.log" 2>&1 ||
    fail "swtpm_setup: $(tail -3 "$work/setup.log")"
  cat "$work/$1/"*cert.pem >"$work/$1.pem"
}

# A token in hand whose maker's certificates are in $work/NAME.pem: hand NAME.
hand() {
  if [ "$story_kind" = tpm ]; then
    rm -rf "$story/alice"
    [ -z "$tpm_id" ] || stop_tpm
    make_endorsed_tpm "$1"
    start_tpm
    return
  fi
  new_card "$1" piv
  insert_card "$1"
  (alice_settings && "$cardea" card attest --place F9 --out "$work/$1.pem") >>"$work/setup.log" 2>&1 ||
    fail "reading the card's attesting certificate"
}
take_away() { if [ "$story_kind" = piv ]; then remove_card "$1"; fi; }

# A profile like the example, which demands attestation, and may go onto a keystore as far as it is concerned.
add_profile() {
  as_admin profile list --json | jq --arg n "staff-$story_kind" \
    '[.items[] | select(.name == $n)][0].document | .attestation = "required" | .device_kinds += ["keystore"] |
     .devices_per_person = 0 | .pin_policy = {"min_length": 8, "max_length": 8}' >"$story/demanding.json"
  as_admin profile add demanding --file "$story/demanding.json"
}

# As the story's; what the token attested has a serial number, too.
find_token() {
  alice_token=$(as_admin manager token list --state issued --json | jq -r '.items[0].serial') && [ -n "$alice_token" ]
}

# For somebody who has no former keys, which two operators would have to agree to.
ask_for_bob() {
  request=$(as_admin request create issue --person bob --profile demanding --json | value_of id) && [ -n "$request" ]
}

# refused KIND WORDS: an issuance onto that kind of token fails so, and nothing was issued.
refused() {
  run ask_for_bob
  if (story_kind=$1; collect) >"$work/step.log" 2>&1; then fail "$1 was accepted"; fi
  grep -q -- "$2" "$work/step.log" || fail "$1 is not refused with '$2'"
  as_admin manager cert list --person bob --json | jq -e '.items == []' >/dev/null || fail "something was issued to $1"
}

run administrator_token
printf '%08d\n' "$((30000000 + RANDOM * 2000 + RANDOM))" >"$story/pin"
hand genuine
run make_story_manager
case "$story_kind" in
  piv) sed -i "s|^# piv_roots = .*|piv_roots = [\"$work/genuine.pem\"]|" "$story/manager.toml" ;;
  tpm) sed -i "s|^# tpm_roots = .*|tpm_roots = [\"$work/genuine.pem\"]|" "$story/manager.toml" ;;
esac
run start_story_manager
run add_alice
run as_admin person add bob --display-name 'Bob Baker' --email bob@example.test
run add_profile

run ask issue --profile demanding
run collect
run find_token
pass "a token of a trusted maker is issued"

as_admin manager cert list --person alice --state active --json >"$story/certs.json"
for container in authentication signature; do
  id=$(jq --arg c "$container" '.items[] | select(.container == $c) | .id' "$story/certs.json")
  as_admin manager cert show "$id" --json >"$story/cert.json"
  jq -e --arg k "$story_kind" '.attestation.device | startswith($k + ":")' "$story/cert.json" >/dev/null ||
    fail "the certificate of $container does not show who attested it: $(cat "$story/cert.json")"
done
as_admin manager cert show "$id" >"$story/shown.txt"
grep -q "attestation:.*$story_kind:" "$story/shown.txt" || fail "people do not see it"
as_admin manager token show "$alice_token" --json |
  jq -e '.attestation | has("authentication") and has("signature")' \
  >/dev/null || fail "the token does not show what it attested"
pass "certificate and token show it"

run ask renew --serial "$alice_token"
run collect
as_admin manager cert list --person alice --state active --json |
  jq -e '[.items[] | select(.container == "authentication")][0].attestation.device' >/dev/null ||
  fail "the renewed certificate does not show it"
pass "a renewal attests the key again"

take_away genuine
refused keystore "trusts no maker of tokens of the kind keystore"
pass "a keystore is refused"
hand stranger
case "$story_kind" in
  piv) refused piv "not certified by a maker that is trusted" ;;
  tpm) refused tpm "not trusted" ;;
esac
pass "a token of an unknown maker is refused"

end_story
sed -i "s|genuine.pem|nothing.pem|" "$story/manager.toml"
if with_timeout 60 "$manager" check-config --config "$story/manager.toml" >"$work/step.log" 2>&1; then
  fail "roots that are not there are overlooked"
fi
grep -q "nothing.pem" "$work/step.log" || fail "the missing file is not named"
pass "check-config names roots that cannot be read"
done_ok
