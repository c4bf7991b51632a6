#!/usr/bin/env bash
# What cards of the kind $1 come with: a registered card is issued by the factory secrets of its card type and carries none
# of them afterwards; retired, it has them again and is issued once more. A decryption key that is nowhere else is not
# destroyed, by retiring nor by issuing over it, unless the request says so.
. "$(dirname "$0")/manager_rig.sh"
begin_story "${1:?}" jq
case "$story_kind" in
  # The card type is the cipher of the administrator's key; the usual one is what older cards have.
  piv) card_types=(aes192 3des) ;;
  gids) card_types=('') ;;
esac

as_alice() { (alice_settings && with_timeout 120 "$@") </dev/null; }
card_info() { as_alice "$cardea" card info --json; }
pin_is() { as_alice pkcs11-tool --module "$module" --login --pin "$1" --list-objects; }
# By the key that every new card of the kind has.
change_factory_key() {
  as_alice "$cardea" card admin-key set --admin-key-file "$work/factory-key" --new-admin-key-file "$work/admin-key"
}
printf '%s\n' 010203040506070801020304050607080102030405060708 >"$work/factory-key"
printf '%s\n' 31415926535897932384626433832795028841971693993f >"$work/admin-key"

# insert_new NAME TYPE
insert_new() {
  case "$story_kind" in
    piv) new_card "$1" piv --management-key "$2" ;;
    gids) new_card "$1" gids --initialised ;;
  esac
  insert_card "$1"
  know_card "$1"
}
# Sets $serial to what the card at hand is known by.
know_card() {
  serial=$(as_alice "$cardea" card list --json | jq -er '[.cards[] | select(.serial != null and .serial != "")][0].serial') ||
    fail "card $1 has no serial number"
}
# register TYPE: the card at hand, in stock.
register() {
  local type=$1
  if [ "$story_kind" = piv ] && [ "$type" = 3des ]; then type=; fi # the kind's usual one
  run as_admin manager token add "$story_kind" "$serial" ${type:+--card-type "$type"}
}
token_is() { [ "$(as_admin manager token show "$serial" --json | jq -r .state)" = "$1" ] || fail "the token is not $1"; }
# back_into_stock NAME: an erased card has its number still.
back_into_stock() {
  local before=$serial
  know_card "$1"
  [ "$serial" = "$before" ] || fail "the erased card has another number"
  run as_admin manager token restock "$serial"
}
# ask_with JSON KIND [OPTIONS...]: with these parameters of the request.
ask_with() {
  printf '%s\n' "$1" >"$work/parameters.json"
  shift
  ask "$@" --parameters "$work/parameters.json"
}
as_new() {
  run pin_is 123456
  [ "$story_kind" != piv ] || card_info | jq -e '.pin.factory and .puk.factory' >/dev/null || fail "PIN or PUK is not the factory's"
}

# A profile whose decryption keys are made on the card and kept nowhere else, for registered cards.
add_profile() {
  as_admin profile list --json | jq --arg n "staff-$story_kind" '[.items[] | select(.name == $n)][0].document |
    .registered_stock_only = true | .devices_per_person = 0 | .pin_policy = {"min_length": 8, "max_length": 8} |
    .certificates |= map(if .container == "encryption" then .archived = false | .policy = "authentication" else . end)' \
    >"$work/unarchived.json"
  as_admin profile add unarchived --file "$work/unarchived.json"
}

issue_unarchived() { ask issue --profile unarchived && collect; }

life_of_a_card() {
  local name=$1 type=$2
  insert_new "$name" "$type"
  run ask issue --profile unarchived
  refused 'is not registered as stock' collect
  register "$type"
  run issue_unarchived
  token_is issued
  refused 'was not accepted' change_factory_key
  run pin_is "$(cat "$story/pin")"
  [ "$story_kind" != piv ] || card_info | jq -e '(.pin.factory or .puk.factory) | not' >/dev/null ||
    fail "PIN or PUK is still the factory's"
  pass "$name: issued by the factory's secrets, which are gone"

  refused 'say destroy_unarchived' ask retire --serial "$serial"
  token_is issued
  run ask_with '{"destroy_unarchived": true}' retire --serial "$serial"
  run collect
  token_is retired
  as_new
  pass "$name: retired only when the loss of the decryption key was asked for; the factory's secrets are back"

  back_into_stock "$name"
  run issue_unarchived
  token_is issued
  pass "$name: issued once more"
  run ask_with '{"destroy_unarchived": true}' retire --serial "$serial"
  run collect
  remove_card "$name"
}

# Somebody's decryption key stands where the credential's would.
used_card() {
  insert_new used "${card_types[0]}"
  run as_alice "$cardea" card key generate --place 9D --type ec:P-256 --factory-admin-key --out "$work/used.pub"
  new_ca
  sign_certificate used keyUsage=keyAgreement "$work/used.pub"
  run as_alice "$cardea" card cert write --in "$work/used.pem" --place 9D --factory-admin-key
  register "${card_types[0]}"
  run ask issue --profile unarchived
  refused 'holds a decryption key that is not archived' collect
  grep -i "$(openssl x509 -in "$work/used.pem" -noout -serial | cut -d= -f2)" <(card_info) >/dev/null || fail "its certificate is gone"
  run ask_with '{"destroy_unarchived": true}' issue --profile unarchived
  run collect
  token_is issued
  pass "a decryption key that nobody archived is not overwritten unless the request says so"
}

# A card type that is not listed: nobody takes a guess at its secrets.
unlisted_card() {
  insert_new odd aes256
  refused "no tokens of kind piv are called 'aes256'" as_admin manager token add piv "$serial" --card-type aes256
  register ''
  run ask issue --profile unarchived
  refused "'aes256' is no algorithm" collect
  as_new
  token_is stock
  remove_card odd
  pass "a card whose factory secrets are not listed is refused and stays as it is"
}

start_manager_for_alice
run add_profile
for type in "${card_types[@]}"; do life_of_a_card "card${type:+-$type}" "$type"; done
if [ "$story_kind" = piv ]; then
  unlisted_card
  used_card
fi
done_ok
