#!/usr/bin/env bash
# Common ground of the tests that drive real clients; sourced, not run.
#
# Works on any PKCS#11 module: CARDEA_MODULE names it (ours by ctest; SoftHSM2 serves as a second opinion on a client:
#   CARDEA_MODULE=/usr/lib/softhsm/libsofthsm2.so bash tests/integration/nss_tls.sh)
#
# A script sources this file, calls `begin`, checks with `expect…`, and ends with `done_ok`. Everything it writes lies
# in $work, a fresh folder with its own home and token store; everything it starts is ended by its process id.
# Exit status 77 tells ctest that the test was skipped; the reason is on the last line.

set -euo pipefail
export LC_ALL=C.UTF-8
module=${CARDEA_MODULE:?CARDEA_MODULE names the PKCS#11 module under test}
here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
pin=24680135
so_pin=97531864
token=client-test
. "$here/process_lib.sh"

say() { printf '%s\n' "$*"; }
fail() { printf 'FAILED: %s\n' "$*" >&2; exit 1; }
skip() { printf 'skipped: %s\n' "$*"; exit 77; }
pass() { printf 'ok: %s\n' "$*"; }

cleanup() {
  local status=$? id
  trap - EXIT
  # `pre_cleanup` belongs to the script that defines it.
  if declare -F pre_cleanup >/dev/null; then pre_cleanup || true; fi
  for id in "${daemons[@]}"; do end_process "$id"; done
  if [ "$status" != 0 ] && [ "$status" != 77 ]; then show_logs; fi
  rm -rf "$work"
  exit "$status"
}

show_logs() {
  local file
  for file in "$work"/*.log; do
    [ -s "$file" ] || continue
    printf -- '--- %s\n' "${file##*/}" >&2
    tail -n 25 "$file" >&2
  done
}

# begin COMMAND...: makes the test's folder and checks that these commands are there.
begin() {
  local command
  work=$(mktemp -d "${TMPDIR:-/tmp}/cardea-client.XXXXXX")
  trap cleanup EXIT
  trap 'exit 143' INT TERM
  for command in openssl pkcs11-tool "$@"; do
    command -v "$command" >/dev/null || skip "$command is not installed (./install-packages tests)"
  done
  [ -e "$module" ] || fail "module $module does not exist"
  mkdir -p "$work/home" "$work/run" "$work/config" "$work/tmp" "$work/cardea"
  chmod 700 "$work/run" "$work/cardea"
  export HOME=$work/home XDG_CONFIG_HOME=$work/config XDG_DATA_HOME=$work/home/data XDG_RUNTIME_DIR=$work/run
  export TMPDIR=$work/tmp CARDEA_HOME=$work/cardea TEST_PIN=$pin
  unset SSH_AUTH_SOCK OPENSSL_CONF CARDEA_CONF CARDEA_TRACE P11_KIT_SERVER_ADDRESS DISPLAY WAYLAND_DISPLAY
  use_module_settings
}

# Settings of modules other than ours, so that a client can be tried on them.
use_module_settings() {
  case "$module" in *softhsm*)
    mkdir -p "$work/softhsm"
    printf 'directories.tokendir = %s\nobjectstore.backend = file\nlog.level = ERROR\n' "$work/softhsm" \
      >"$work/softhsm2.conf"
    export SOFTHSM2_CONF=$work/softhsm2.conf ;;
  esac
}

# p11 ARGUMENTS...: pkcs11-tool on the test's token, logged in.
p11() { with_timeout 60 pkcs11-tool --module "$module" --token-label "$token" --login --pin env:TEST_PIN "$@"; }
p11_public() { with_timeout 60 pkcs11-tool --module "$module" --token-label "$token" "$@"; }

# new_token [LABEL]: initialises a free slot's token and sets its user PIN.
new_token() {
  local label=${1:-$token} slot
  slot=$(with_timeout 60 pkcs11-tool --module "$module" --list-slots 2>>"$work/setup.log" |
    awk '/^Slot /{slot=$2} /uninitialized/ && !found {print slot; found=1}') || true
  [ -n "$slot" ] || fail "no slot offers an uninitialised token"
  with_timeout 60 pkcs11-tool --module "$module" --slot-index "$slot" --init-token --label "$label" \
    --so-pin "$so_pin" >>"$work/setup.log" 2>&1 || fail "C_InitToken for $label"
  with_timeout 60 pkcs11-tool --module "$module" --token-label "$label" --login --login-type so --so-pin "$so_pin" \
    --init-pin --new-pin "$pin" >>"$work/setup.log" 2>&1 || fail "C_InitPIN for $label"
}

# new_key TYPE LABEL ID [pkcs11-tool arguments]: a key pair on the token.
new_key() {
  local type=$1 label=$2 id=$3
  shift 3
  p11 --keypairgen --key-type "$type" --label "$label" --id "$id" "$@" >>"$work/setup.log" 2>&1 ||
    fail "generating $type key $label"
}

# public_key ID FILE: the token's public key as PEM.
public_key() {
  p11_public --read-object --type pubkey --id "$1" --output-file "$2.der" >>"$work/setup.log" 2>&1 ||
    fail "reading public key $1"
  openssl pkey -pubin -inform DER -in "$2.der" -out "$2" 2>>"$work/setup.log" || fail "public key $1 is not an SPKI"
}

# new_ca: a certificate authority in software, $work/ca.pem.
new_ca() {
  openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -keyout "$work/ca.key" -out "$work/ca.pem" \
    -days 30 -subj "/O=Client test/CN=Test root" -addext "basicConstraints=critical,CA:TRUE" \
    -addext "keyUsage=critical,keyCertSign,cRLSign" 2>>"$work/setup.log" || fail "making the CA"
}

# sign_certificate NAME EXTENSIONS PUBLIC_KEY: a certificate $work/NAME.pem by the CA over a public key in PEM.
sign_certificate() {
  local name=$1
  printf 'basicConstraints=CA:FALSE\nsubjectKeyIdentifier=hash\nauthorityKeyIdentifier=keyid\n%s\n' "$2" \
    >"$work/$name.ext"
  [ -e "$work/carrier.key" ] || openssl genpkey -algorithm EC -pkeyopt ec_paramgen_curve:P-256 \
    -out "$work/carrier.key" 2>>"$work/setup.log"
  openssl req -new -key "$work/carrier.key" -subj "/O=Client test/CN=$name" -out "$work/$name.csr" \
    2>>"$work/setup.log"
  # The request only carries the subject; the certificate is for the key given.
  openssl x509 -req -in "$work/$name.csr" -CA "$work/ca.pem" -CAkey "$work/ca.key" -force_pubkey "$3" \
    -set_serial "0x$(openssl rand -hex 8 | sed 's/^./1/')" -days 30 -extfile "$work/$name.ext" -out "$work/$name.pem" \
    2>>"$work/setup.log" || fail "signing the certificate of $name"
}

# certify NAME ID: certifies the token's key ID for NAME (TLS client and mail) and writes the certificate to the token.
certify() {
  [ -e "$work/ca.pem" ] || new_ca
  public_key "$2" "$work/$1.pub"
  sign_certificate "$1" "keyUsage=digitalSignature,keyEncipherment,keyAgreement
extendedKeyUsage=clientAuth,serverAuth,emailProtection
subjectAltName=DNS:localhost,IP:127.0.0.1,email:$1@example.test" "$work/$1.pub"
  openssl x509 -in "$work/$1.pem" -outform DER -out "$work/$1.der"
  p11 --write-object "$work/$1.der" --type cert --label "$1" --id "$2" >>"$work/setup.log" 2>&1 ||
    fail "writing the certificate of $1"
}

# new_identities: token with an RSA-2048 and a P-256 key, each with a certificate: rsa (id 01) and ec (id 02).
new_identities() {
  new_token
  new_key rsa:2048 rsa 01
  new_key EC:prime256v1 ec 02 --usage-sign --usage-derive
  certify rsa 01
  certify ec 02
}

# new_server_certificate: a TLS server in software, $work/server.pem and .key.
new_server_certificate() {
  [ -e "$work/ca.pem" ] || new_ca
  openssl genpkey -algorithm EC -pkeyopt ec_paramgen_curve:P-256 -out "$work/server.key" 2>>"$work/setup.log"
  openssl pkey -in "$work/server.key" -pubout -out "$work/server.pub"
  sign_certificate server "keyUsage=digitalSignature
extendedKeyUsage=serverAuth
subjectAltName=DNS:localhost,IP:127.0.0.1" "$work/server.pub"
}

listening() { (exec 3<>"/dev/tcp/127.0.0.1/$1") 2>/dev/null; }

# serve NAME COMMAND...: starts a server in the background with @PORT@ replaced by a free loopback port; sets $port and
# $served (its process id) once it listens. Another port is tried when somebody else took it first.
serve() {
  local name=$1 attempt i
  shift
  for attempt in 1 2 3 4 5; do
    port=$((20000 + (RANDOM * 32768 + RANDOM) % 40000))
    listening "$port" && continue
    timeout --kill-after=5 290 "${@//@PORT@/$port}" >"$work/$name.log" 2>&1 </dev/null &
    served=$!
    daemons+=("$served")
    for i in {1..300}; do
      listening "$port" && return 0
      kill -0 "$served" 2>/dev/null || break
      sleep 0.1
    done
    end_process "$served"
  done
  fail "$name does not listen"
}

# serve_tls [openssl s_server arguments]: a server that wants a certificate of our CA and answers a status page.
serve_tls() {
  [ -e "$work/server.pem" ] || new_server_certificate
  serve s_server openssl s_server -accept 127.0.0.1:@PORT@ -cert "$work/server.pem" -key "$work/server.key" \
    -CAfile "$work/ca.pem" -Verify 2 -verify_return_error -www "$@"
}

# expect TEXT COMMAND...: the command ends well and its output (stdout and stderr) holds TEXT, a basic regular expression.
expect() {
  local text=$1
  shift
  if ! with_timeout 90 "$@" >"$work/out" 2>&1 </dev/null; then
    tail -n 30 "$work/out" >&2
    fail "exit status of: $*"
  fi
  grep -q -- "$text" "$work/out" || { tail -n 30 "$work/out" >&2; fail "no '$text' from: $*"; }
}

# refuse TEXT COMMAND...: the command fails in its own words.
refuse() {
  local text=$1
  shift
  if with_timeout 90 "$@" >"$work/out" 2>&1 </dev/null; then fail "should have been refused: $*"; fi
  grep -q -- "$text" "$work/out" || { tail -n 30 "$work/out" >&2; fail "no '$text' from: $*"; }
}

# offers MECHANISM: whether the module lists it (name as pkcs11-tool prints it).
offers() {
  [ -e "$work/mechanisms" ] || p11_public --list-mechanisms >"$work/mechanisms" 2>>"$work/setup.log"
  grep -q "^ *$1," "$work/mechanisms"
}

same() { cmp -s "$1" "$2" || fail "${1##*/} and ${2##*/} differ"; }
done_ok() { say "all passed"; exit 0; }
