#!/usr/bin/env bash
# An agent that stays: it notices that a renewal waits for the token at hand, proves that it can use the token's key and
# carries the renewal out without a code; killed in the middle it goes on; asked for what needs a code it does nothing.
. "$(dirname "$0")/manager_rig.sh"
begin_story "${1:?}" jq
[ "$story_kind" != tpm ] || start_tpm
agent_id=
pre_cleanup() {
  [ -z "$agent_id" ] || end_process "$agent_id"
  end_story
}

agent_options() {
  printf '%s\n' --server "$server_url" --ca "$story/manager/ca.pem" --device "$story_kind" --interval 1 --again 2
}
# once [OPTIONS...]: one round, as Alice.
once() {
  local options
  mapfile -t options < <(agent_options)
  (alice_settings && timeout 120 "$cardea" agent "${options[@]}" --once "$@") </dev/null
}
start_agent() {
  local options
  mapfile -t options < <(agent_options)
  : >"$work/agent.log"
  (alice_settings && exec timeout --kill-after=5 200 "$cardea" agent "${options[@]}" --pin-file "$story/pin") \
    >>"$work/agent.log" 2>&1 </dev/null &
  agent_id=$!
}
# The child of `timeout`.
agent_process() { awk '{print $1}' "/proc/$agent_id/task/$agent_id/children" 2>/dev/null; }

# wait_until SECONDS COMMAND...
wait_until() {
  local i count=$(($1 * 5))
  shift
  for ((i = 0; i < count; ++i)); do
    if "$@"; then return 0; fi
    sleep 0.2
  done
  return 1
}
state_of() { as_admin request show "$1" --json | value_of state; }
is_completed() { [ "$(state_of "$request")" = completed ]; }
active() {
  as_admin manager cert list --person alice --state active --json |
    jq -r --arg c authentication '.items[] | select(.container == $c) | .serial'
}

start_manager_for_alice
run hand_over first
run issue
first=$(active)
[ -n "$first" ] || fail "no certificate was issued"

once --pin-file "$story/pin" >"$work/once.log" 2>&1 || fail "an agent with nothing to do"
[ ! -s "$work/once.log" ] || fail "an agent with nothing to do says: $(cat "$work/once.log")"
pass "nothing waits, nothing is done"

run ask renew --serial "$alice_token"
mapfile -t options < <(agent_options)
# In a session of its own it has no terminal to ask on.
if (alice_settings && timeout 60 setsid -w "$cardea" agent "${options[@]}" --once) >"$work/once.log" 2>&1 </dev/null; then
  fail "an agent without a PIN says that all is done"
fi
grep -q "A PIN is needed" "$work/once.log" || fail "nobody is told that a PIN is needed: $(cat "$work/once.log")"
[ "$(state_of "$request")" = approved ] || fail "the renewal was begun without a PIN"
pass "without a PIN the person is told, and the renewal waits"

start_agent
wait_until 60 is_completed || { cp "$work/agent.log" "$work/step.log"; fail "the renewal is not carried out"; }
second=$(active)
[ "$second" != "$first" ] || fail "the certificate is the old one"
as_admin manager cert list --person alice --json | jq -e --arg s "$first" \
  '.items[] | select(.serial == $s and .state == "superseded")' >/dev/null || fail "the old certificate is not superseded"
pass "the agent noticed the renewal and carried it out in place"

# What takes a code is left alone, whatever waits.
run ask replace --serial "$alice_token" --reason damaged
replacement=$request
sleep 5
[ "$(state_of "$replacement")" != collecting ] || fail "the agent took a replacement"
run as_admin request cancel "$replacement"
pass "what needs a code is left alone"

kill -TERM "$(agent_process)"
wait "$agent_id" || fail "the agent does not end well: $(tail -3 "$work/agent.log")"
agent_id=
pass "SIGTERM ends it"

cut=
for attempt in 1 2 3; do
  run ask renew --serial "$alice_token"
  start_agent
  wait_until 60 grep -q '\[3/' "$work/agent.log" || fail "the agent does not begin the renewal"
  kill -9 "$(agent_process)"
  wait "$agent_id" 2>/dev/null || true
  agent_id=
  if ! is_completed; then
    cut=1
    break
  fi
done
[ -n "$cut" ] || fail "the agent was never cut off in the middle"
[ "$(state_of "$request")" = collecting ] || fail "what was begun is not waiting"
start_agent
wait_until 60 is_completed || fail "the renewal does not go on: $(cat "$work/agent.log")"
kill -TERM "$(agent_process)"
wait "$agent_id" || fail "the agent does not end well"
agent_id=
[ "$(active)" != "$second" ] || fail "the certificate was not renewed"
as_admin audit search --action contact_session --json | jq -e '.items | length >= 2' >/dev/null ||
  fail "the audit log does not tell of the sessions"
run audit_is_intact
pass "killed in the middle it goes on where it stopped"

# A token with one certificate, whose renewal makes a fresh key: between the key and its certificate the token can prove
# nothing, and the agent that was killed there goes on all the same.
badge_profile() {
  as_admin profile list --json | jq --arg n "staff-$story_kind" '.items[] | select(.name == $n) | .document |
    .history_depth = 0 | .certificates |= [.[] | select(.container == "authentication") + {"renewal_key": "fresh"}]' >"$story/badge.json" &&
    as_admin profile add badge --file "$story/badge.json"
}
# Whether the renewal's key is made and its certificate not on the token: "key", "certificate", or "" before both.
reached() {
  as_admin job show "$(as_admin request show "$request" --json | value_of job)" --json | jq -r '[.steps[] | select(.state == "done") | .kind] |
    if any(. == "write_certificate") then "certificate" elif any(. == "generate_key") then "key" else "" end'
}
# killed_behind TEXT: kills the agent as soon as it says that it begins a step.
killed_behind() {
  local end=$((SECONDS + 60))
  run ask renew --serial "$alice_token"
  start_agent
  until grep -qF "$1" "$work/agent.log"; do
    [ "$SECONDS" -lt "$end" ] || fail "the agent does not come to '$1': $(cat "$work/agent.log")"
    sleep 0.01
  done
  kill -9 "$(agent_process)"
  wait "$agent_id" 2>/dev/null || true
  agent_id=
}
goes_on() {
  once --pin-file "$story/pin" >"$work/once.log" 2>&1 || fail "the agent does not go on: $(cat "$work/once.log")"
  is_completed || fail "the renewal is not done: $(cat "$work/once.log")"
}
run lose_token
run hand_over second first
run badge_profile
run ask issue --profile badge
run collect
run find_token
killed_behind "Generating a key"
goes_on
met=
for attempt in 1 2 3 4 5; do
  killed_behind "Signing the certificate request"
  [ "$(reached)" != key ] || met=1
  goes_on
  [ -z "$met" ] || break
done
[ -n "$met" ] || fail "the agent was never killed between a key and its certificate"
run audit_is_intact
pass "killed between a fresh key and its certificate it goes on without a code"

# The token is out of use: its certificates are on hold, and the agent gets nothing by them.
run ask disable --serial "$alice_token"
wait_until 60 eval '[ -z "$(active)" ]' || fail "the token is not disabled"
if once --pin-file "$story/pin" >"$work/once.log" 2>&1; then fail "a disabled token gets a contact"; fi
grep -q "not active" "$work/once.log" || fail "it is not said why: $(cat "$work/once.log")"
pass "a disabled token gets nothing"

# Without a terminal the last try is not made, whether the PIN in the file is the right one or not.
printf '00000000\n' >"$story/wrong" && chmod 600 "$story/wrong"
held_back() {
  ! (alice_settings && exec timeout 60 setsid -w "$cardea" agent "${options[@]}" --once --pin-file "$1") \
    >"$work/once.log" 2>&1 </dev/null && grep -q "was not used" "$work/once.log"
}
for attempt in {1..20}; do
  ! held_back "$story/wrong" || break
done
grep -q "was not used" "$work/once.log" || fail "wrong PINs from a file lock the token: $(cat "$work/once.log")"
held_back "$story/pin" || fail "the last try is made with a PIN from a file"
pass "the last try is not made with a PIN from a file"
done_ok
