#!/usr/bin/env bash
# The same commands on somebody else's module: SoftHSM2.
. "$(dirname "$0")/lib.sh"
module=""
for candidate in /usr/lib/softhsm/libsofthsm2.so /usr/lib/*/softhsm/libsofthsm2.so; do
  [ -e "$candidate" ] && module=$candidate
done
[ -n "$module" ] || { echo "skipped: SoftHSM2 is not installed"; exit 77; }
mkdir soft
echo "directories.tokendir = $work/soft" >softhsm2.conf
export SOFTHSM2_CONF=$work/softhsm2.conf CARDEA_MODULE=$module

status 0 "$cardea" token list
has out "no token yet"
make_token soft
status 0 "$cardea" token list
has out SoftHSM
as_user 0 key generate rsa:2048 --label rsa --id 01
as_user 0 key generate ec:P-256 --label p256 --id 02
as_user 0 key generate aes:256 --label aes --id 03
as_user 1 key generate ml-dsa-65 --label none
has err "makes no keys of type"
echo "a letter" >letter
for key in rsa p256; do
  as_user 0 sign $key --in letter --out $key.sig
  status 0 "$cardea" verify "pkcs11:token=soft;object=$key" --in letter --signature $key.sig
  as_user 0 cert request $key --subject CN=soft --out $key.csr
  openssl req -in $key.csr -noout -verify >/dev/null 2>&1 || fail "openssl refuses the request of $key"
done
for mechanism in CKM_AES_GCM CKM_AES_CTR CKM_AES_CBC_PAD; do
  as_user 0 encrypt aes --mechanism $mechanism --in letter --out sealed
  iv=$(sed -n 's/.*--iv \([0-9a-f]*\)$/\1/p' err)
  as_user 0 decrypt aes --mechanism $mechanism --iv "$iv" --in sealed
  cmp -s letter out || fail "$mechanism does not come back"
done
status 0 "$cardea" encrypt rsa --digest sha1 --in letter --out sealed
as_user 0 decrypt rsa --digest sha1 --in sealed
cmp -s letter out || fail "RSA-OAEP does not come back"
status 4 "$cardea" key list --pin-file wrong.pin
has err "CKR_PIN_INCORRECT"
as_user 0 key delete p256 --yes
status 0 "$cardea" random 16
printf 'fresh-73910286\n' >fresh.pin
status 0 "$cardea" token pin change --pin-file user.pin --new-pin-file fresh.pin
status 0 "$cardea" token pin unlock --so-pin-file so.pin --new-pin-file user.pin
as_user 0 key list
status 3 "$cardea" token delete soft --yes
has err "only tokens of the software keystore can"
