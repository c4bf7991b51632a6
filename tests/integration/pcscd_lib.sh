#!/usr/bin/env bash
# A pcscd of the test's own with virtual readers and virtual cards in them; sourced after lib.sh, not run. The demonstration
# (quickstart) sources it after process_lib.sh and brings its own $work, fail and skip.
#
#   begin_cards COMMAND...   like begin, and checks that pcscd, vpcd and these commands are there
#   start_pcscd              starts pcscd; every PC/SC client of this script talks to it and to no other
#   insert_card NAME [OPTIONS OF cardea-vcard run]   puts $work/NAME.card into the first free reader
#   card NAME COMMAND...     steers it: status, remove, insert, count, log, fault … (docs/virtual-cards.md)
#   wait_for_no_card NAME    after its control command remove or a fault that pulls it
#   wait_for_card NAME       after its control command insert, or after start_pcscd
#   remove_card NAME         takes it out and ends its process
#   stop_pcscd               ends pcscd, as a crash or an upgrade of it would
#
# pcscd 1.9 and 2.x put their socket in /run/pcscd whatever their environment says, so ours gets a /run of its own in a
# private mount namespace, and clients find it by PCSCLITE_CSOCK_NAME. That takes root or user namespaces; without
# either the test is skipped. vpcd has two readers on two neighbouring ports.

vcard=${CARDEA_VCARD:-$(dirname "${CARDEA_COMMAND:-build/dev/bin/cardea}")/cardea-vcard}
vpcd_library=/usr/lib/pcsc/drivers/serial/libifdvpcd.so
pcscd_program=/usr/sbin/pcscd
pcscd_id=
pcscd_options=()
declare -A card_ids=() card_ports=()

begin_cards() {
  begin "$@"
  prepare_pcscd
}

# prepare_pcscd: checks what is needed, and finds out how to give pcscd a /run of its own. Skips without.
prepare_pcscd() {
  [ -x "$pcscd_program" ] || skip "pcscd is not installed (./install-packages tests)"
  [ -e "$vpcd_library" ] || skip "vsmartcard-vpcd is not installed (./install-packages tests)"
  [ -x "$vcard" ] || fail "$vcard does not exist"
  # From version 2 on pcscd asks polkit who may use a card, and refuses everybody where polkit does not run.
  case "$("$pcscd_program" --help 2>&1)" in *--disable-polkit*) pcscd_options=(--disable-polkit) ;; esac
  local user=()
  [ "$(id -u)" = 0 ] || user=(--map-root-user)
  # In a chroot the root is no mount, so that it cannot be made private; there /run has to be a mount of its own.
  own_run='mount --bind "$1" /run'
  try_namespace "${user[@]}" --mount && return
  own_run='mount --make-private /run && mount --bind "$1" /run'
  try_namespace "${user[@]}" --mount --propagation unchanged ||
    skip "no mount namespace of its own is allowed here, and pcscd needs one"
}

try_namespace() {
  namespace=(unshare "$@")
  "${namespace[@]}" sh -c "$own_run" sh "$work/run" 2>/dev/null
}

# owns_listener ID PORT: whether the process listens there; nothing connects, since vpcd would take it for a card.
owns_listener() {
  local hex inode
  hex=$(printf ':%04X' "$2")
  inode=$(awk -v port="$hex" '$4 == "0A" && substr($2, 9) == port {print $10}' /proc/net/tcp)
  [ -n "$inode" ] && find "/proc/$1/fd" -lname "socket:\[$inode\]" 2>/dev/null | grep >/dev/null .
}

pcscd_ready() {
  [ -S "$PCSCLITE_CSOCK_NAME" ] && owns_listener "$1" "$reader_port" && owns_listener "$1" "$((reader_port + 1))"
}

# start_pcscd: sets $reader_port; tries other ports when somebody has them. After stop_pcscd the port stays the same, so
# that cards find their reader again.
start_pcscd() {
  local attempt i
  mkdir -p "$work/pcsc/run" "$work/pcsc/drivers"
  export PCSCLITE_CSOCK_NAME=$work/pcsc/run/pcscd/pcscd.comm
  [ ${#PCSCLITE_CSOCK_NAME} -lt 100 ] || fail "the path of pcscd's socket is too long: $PCSCLITE_CSOCK_NAME"
  for attempt in {1..10}; do
    if [ -z "${reader_port_kept:-}" ]; then reader_port=$((20000 + (RANDOM * 32768 + RANDOM) % 40000)); fi
    printf 'FRIENDLYNAME "Cardea virtual reader"\nDEVICENAME /dev/null:%d\nLIBPATH %s\nCHANNELID %d\n' \
      "$reader_port" "$vpcd_library" "$reader_port" >"$work/pcsc/reader.conf"
    rm -rf "$work/pcsc/run/pcscd"
    # No drivers for USB: readers of this machine are none of the test's business.
    PCSCLITE_HP_DROPDIR=$work/pcsc/drivers timeout --kill-after=5 "${CARDEA_PCSCD_LIMIT:-290}" "${namespace[@]}" \
      sh -c "$own_run"' && shift && exec "$@"' sh "$work/pcsc/run" \
      "$pcscd_program" --foreground --config "$work/pcsc/reader.conf" "${pcscd_options[@]}" \
      >>"$work/pcscd.log" 2>&1 </dev/null &
    pcscd_id=$!
    daemons+=("$pcscd_id")
    for i in {1..50}; do
      if pcscd_ready "$(pcscd_process)"; then reader_port_kept=1; return 0; fi
      kill -0 "$pcscd_id" 2>/dev/null || break
      sleep 0.1
    done
    end_process "$pcscd_id"
  done
  fail "pcscd does not come up with its virtual readers"
}

# The child of `timeout`, which has become pcscd itself.
pcscd_process() { cat "/proc/$pcscd_id/task/$pcscd_id/children" 2>/dev/null | awk '{print $1}'; }

stop_pcscd() { end_process "$pcscd_id"; }

# new_card NAME KIND [OPTIONS OF cardea-vcard create]
new_card() {
  local name=$1 kind=$2
  shift 2
  "$vcard" create --kind "$kind" --state "$work/$name.card" "$@" >>"$work/setup.log" 2>&1 || fail "making card $name"
}

insert_card() {
  local name=$1 i port=$reader_port
  shift
  case " ${card_ports[*]} " in *" $port "*) port=$((reader_port + 1)) ;; esac
  timeout --kill-after=5 290 "$vcard" run --state "$work/$name.card" --port "$port" --control "$work/$name.ctl" "$@" \
    >>"$work/$name-card.log" 2>&1 </dev/null &
  card_ids[$name]=$!
  card_ports[$name]=$port
  daemons+=("${card_ids[$name]}")
  for i in {1..100}; do
    [ ! -S "$work/$name.ctl" ] || break
    kill -0 "${card_ids[$name]}" 2>/dev/null || fail "card $name does not run"
    sleep 0.1
  done
  wait_for_card "$name"
}

# reader_shows NAME WORD: what pcscd tells its clients about the card's reader, Yes or No.
reader_shows() {
  with_timeout 10 opensc-tool --list-readers 2>/dev/null | grep >/dev/null "^$((card_ports[$1] - reader_port)) *$2"
}

# wait_for_no_card NAME: until pcscd has noticed that the card is gone; another one that comes too soon would be taken
# for the same, and not get power.
wait_for_no_card() {
  local i
  for i in {1..100}; do
    if ! kill -0 "$pcscd_id" 2>/dev/null || reader_shows "$1" No; then return 0; fi
    sleep 0.1
  done
  fail "pcscd does not notice that card $1 is gone"
}

# wait_for_card NAME: until its reader has given it power and pcscd tells its clients so.
wait_for_card() {
  local i
  for i in {1..100}; do
    if card_powered "$1" && reader_shows "$1" Yes; then return 0; fi
    sleep 0.1
  done
  fail "card $1 does not get power in its reader"
}

card_powered() { case "$(card "$1" status 2>/dev/null)" in *'"powered":true'*) return 0 ;; *) return 1 ;; esac; }

card() {
  local name=$1
  shift
  with_timeout 15 "$vcard" control "$work/$name.ctl" "$@"
}

# apdus NAME: how many commands the card has answered.
apdus() { card "$1" count | sed 's/.*"apdus":\([0-9]*\).*/\1/'; }

remove_card() {
  end_process "${card_ids[$1]}"
  wait_for_no_card "$1"
  unset "card_ids[$1]" "card_ports[$1]"
}
