#!/usr/bin/env bash
# The main job by command line: token, keys, requests, certificates, signatures; and what happens with bad input.
. "$(dirname "$0")/lib.sh"

status 0 "$cardea" token list
has out "no token yet"
make_token demo
status 1 "$cardea" token init --label demo --so-pin-file so.pin --pin-file user.pin
has err "already"
status 0 "$cardea" token list --json
has out '"label":"demo"'

as_user 0 key generate rsa:2048 --label rsa --id 01
as_user 0 key generate ec:P-256 --label p256 --id 02
as_user 0 key generate ec:P-384 --label p384 --id 03
as_user 0 key generate ed25519 --label ed --id 04
as_user 0 key generate aes:256 --label aes --id 05
as_user 1 key generate ec:P-256 --label again --id 01
as_user 2 key generate rsa:1 --label bad
has err "There is no key type"

printf 'a letter\n' >letter
printf 'another letter\n' >other
for key in rsa p256 p384 ed; do
  as_user 0 sign $key --in letter --out $key.sig
  status 0 "$cardea" verify $key --in letter --signature $key.sig
  status 5 "$cardea" verify $key --in other --signature $key.sig
  as_user 0 cert request $key --subject 'CN=Anna\, Example,O=Example' --san email:anna@example.org \
    --san upn:anna@example.org --key-usage digitalSignature --ext-key-usage clientAuth,smartcardLogin --out $key.csr
  openssl req -in $key.csr -noout -verify -subject -nameopt RFC2253 >req.txt 2>&1 || fail "openssl refuses the request of $key"
  has req.txt 'CN=Anna\, Example,O=Example'
done
# OpenSSL is the counterpart: it takes our DER signatures as they are.
openssl req -in p256.csr -noout -pubkey >p256.pub
openssl dgst -sha256 -verify p256.pub -signature p256.sig letter >/dev/null || fail "openssl refuses the ECDSA signature"
as_user 0 sign rsa --pss --digest sha384 --in letter --out pss.sig
openssl req -in rsa.csr -noout -pubkey >rsa.pub
openssl dgst -sha384 -sigopt rsa_padding_mode:pss -sigopt rsa_pss_saltlen:48 -verify rsa.pub -signature pss.sig letter \
  >/dev/null || fail "openssl refuses the PSS signature"
as_user 0 cert request rsa --pss --subject CN=pss --out pss.csr
openssl req -in pss.csr -noout -verify 2>/dev/null >/dev/null || fail "openssl refuses the PSS request"
as_user 2 cert request rsa --subject 'NOSUCH=x' --out bad.csr
has err "there is no attribute type"
as_user 2 cert request rsa --subject CN=x --san nosuch:x --out bad.csr

# What would be left out is refused, and a missing file before the PIN is asked for.
as_user 2 sign rsa --mechanism CKM_SHA256_RSA_PKCS --digest sha512 --in letter --out x.sig
has err "CKM_SHA256_RSA_PKCS does not sign with the digest sha512"
as_user 2 sign rsa --mechanism CKM_SHA256_RSA_PKCS --pss --in letter --out x.sig
has err "does not sign with RSA-PSS"
as_user 2 sign p256 --pss --in letter --out x.sig
as_user 2 sign ed --digest sha512 --in letter --out x.sig
as_user 2 cert request ed --digest sha512 --subject CN=x --out x.csr
as_user 2 encrypt rsa --iv 000102030405060708090a0b --in letter --out x.enc
has err "--iv has no meaning"
as_user 2 encrypt aes --digest sha512 --in letter --out x.enc
as_user 2 decrypt rsa --iv 00 --in letter --out x.enc
[ ! -e x.sig ] && [ ! -e x.csr ] && [ ! -e x.enc ] || fail "what was refused was done"
as_user 0 sign rsa --mechanism CKM_SHA512_RSA_PKCS_PSS --pss --digest sha512 --in letter --out x.sig
as_user 0 sign p384 --digest sha256 --in letter --out x.sig
as_user 2 key generate aes:256 --label never --always-authenticate
has err "Only key pairs ask for the PIN at every use"
as_user 3 sign never --in letter
status 3 "$cardea" sign rsa --in nosuch
status 3 "$cardea" sign rsa --in letter --pin-file nosuch
as_user 2 sign rsa --in '' --out x.sig
has err "its value is empty"
status 2 "$cardea" token init --label other --erase --yes --so-pin-file so.pin
has err "Say which token to erase"

openssl pkeyutl -encrypt -pubin -inkey rsa.pub -pkeyopt rsa_padding_mode:oaep -pkeyopt rsa_oaep_md:sha256 \
  -pkeyopt rsa_mgf1_md:sha256 -in letter -out sealed
as_user 0 decrypt 'pkcs11:token=demo;object=rsa;type=private' --in sealed --out opened
cmp letter opened || fail "decryption gives something else"
[ "$(stat -c %a opened)" = 600 ] || fail "decrypted data is readable by others"

openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -keyout ca.key -out ca.pem -subj /CN=ca 2>/dev/null
openssl x509 -req -in rsa.csr -CA ca.pem -CAkey ca.key -CAcreateserial -out rsa.pem 2>/dev/null
as_user 0 cert write rsa.pem
has out "id 01"
as_user 0 cert write rsa.pem --id 77 --label other --json
has out '"written":false'
has out '"id":"01","label":"rsa"'
as_user 3 cert write ca.pem
as_user 0 cert write ca.pem --without-key --label ca
status 0 "$cardea" cert export --id 01 --out exported.pem
openssl x509 -in rsa.pem -outform DER -out a.der
openssl x509 -in exported.pem -outform DER -out b.der
cmp a.der b.der || fail "the exported certificate differs"

as_user 0 key list --json
has out '"label":"p384"'
status 0 "$cardea" object list 'pkcs11:token=demo;type=cert'
has out CKO_CERTIFICATE
as_user 0 key delete p384 --yes
as_user 3 sign p384 --in letter --out x.sig
status 3 "$cardea" token show nosuch
status 2 "$cardea" sign 'pkcs11:token=demo;nosuch=1' --in letter
status 2 "$cardea" frobnicate
status 3 "$cardea" token list --module /nonexistent.so
status 0 "$cardea" random 8
[ "$(wc -c <out)" = 17 ] || fail "8 random bytes are not 16 digits"
status 0 "$cardea" config default
status 0 "$cardea" doctor
printf 'nonsense = [\n' >"$CARDEA_CONF"
status 1 "$cardea" doctor
has out "PROBLEM  configuration"
status 0 "$cardea" token delete demo --yes
status 3 "$cardea" token show demo

# Two SQLites in one process undo each other's locks, so the program leaves every store to the module.
if { ldd "$cardea"; nm -a "$cardea" 2>/dev/null || true; } | grep -E 'libsqlite3|sqlite3_open' >/dev/null; then
  fail "the program has an SQLite of its own beside the module's"
fi
