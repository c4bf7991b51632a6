# A terminal for the program under test, made by script(1) of bsdutils; sourced, not run, behind what defines fail.
# shellcheck shell=bash

# on_terminal COMMAND: runs it on a terminal of its own; await TEXT and type LINE talk to it.
transcript=""
on_terminal() {
  coproc TERMINAL { timeout 60 script -qefc "$1" /dev/null 2>&1; }
  terminal=$TERMINAL_PID
  exec {shown}<&"${TERMINAL[0]}" {typed}>&"${TERMINAL[1]}"
}
await() {
  local seen="" char
  while IFS= read -r -t 30 -N 1 char <&"$shown"; do
    seen+=$char transcript+=$char
    [[ "$seen" == *"$1"* ]] && return 0
  done
  fail "the terminal never showed '$1' but: $seen"
}
type_line() { printf '%s\n' "$1" >&"$typed"; }
finish() {
  local wanted=$1 got=0 rest=""
  IFS= read -r -t 30 -d '' rest <&"$shown" || true
  transcript+=$rest
  exec {shown}<&- {typed}>&-
  wait "$terminal" || got=$?
  [ "$got" = "$wanted" ] || fail "exit status $got instead of $wanted on the terminal: $transcript"
}
