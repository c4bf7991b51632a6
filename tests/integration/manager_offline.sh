#!/usr/bin/env bash
# A blocked PIN, a person without a way to the manager, and an operator on the phone, on a card of the kind $1: what is read
# out is typed wrongly once and costs no try, then rightly. A PUK that was told is another one after the next contact.
. "$(dirname "$0")/manager_rig.sh"
begin_story "${1:?}" jq python3
phone=$work/phone
mkdir "$phone"
person_id=
pre_cleanup() {
  [ -z "$person_id" ] || end_process "$person_id"
  end_story
}
as_alice() { (alice_settings && with_timeout 120 "$@") </dev/null; }

# Wrong PINs by pkcs11-tool until the card is locked, since `cardea` does not give the last try away.
lock_pin() {
  local i
  for i in {1..16}; do
    as_alice pkcs11-tool --module "$module" --login --pin 00000000 --list-objects || true
    as_alice "$cardea" token list --json >"$work/tokens.json" || return
    ! grep -q '"user_pin":"locked"' "$work/tokens.json" || return 0
  done
  return 1
}
pin_works() {
  as_alice "$cardea" object list --login --pin-file "$story/pin" --json >"$work/objects.json" &&
    grep -q private "$work/objects.json"
}
# What the card says of the tries for its PIN and PUK.
tries() { as_alice "$cardea" card info --json | jq -cS '[.. | objects | select(has("tries_left"))]'; }
# sent CODE: how many commands with this instruction code the card got since its log was cleared.
sent() { card first log | jq --arg code "$1" '[.log[].command | select(.[2:4] | ascii_downcase == $code)] | length'; }
puk_version() { as_admin manager token show "$alice_token" --json | jq .puk_version; }

# The operator hears the challenge (if there is one) and reads out what the manager says; sets $told.
operator_answers() {
  local i challenge
  for ((i = 0; i < 600; ++i)); do
    [ ! -e "$phone/asked" ] || break
    kill -0 "$person_id" 2>/dev/null || return 1
    sleep 0.1
  done
  challenge=$(cat "$phone/asked") || return
  if [ "$story_kind" = gids ]; then [ -n "$challenge" ] || return; fi
  as_admin manager token unblock "$alice_token" ${challenge:+--challenge "$challenge"} --json >"$work/told.json" &&
    told=$(jq -r .answer "$work/told.json") && printf '%s\n' "$told" >"$phone/answer.new" &&
    mv "$phone/answer.new" "$phone/answer"
}

# call END: `cardea unblock` with the operator on the phone; $phone/screen is what the person saw.
call() {
  local status=0
  rm -f "$phone/asked" "$phone/answer"
  card first log clear >/dev/null
  (alice_settings && exec timeout --kill-after=5 120 python3 "$here/telephone.py" "$phone" "$1" \
    "$cardea" unblock --device "$story_kind" --new-pin-file "$story/pin") >"$phone/screen" 2>"$work/phone.log" </dev/null &
  person_id=$!
  operator_answers || fail "the operator has no answer"
  wait "$person_id" || status=$?
  person_id=
  return "$status"
}

start_manager_for_alice
run hand_over first
run issue
run pin_works
run lock_pin
if pin_works >/dev/null 2>&1; then fail "the PIN is not blocked"; fi
printf '%08d\n' "$((20000000 + RANDOM * 2000 + RANDOM))" >"$story/pin"
version=$(puk_version)
before=$(tries)
[ "$before" != "[]" ] || fail "the card says nothing of its tries"

if call hang-up; then fail "a call that ended unblocked the card"; fi
[ "$(sent 2c)" = 0 ] || fail "a slip was sent to the card"
authentications=$(sent 87)
[ "$(tries)" = "$before" ] || fail "a slip cost a try: $before before, $(tries) after"
pass "what was misheard is not sent to the card"

call right || fail "the card is not unblocked: $(cat "$phone/screen" "$work/phone.log")"
grep -Eq '^([0-9A-HJKMNP-TV-Z]{5}-)+[0-9A-HJKMNP-TV-Z]{5}$' <<<"$told" || fail "what is read out is not in groups"
run pin_works
[ "$(sent 2c)" = 1 ] || fail "the card was told more than the right code"
# On GIDS cards the answer is one command more than a call that ended before it; PIV cards take the PUK alone.
[ "$(sent 87)" = "$((authentications + $([ "$story_kind" = gids ] && echo 1 || echo 0)))" ] ||
  fail "another answer than the right one was sent to the card"
pass "the PIN is set anew with what the operator read out"

as_admin audit search --json >"$work/audit.json"
! grep -qF "$told" "$work/audit.json" "$story/manager.log" || fail "what was read out is in the log"
if [ "$story_kind" = gids ]; then
  # An answer fits one challenge, so nothing has to be replaced.
  jq -e '(.is_puk | not) and .rotate == null' "$work/told.json" >/dev/null || fail "the answer is taken for a PUK"
  run audit_is_intact
  done_ok
fi

! grep -qF "$told" "$phone/screen" || fail "the unblock code is shown while it is typed"
request=$(jq -r .rotate "$work/told.json")
[ "$(puk_version)" = "$version" ] || fail "the PUK's version changed before the card was there"
as_alice "$cardea" agent --server "$server_url" --ca "$story/manager/ca.pem" --device "$story_kind" --interval 1 --once \
  --pin-file "$story/pin" >"$work/agent.log" 2>&1 || fail "the agent does not replace the PUK"
[ "$(as_admin request list --json | jq -r '[.items[] | select(.kind == "rotate") | .state] | unique | join(" ")')" = \
  completed ] || fail "the PUK waits for its replacement"
[ "$(puk_version)" -gt "$version" ] || fail "the PUK's version is the old one"
pass "the agent has the PUK replaced at the next contact, without a code"

printf '%s\n' "$told" >"$work/old-code"
printf '11223347\n' >"$work/other-pin"
if as_alice "$cardea" unblock --device piv --puk-file "$work/old-code" --new-pin-file "$work/other-pin" \
  >"$work/step.log" 2>&1; then fail "the PUK that was told still works"; fi
grep -qi "puk\|incorrect\|wrong" "$work/step.log" || fail "it is not said why: $(cat "$work/step.log")"
run pin_works
as_admin manager token unblock "$alice_token" --json | jq -r .answer >"$work/new-code"
cp "$work/other-pin" "$story/pin"
run as_alice "$cardea" unblock --device piv --puk-file "$work/new-code" --new-pin-file "$story/pin"
run pin_works
run audit_is_intact
pass "the old PUK opens nothing any more, the new one does"
done_ok
