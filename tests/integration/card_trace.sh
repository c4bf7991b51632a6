#!/usr/bin/env bash
# The trace shows exchanges with cards, and no PIN that passed through them.
. "$(dirname "$0")/lib.sh"
. "$(dirname "$0")/pcscd_lib.sh"
begin_cards
start_pcscd
new_card card piv
insert_card card
export CARDEA_TRACE=$work/trace
card_pin=123456
new_pin=86420975

tool() { with_timeout 60 pkcs11-tool --module "$module" --token-label "$label" "$@"; }

hex() { printf '%s' "$1" | od -An -v -tx1 | tr -d ' \n'; }

test_exchanges_are_traced() {
  label=$(with_timeout 60 pkcs11-tool --module "$module" --list-slots | sed -n 's/ *token label *: \(PIV.*\)/\1/p')
  [ -n "$label" ] || fail "the card is no token"
  tool --login --pin "$card_pin" --list-objects >"$work/tool.log" 2>&1 || fail "login"
  tool --login --pin 55555555 --list-objects >>"$work/tool.log" 2>&1 && fail "a wrong PIN is accepted"
  tool --login --pin "$card_pin" --change-pin --new-pin "$new_pin" >>"$work/tool.log" 2>&1 || fail "change of the PIN"
  grep -q 'card Cardea virtual reader 00 00: 00a40400' "$CARDEA_TRACE" || fail "no SELECT in the trace"
  grep -q '00: 00200080*08<8> = 9000' "$CARDEA_TRACE" || fail "no VERIFY in the trace"
  grep -q '00: 00200080*08<8> = 63c' "$CARDEA_TRACE" || fail "no refused VERIFY in the trace"
  grep -q '00: 00240080*10<16> = 9000' "$CARDEA_TRACE" || fail "no change of the PIN in the trace"
  pass "the trace shows what was exchanged with the card"
}

test_no_pin_is_traced() {
  local secret
  for secret in "$card_pin" 55555555 "$new_pin"; do
    if grep -q -e "$secret" -e "$(hex "$secret")" "$CARDEA_TRACE"; then fail "the PIN $secret is in the trace"; fi
  done
  pass "no PIN is in the trace"
}

test_exchanges_are_traced
test_no_pin_is_traced
done_ok
