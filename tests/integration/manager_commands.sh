#!/usr/bin/env bash
# What may be done with an issued credential (requirement L7), each by the command line: disabled and enabled, renewed,
# brought to a changed profile, given new secrets, replaced with a reason, cancelled, erased, and issued again.
. "$(dirname "$0")/manager_rig.sh"
begin_story piv jq

# Of Alice's first token, or of the one whose number is the second argument.
certificates() {
  as_admin manager cert list --person alice --state "$1" --json |
    jq -r --argjson token "${2:-$first_id}" '[.items[] | select(.token == $token)] | length'
}
token_state() { as_admin manager token show "$1" --json | jq -r .state; }
request_state() { as_admin request show "$request" --json | jq -r .state; }
# What the manager does alone is done soon.
done_soon() {
  local i
  for ((i = 0; i < 150; ++i)); do
    case "$(request_state)" in
      completed) return 0 ;;
      failed | rejected | cancelled) return 1 ;;
    esac
    sleep 0.2
  done
  return 1
}
# change KIND [OPTIONS...]: asked for about a token, and done by the manager alone.
change() { ask "$@" && done_soon; }
# profile FILTER: a new version of the profile, of its document changed by jq.
profile() {
  as_admin profile show "staff-$story_kind" --json | jq ".document | $1" >"$story/profile.json" &&
    as_admin profile change "staff-$story_kind" --file "$story/profile.json"
}
expect() { [ "$2" = "$3" ] || fail "$1: $2, not $3"; }

run administrator_token
printf '%08d\n' "$((30000000 + RANDOM * 2000 + RANDOM))" >"$story/pin"
run make_story_manager
run start_story_manager
run add_alice
run appoint
run hand_over first
run issue
first=$alice_token
first_id=$(as_admin manager token show "$first" --json | jq .id)
expect "live certificates" "$(certificates active)" 3
pass "issued"

run change disable --serial "$first"
expect "a disabled token" "$(token_state "$first")" disabled
expect "suspended certificates" "$(certificates suspended)" 3
if ask renew --serial "$first" >"$work/step.log" 2>&1; then fail "a disabled token is renewed"; fi
grep -qi 'the token is disabled' "$work/step.log" || fail "it is not said why"
run change enable --serial "$first"
expect "an enabled token" "$(token_state "$first")" issued
expect "live certificates" "$(certificates active)" 3
pass "disabled and enabled: its certificates suspended, and live again"

run renew
expect "renewed certificates" "$(certificates active)" 3
expect "superseded certificates" "$(certificates superseded)" 3
pass "renewed in place"

run profile '.certificates += [{"container": "card_authentication", "policy": "authentication", "algorithm": "ec:P-256"}]'
run ask update --serial "$first"
run collect
expect "certificates with one more" "$(certificates active)" 4
run profile '.certificates |= map(select(.container != "card_authentication"))'
run ask update --serial "$first"
run collect
expect "certificates with one less" "$(certificates active)" 3
as_admin manager cert list --person alice --state revoked --json |
  jq -e '[.items[] | .container] == ["card_authentication"]' >/dev/null || fail "what the profile no longer has is not revoked"
pass "updated: a certificate added that the profile has now, one removed that it has no longer"

run ask rotate --serial "$first"
run collect
expect "the version of its secrets" "$(as_admin manager token show "$first" --json | jq .secret_version)" 2
pass "given new secrets"

run ask renew --serial "$first"
run as_admin request cancel "$request"
expect "a request that was withdrawn" "$(request_state)" cancelled
if collect >"$work/step.log" 2>&1; then fail "what was withdrawn is collected"; fi
pass "a request withdrawn before it was collected"

if ask replace --serial "$first" --reason bored >"$work/step.log" 2>&1; then fail "'bored' is a reason"; fi
grep -q reason "$work/step.log" || fail "it is not said what is wrong with the reason"
run ask replace --serial "$first" --reason damaged
run as_operator rosa request approve "$request"
run as_operator ruth request approve "$request"
run hand_over second first
run collect
run find_token
second=$alice_token
[ "$second" != "$first" ] || fail "the replacement is the token that was replaced"
second_id=$(as_admin manager token show "$second" --json | jq .id)
expect "the replaced token" "$(token_state "$first")" cancelled
expect "its live certificates" "$(certificates active)" 0
expect "those of the replacement" "$(certificates active "$second_id")" 3
as_admin manager cert list --person alice --state revoked --json |
  jq -e --argjson token "$first_id" \
  '[.items[] | select(.token == $token and .container != "card_authentication") | .revocation_reason] | unique == ["superseded"]' \
  >/dev/null || fail "the reason did not get to the certificates"
pass "replaced because it was damaged: the new one works, the old one is cancelled and its certificates revoked for that"

run change cancel --serial "$second" --reason keyCompromise
expect "a cancelled token" "$(token_state "$second")" cancelled
as_admin manager cert list --person alice --state revoked --json |
  jq -e --argjson token "$second_id" \
  '[.items[] | select(.token == $token) | .revocation_reason] == ["keyCompromise", "keyCompromise", "keyCompromise"]' \
  >/dev/null || fail "the reason did not get to the certificates"
pass "cancelled with a reason: its certificates revoked"

run ask retire --serial "$second"
run collect
expect "a retired token" "$(token_state "$second")" retired
(alice_settings && "$cardea" object list --json) >"$work/card.json" 2>"$work/step.log" || fail "reading the erased card"
jq -e '[.objects[] | select(.class == "CKO_CERTIFICATE" or .class == "CKO_PRIVATE_KEY")] == []' "$work/card.json" >/dev/null ||
  fail "the card is not erased: $(cat "$work/card.json")"
run as_admin manager token restock "$second"
expect "a restocked token" "$(token_state "$second")" stock
pass "retired: erased, and back in stock"

run ask issue --profile "staff-$story_kind"
run as_operator rosa request approve "$request"
run as_operator ruth request approve "$request"
run collect
run find_token
expect "the number of a card that was erased" "$alice_token" "$second"
again_id=$(as_admin manager token show "$alice_token" --json | jq .id)
expect "a token that is issued again" "$(token_state "$alice_token")" issued
expect "its live certificates" "$(certificates active "$again_id")" 3
pass "issued again, with the factory's secrets and new ones after them"

run audit_is_intact
done_ok
