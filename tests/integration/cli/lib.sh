# Shared by the scripts beside it: a home of its own, cheap PIN derivation, and checks that say what they wanted.
set -euo pipefail
umask 077

cardea=$CARDEA_COMMAND
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
cd "$work"

export HOME=$work/home XDG_CONFIG_HOME=$work/home/.config CARDEA_HOME=$work/store CARDEA_CONF=$work/cardea.toml
mkdir -p "$XDG_CONFIG_HOME"
printf '[keystore]\nretry_limit = 3\nso_retry_limit = 5\npin_cost = { memory_kib = 256, iterations = 1, lanes = 1 }\n' \
  >"$CARDEA_CONF"
so_pin=so-93417265
user_pin=user-48620517
printf '%s\n' "$so_pin" >so.pin
printf '%s\n' "$user_pin" >user.pin
printf 'wrong-19283746\n' >wrong.pin

fail() { printf 'FAILED: %s\n' "$*" >&2; exit 1; }

# status WANTED COMMAND...: runs the command without a terminal, keeps its output in $work/out and $work/err, compares the
# exit status.
status() {
  local wanted=$1 got=0
  shift
  setsid -w timeout 60 "$@" >"$work/out" 2>"$work/err" </dev/null || got=$?
  [ "$got" = "$wanted" ] || fail "exit status $got instead of $wanted: $* ($(cat "$work/err"))"
}

# as_user WANTED ARGUMENTS...: the program with the user's PIN.
as_user() {
  local wanted=$1
  shift
  status "$wanted" "$cardea" "$@" --pin-file user.pin
}

# has FILE TEXT
has() { grep -qF -- "$2" "$1" || fail "'$2' is not in: $(cat "$1")"; }

make_token() { status 0 "$cardea" token init --label "$1" --so-pin-file so.pin --pin-file user.pin; }
