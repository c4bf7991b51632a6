#!/usr/bin/env bash
# PINs: nothing echoes or leaks, no try is burnt without being asked for, lock and unlock.
. "$(dirname "$0")/lib.sh"
. "$(dirname "$0")/../terminal_lib.sh"
command -v script >/dev/null || { echo "skipped: script(1) of bsdutils makes the terminal"; exit 77; }
export CARDEA_TRACE=$work/trace

status 2 "$cardea" key list --pin "$user_pin"
has err "refused"
! grep -qF "$user_pin" out err || fail "a PIN from the arguments is repeated"
status 2 "$cardea" sign "pkcs11:token=demo?pin-value=$user_pin"
has err "pin-value is refused"
! grep -qF "$user_pin" out err || fail "a PIN from a URI is repeated"

on_terminal "$cardea token init --label demo"
await "New security officer's PIN: "; type_line "$so_pin"
await "again: "; type_line "$so_pin"
await "New user PIN: "; type_line "$user_pin"
await "again: "; type_line "$user_pin"
finish 0
on_terminal "$cardea key generate ec:P-256 --label key"
await "PIN of token 'demo': "; type_line "$user_pin"
finish 0
on_terminal "$cardea token pin change"
await "Present user PIN"; await ": "; type_line "$user_pin"
await "New user PIN: "; type_line "one-5820147"
await "again: "; type_line "two-5820148"
finish 4
[[ "$transcript" != *"$user_pin"* && "$transcript" != *"$so_pin"* && "$transcript" != *5820147* ]] ||
  fail "the terminal shows a PIN"

# An interrupt at the prompt sends nothing to the token and leaves the terminal with its echo.
# No shell stands between the terminal and the one that takes the signal: some end by it themselves.
on_terminal "exec bash -c 'trap : INT; $cardea key list --login; echo status=\$?; stty -a'"
await "PIN of token 'demo': "; printf '\003' >&"$typed"
await "status="; await " echo "
finish 0
[[ "$transcript" != *"status=0"* ]] || fail "an interrupted prompt is taken for success"

# Neither the argument list nor the environment of a running command has the PIN.
mkfifo pipe
echo letter >letter
"$cardea" sign key --in pipe --out letter.sig --pin-file user.pin 2>err &
program=$!
exec {feed}>pipe
! grep -qaF "$user_pin" "/proc/$program/cmdline" "/proc/$program/environ" || fail "the PIN shows in /proc"
cat letter >&"$feed"
exec {feed}>&-
wait "$program" || fail "signing from a pipe: $(cat err)"

printf 'fresh-73910286\n' >fresh.pin
status 0 "$cardea" token pin change --pin-file user.pin --new-pin-file fresh.pin
printf '%s\n%s\n' fresh-73910286 "$user_pin" | "$cardea" token pin change --pin-stdin >out || fail "PINs from standard input"
status 4 "$cardea" key list --login

# The last of three tries is not used without a terminal; a "no" leaves it; the right PIN resets the count.
status 4 "$cardea" key list --pin-file wrong.pin
has err "2 tries are left"
status 0 "$cardea" token show
has out "2 tries are left"
status 4 "$cardea" key list --pin-file wrong.pin
has err "1 try is left"
status 4 "$cardea" key list --pin-file wrong.pin
has err "was not used"
status 4 "$cardea" key list --pin-file user.pin
has err "was not used"
on_terminal "$cardea key list --login"
await 'Type "yes"'; type_line no
finish 4
on_terminal "$cardea key list --login"
await 'Type "yes"'; type_line yes
await "PIN of token 'demo': "; type_line "$user_pin"
finish 0

# Three wrong ones lock; only the security officer unlocks.
status 4 "$cardea" key list --pin-file wrong.pin
status 4 "$cardea" key list --pin-file wrong.pin
on_terminal "$cardea key list --login"
await 'Type "yes"'; type_line yes
await "PIN of token 'demo': "; type_line "wrong-19283746"
finish 4
status 4 "$cardea" key list --pin-file user.pin
has err "locked"
has err "cardea token pin unlock"
status 1 "$cardea" doctor
has out "cardea token pin unlock"
status 0 "$cardea" token pin unlock --so-pin-file so.pin --new-pin-file user.pin
status 0 "$cardea" key list --pin-file user.pin
has out private

for secret in "$so_pin" "$user_pin" fresh-73910286 wrong-19283746; do
  [[ "$transcript" != *"$secret"* ]] || fail "the terminal shows a PIN"
  [ ! -e "$CARDEA_TRACE" ] || ! grep -qaF "$secret" "$CARDEA_TRACE" || fail "the trace shows a PIN"
done
