#!/usr/bin/env bash
# The PC/SC layer against a real pcscd: it starts late, ends and starts again; cards come and go; two processes share a
# card; somebody holds it, or it falls silent. Driven through card_readers_probe.
. "$(dirname "$0")/lib.sh"
. "$(dirname "$0")/pcscd_lib.sh"
cardea=${CARDEA_COMMAND:?CARDEA_COMMAND names the program under test}
probe=${CARDEA_READER_PROBE:?CARDEA_READER_PROBE names the built probe}
cycles=${CARDEA_CARD_CYCLES:-100}
begin_cards
declare -A probe_in=() probe_out=()

# start_probe NAME: its standard input and output become ours by name.
start_probe() {
  local in out
  mkfifo "$work/$1.in" "$work/$1.out"
  "$probe" <"$work/$1.in" >"$work/$1.out" 2>>"$work/$1-probe.log" &
  daemons+=("$!")
  exec {in}>"$work/$1.in" {out}<"$work/$1.out"
  probe_in[$1]=$in probe_out[$1]=$out
}

tell() { printf '%s\n' "$2" >&"${probe_in[$1]}"; }

# answer NAME: its next line.
answer() {
  local line
  IFS= read -r -t 60 line <&"${probe_out[$1]}" || fail "probe $1 says nothing"
  printf '%s\n' "$line"
}

ask() { tell "$1" "$2"; answer "$1"; }

# readers NAME: what it lists, in one line.
readers() {
  local line all=
  tell "$1" list
  while line=$(answer "$1"); [ "$line" != end ]; do all+="$line;"; done
  printf '%s\n' "$all"
}

# soon PATTERN COMMAND...: whether the output matches within half a minute.
soon() {
  local pattern=$1 i output=
  shift
  for i in {1..300}; do
    output=$("$@") || true
    if grep -q -- "$pattern" <<<"$output"; then return 0; fi
    sleep 0.1
  done
  fail "$* does not come to «$pattern»: $output"
}

# outcome NAME WANTED: uses the card; the outcome is the wanted one, and came before what holds the card up was over.
# The bound is two seconds; a machine with other work to do gets twice that here, which is still less than a foreign
# transaction lasts.
outcome() {
  local line milliseconds
  line=$(ask "$1" use)
  milliseconds=${line##* }
  [[ ${line% *} == $2 ]] || fail "$1 gets «$line» instead of «$2»"
  [ "$milliseconds" -le 4000 ] || fail "$1: $line is the time it took in milliseconds"
}

test_service_starts_late() {
  export PCSCLITE_CSOCK_NAME=$work/pcsc/run/pcscd/pcscd.comm
  start_probe first
  [[ $(readers first) == "error "*"pcscd) is not running"* ]] || fail "a host without pcscd: $(readers first)"
  tell first listen
  start_pcscd
  soon '00 00: empty 0' readers first
  pass "readers are found when pcscd starts late"
}

test_insertions() {
  local i before after
  new_card card piv
  insert_card card
  soon ': card [1-9]' readers first
  outcome first 'ok reset'
  # Soon enough after the last use that pcscd cannot have powered the card down.
  soon '^ok undisturbed' ask first use
  for ((i = 0; i < cycles; ++i)); do
    before=$(ask first 'events 0')
    before=${before#events }
    card card remove >/dev/null
    after=$(ask first "events $((before + 1))")
    [ "${after#events }" -gt "$before" ] || fail "removal $i was not told"
    before=${after#events }
    card card insert >/dev/null
    after=$(ask first "events $((before + 1))")
    [ "${after#events }" -gt "$before" ] || fail "insertion $i was not told"
    soon ': card ' readers first
    outcome first 'ok reset'
  done
  pass "$cycles removals and insertions are told, and the card works after each"
}

test_removed_card() {
  card card remove >/dev/null
  soon '00 00: empty 0' readers first
  outcome first token_absent
  card card insert >/dev/null
  soon ': card ' readers first
  card card fault pull@1 >/dev/null
  outcome first device_removed
  soon '00 00: empty 0' readers first
  card card insert >/dev/null
  soon ': card ' readers first
  outcome first 'ok reset'
  pass "a card pulled during a command is removed, and works when it is back"
}

test_two_processes() {
  local i
  start_probe second
  soon ': card ' readers second
  for ((i = 0; i < 20; ++i)); do
    outcome first 'ok *'
    outcome second 'ok *'
  done
  [ "$(ask second 'hold 5')" = holding ] || fail "the second process does not get the card"
  outcome first timed_out
  outcome first timed_out
  [ "$(answer second)" = released ] || fail "the second process does not end its transaction"
  soon '^ok ' ask first use
  outcome second 'ok *'
  pass "two processes share a card, and a transaction of five seconds holds the other up for two"
}


test_nothing_is_held_at_rest() {
  local i
  for ((i = 0; i < 100; ++i)); do
    outcome first 'ok *'
    [ "$(ask second exclusive)" = ok ] || fail "a program that wants the card for itself does not get it in round $i"
  done
  pass "a program that wants the card for itself alone gets it right after we used it, 100 times"
}

test_doctor_names_who_keeps_the_card() {
  [ "$(ask second keep)" = keeping ] || fail "a program that wants the card for itself does not get it"
  "$cardea" doctor >"$work/doctor.txt" 2>&1 || true
  grep -q "reader .*: another program keeps the card for itself alone" "$work/doctor.txt" ||
    fail "doctor does not say that the card is kept: $(cat "$work/doctor.txt")"
  # The kernel cuts names at 15 characters.
  grep -q "these use cards now: .*card_readers_pr (process " "$work/doctor.txt" ||
    fail "doctor does not name who may keep it: $(cat "$work/doctor.txt")"
  [ "$(ask second release)" = ok ] || fail "the card is not given back"
  soon '^ok ' ask first use
  pass "doctor says that a program keeps the card for itself alone, and which may be the one"
}

test_fork() {
  local line i
  for ((i = 0; i < 10; ++i)); do
    outcome first 'ok *'
    line=$(ask first fork)
    [[ $line == "ok "* ]] || fail "the child gets «$line»"
    outcome first 'ok *'
  done
  pass "a child of a fork uses the card, and its parent goes on"
}

test_mute_card() {
  card card fault mute@1 >/dev/null
  outcome first timed_out
  outcome first 'timed_out'
  pass "a card that falls silent holds a caller up for two seconds"
}

test_service_hangs() {
  local id i
  id=$(pcscd_process)
  kill -STOP "$id"
  for i in 1 2 3; do outcome first '[a-z]*'; done
  kill -CONT "$id"
  soon '^ok ' ask first use
  pass "a service that hangs holds a caller up for two seconds"
}

test_service_restarts() {
  stop_pcscd
  soon 'not running\|not answer' readers first
  remove_card card
  start_pcscd
  insert_card card
  soon ': card [1-9]' readers first
  outcome first 'ok reset'
  outcome second 'ok reset'
  pass "the card works after pcscd was started anew"
}

test_end() {
  [ "$(ask first unlisten)" = unlistened ] || fail "listening does not end"
  pass "listening ends"
}

test_service_starts_late
test_insertions
test_removed_card
test_two_processes
test_nothing_is_held_at_rest
test_doctor_names_who_keeps_the_card
test_fork
test_service_hangs
test_mute_card
test_service_restarts
test_end
done_ok
