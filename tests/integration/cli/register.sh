#!/usr/bin/env bash
# Registration with p11-kit and NSS for real, twice, and its undoing: as root and as somebody else, for one user and for
# the system; what doctor says of it; a foreign file is left alone.
. "$(dirname "$0")/lib.sh"

file=$XDG_CONFIG_HOME/pkcs11/modules/cardea.module
nssdb=$HOME/.pki/nssdb
# p11-kit reads no user's files in programs of root.
user_files_count() { has_program p11-kit && [ "$(id -u)" != 0 ]; }
shown_by_p11_kit() { p11-kit list-modules </dev/null 2>/dev/null | grep >/dev/null -F "$CARDEA_MODULE"; }
shown_by_nss() { modutil -dbdir "sql:$nssdb" -list </dev/null 2>/dev/null | grep >/dev/null -F "$CARDEA_MODULE"; }
has_program() { command -v "$1" >/dev/null; }

register_and_undo() {
  status 0 "$cardea" p11 register
  has "$file" "module: $CARDEA_MODULE"
  status 0 "$cardea" p11 register --json
  has out '"registered":true'
  ! user_files_count || shown_by_p11_kit || fail "p11-kit does not list the module"
  ! has_program modutil || shown_by_nss || fail "NSS does not list the module"
  status 0 "$cardea" doctor
  ! user_files_count || has out "p11-kit: loads the module by $file"
  [ "$(id -u)" != 0 ] || ! has_program p11-kit || has out "p11-kit reads no user's files"
  ! has_program modutil || has out "lists the module"
  status 0 "$cardea" p11 register --undo
  [ ! -e "$file" ] || fail "the module file is still there"
  ! user_files_count || ! shown_by_p11_kit || fail "p11-kit still lists the module"
  ! has_program modutil || ! shown_by_nss || fail "NSS still lists the module"
  status 0 "$cardea" p11 register --undo
  status 0 "$cardea" doctor
  ! has_program p11-kit || has out "does not know the module"
}

if [ "${1:-}" = again ]; then
  register_and_undo
  exit 0
fi
register_and_undo

mkdir -p "$(dirname "$file")" "$HOME/.ssh"
echo 'module: /somewhere/else.so' >"$file"
status 1 "$cardea" p11 register
has err "left alone"
has "$file" /somewhere/else.so
status 1 "$cardea" p11 register --undo
status 3 "$cardea" p11 register --module /nonexistent.so

# A client that was told about a module which is gone is a problem with a next step; ssh that knows the module is fine.
printf '# written by cardea p11 register\nmodule: /nowhere/libcardea-pkcs11.so\n' >"$file"
status 1 "$cardea" doctor
has out "PROBLEM  p11-kit"
has out "/nowhere/libcardea-pkcs11.so, which does not exist"
has out "next: cardea p11 register"
status 0 "$cardea" p11 register
status 0 "$cardea" p11 register --undo
printf 'library=\nname=NSS\n\nlibrary=/nowhere/libcardea-pkcs11.so\nname=cardea\n' >"$nssdb/pkcs11.txt"
status 1 "$cardea" doctor
has out "PROBLEM  NSS"
rm -r "$nssdb"
mkdir -p "$HOME/.mozilla/firefox/x.default"
printf 'library=%s\nname=cardea\n' "$CARDEA_MODULE" >"$HOME/.mozilla/firefox/x.default/pkcs11.txt"
status 0 "$cardea" doctor
has out "ok       Firefox"
if has_program ssh; then
  has out "next: add to ~/.ssh/config: PKCS11Provider $CARDEA_MODULE"
  printf 'Host *\n  PKCS11Provider %s\n' "$CARDEA_MODULE" >"$HOME/.ssh/config"
  status 0 "$cardea" doctor
  has out "ok       OpenSSH"
fi

# --system writes below /etc: in a mount namespace of its own, on a copy of what programs need there.
mkdir "$work/etc"
if [ "$(id -u)" = 0 ] && unshare --mount true 2>/dev/null; then
  for name in passwd group nsswitch.conf ld.so.cache ld.so.conf ld.so.conf.d ssl pkcs11; do
    [ ! -e "/etc/$name" ] || cp -a "/etc/$name" "$work/etc/"
  done
  CARDEA=$cardea unshare --mount bash -euc '
    mount --bind "$1/etc" /etc
    "$CARDEA" p11 register --system >/dev/null
    grep -qF "module: $CARDEA_MODULE" /etc/pkcs11/modules/cardea.module
    ! command -v p11-kit >/dev/null || p11-kit list-modules 2>/dev/null | grep >/dev/null -F "$CARDEA_MODULE"
    "$CARDEA" p11 register --system --undo >/dev/null
    [ ! -e /etc/pkcs11/modules/cardea.module ]' bash "$work" || fail "--system does not register or undo"
else
  echo "left out: --system, which needs root and a mount namespace"
fi

# Once more as somebody without rights, who must not be able to register for the system either.
if [ "$(id -u)" = 0 ] && has_program setpriv; then
  nobody=(setpriv --reuid 65534 --regid 65534 --clear-groups)
  if "${nobody[@]}" test -x "$cardea" -a -r "$CARDEA_MODULE" -a -r "$0"; then
    chmod 711 "$work"
    mkdir "$work/nobody"
    chown 65534:65534 "$work/nobody"
    TMPDIR=$work/nobody "${nobody[@]}" bash "$0" again || fail "registration without rights"
    got=0
    HOME=$work/nobody "${nobody[@]}" "$cardea" p11 register --system >out 2>err </dev/null || got=$?
    [ "$got" = 1 ] || fail "--system without rights gives status $got"
  else
    echo "left out: another user, who cannot read this build"
  fi
fi
