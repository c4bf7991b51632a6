#!/usr/bin/env bash
# Input and output that go wrong: nothing crashes, nothing half written stays, the exit status is never 0.
. "$(dirname "$0")/lib.sh"
make_token demo
as_user 0 key generate ec:P-256 --label key --id 01
as_user 0 key generate ed25519 --label ed --id 02
as_user 0 key generate aes:256 --label aes --id 03
printf 'a letter\n' >letter
: >empty
mkdir folder

# Inputs.
as_user 0 sign key --in empty --out empty.sig
status 0 "$cardea" verify key --in empty --signature empty.sig
as_user 3 sign key --in nosuch --out x.sig
as_user 1 sign key --in folder --out x.sig
has err "directory"
as_user 3 cert write nosuch.pem
as_user 1 cert write empty
has err "no X.509 certificate"
as_user 1 cert write letter
as_user 1 cert write folder
as_user 2 cert write /dev/zero
has err "longer than"
head -c 3000000 /dev/zero >big
as_user 0 sign key --in big --out big.sig
as_user 0 sign ed --in big --out big.sig
status 5 "$cardea" verify key --in letter --signature empty
status 2 "$cardea" verify key --in letter --signature big
if [ "$(id -u)" != 0 ]; then
  install -m 000 letter unreadable
  as_user 1 sign key --in unreadable --out x.sig
  has err "cannot be opened"
fi
[ ! -e x.sig ] || fail "a failed command left an output file"

# Outputs.
as_user 1 sign key --in letter --out folder/none/x.sig
has err "cannot be written"
as_user 1 sign key --in letter --out folder
as_user 1 sign key --in letter --out /dev/full
has err "No space left"
[ -z "$(ls folder)" ] || fail "a failed command left something in a folder"
for command in "token list" "token list --json" "help" "--help" "key generate --help" "--version" "random 8" "doctor"; do
  # shellcheck disable=SC2086
  ! "$cardea" $command >/dev/full 2>err </dev/null || fail "a full disk is taken for success: $command"
  has err "No space left"
  # shellcheck disable=SC2086
  ! "$cardea" $command >&- 2>err </dev/null || fail "closed standard output is taken for success: $command"
  [ -s err ] || fail "closed standard output has no words: $command"
done
# A file system that is really full, where this may be mounted: the old file stays as it was, nothing else is left.
mkdir full
if [ "$(id -u)" = 0 ] && unshare --mount true 2>/dev/null; then
  CARDEA=$cardea unshare --mount bash -euc '
    mount -t tmpfs -o size=64k none full
    echo before >full/out
    head -c 100000 /dev/zero >full/filler 2>/dev/null || true
    ! "$CARDEA" random 9000 --out full/out >/dev/null 2>err || exit 1
    grep -q "No space left" err
    [ "$(cat full/out)" = before ]
    [ "$(ls full | wc -l)" = 2 ]' || fail "a full file system: $(cat err)"
else
  echo "left out: a full file system, which needs root and a mount namespace"
fi
"$cardea" key list --pin-file user.pin <&- >&- 2>&- || true
status 0 "$cardea" doctor
has out "no damage"
exec {gone}> >(true)
wait "$!"
"$cardea" token show >&"$gone" 2>err || echo "$?" >got
exec {gone}>&-
[ "$(cat got)" = 1 ] || fail "a reader that went away is taken for success, or kills"
[ ! -s err ] || fail "a reader that went away gets words: $(cat err)"

# Ciphers: every vector kind there and back, fresh vectors, what must not be said together.
for mechanism in GCM CCM CTR CBC_PAD CFB128 OFB; do
  as_user 0 encrypt aes --mechanism CKM_AES_$mechanism --in letter --out sealed
  iv=$(sed -n 's/.*--iv \([0-9a-f]*\)$/\1/p' err)
  [ -n "$iv" ] || fail "$mechanism: the vector is not told: $(cat err)"
  as_user 0 decrypt aes --mechanism CKM_AES_$mechanism --iv "$iv" --in sealed
  cmp -s letter out || fail "$mechanism does not come back"
  as_user 0 encrypt aes --mechanism CKM_AES_$mechanism --in letter --out again
  ! cmp -s sealed again || fail "$mechanism used the same vector twice"
done
as_user 0 encrypt aes --in letter --aad 0102 --iv 000102030405060708090a0b --out sealed
[ ! -s err ] || fail "a vector that was given is repeated"
as_user 1 decrypt aes --in sealed --iv 000102030405060708090a0b
as_user 0 decrypt aes --in sealed --iv 000102030405060708090a0b --aad 0102
as_user 2 decrypt aes --in sealed
has err "--iv HEX"
as_user 2 encrypt aes --in letter --mechanism CKM_AES_CTR --iv 00
as_user 2 encrypt aes --in letter --mechanism CKM_AES_CBC_PAD --aad 00
as_user 2 encrypt aes --in letter --mechanism CKM_NOSUCH
status 3 "$cardea" encrypt aes --in letter
has err "--login"

# Something that takes over a second says so. The input comes only then.
: >err
{
  for _ in {1..300}; do
    grep -qF "signing …" err && break
    sleep 0.1
  done
  echo late
} | "$cardea" sign key --pin-file user.pin --out late.sig 2>>err || fail "signing a slow input"
has err "signing …"

# A terminal gets text, never binary data.
if command -v script >/dev/null; then
  head -c 64 /dev/urandom >noise
  for in in letter noise; do
    as_user 0 encrypt aes --in $in --iv 000102030405060708090a0b --out $in.enc
    got=0
    timeout 60 script -qefc "$cardea decrypt aes --in $in.enc --iv 000102030405060708090a0b --pin-file user.pin" \
      /dev/null >shown 2>&1 </dev/null || got=$?
    [ "$in:$got" = letter:0 ] || [ "$in:$got" = noise:2 ] || fail "decrypting $in to a terminal gives $got"
  done
  has shown "Name a file with --out"
  timeout 60 script -qefc "$cardea decrypt aes --in noise.enc --iv 000102030405060708090a0b --pin-file user.pin --force" \
    /dev/null >shown 2>&1 </dev/null || fail "--force does not write to a terminal"
fi

# Deletion: the key goes with its halves; a secret key with the same id keeps its own.
as_user 0 key delete key --yes
has out "(2 objects)"
as_user 3 key delete key --yes
as_user 1 key delete ed
has err "Nothing was deleted"
