#!/usr/bin/env bash
# with_pcscd.sh PROGRAM [ARGUMENTS]: runs a test program with a pcscd of its own and a virtual reader on
# $CARDEA_READER_PORT.
. "$(dirname "$0")/../integration/lib.sh"
. "$(dirname "$0")/../integration/pcscd_lib.sh"
begin_cards
start_pcscd
export CARDEA_VCARD=$vcard CARDEA_READER_PORT=$reader_port
status=0
"$@" || status=$?
exit "$status"
