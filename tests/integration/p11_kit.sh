#!/usr/bin/env bash
# p11-kit: the module registered by a module file, seen through the proxy, and served to four clients at once by its
# remoting server, as sandboxes and remote sessions use it.
. "$(dirname "$0")/lib.sh"
begin p11-kit p11tool
new_identities
public_key 02 "$work/ec.pub"

libraries=$(dirname "$(ldconfig -p | awk '/libp11-kit\.so\.0/{print $NF; exit}')")
client=$libraries/pkcs11/p11-kit-client.so
proxy=$libraries/p11-kit-proxy.so
[ -e "$client" ] || skip "p11-kit-modules is not installed (./install-packages tests)"

# A user's module file. p11-kit ignores those of root, so root tries it as nobody, with a copy of module and token.
test_registered() {
  local user=$work/user as=()
  mkdir -p "$user/.config/pkcs11/modules"
  cp -L "$module" "$user/module.so"
  cp -a "$CARDEA_HOME" "$user/cardea"
  printf 'module: %s\n' "$user/module.so" >"$user/.config/pkcs11/modules/cardea-test.module"
  if [ "$(id -u)" = 0 ]; then
    case "$module" in *softhsm*) say "not tried: SoftHSM2's token belongs to root"; return ;; esac
    chmod 711 "$work"
    chown -R 65534:65534 "$user"
    as=(setpriv --reuid=65534 --regid=65534 --clear-groups)
  fi
  as+=(env HOME="$user" XDG_CONFIG_HOME="$user/.config" CARDEA_HOME="$user/cardea" TMPDIR="$user")
  expect "token: $token" "${as[@]}" p11-kit list-modules
  expect 'rsa' "${as[@]}" pkcs11-tool --module "$proxy" --token-label "$token" --login --pin "$pin" --list-objects
  pass "registered by a user's module file, seen through the proxy"
}

start_server() {
  local i
  timeout --kill-after=5 250 p11-kit --verbose server --foreground --provider "$(readlink -f "$module")" --name "$work/run/p11-kit" \
    "pkcs11:token=$token" >"$work/server.log" 2>&1 </dev/null &
  daemons+=($!)
  for i in {1..100}; do [ -S "$work/run/p11-kit" ] && break; sleep 0.1; done
  [ -S "$work/run/p11-kit" ] || fail "p11-kit server makes no socket"
  export P11_KIT_SERVER_ADDRESS=unix:path=$work/run/p11-kit
}

# One remote client: signs and verifies several times.
remote_client() {
  local i file=$work/remote.$1
  for i in 1 2 3 4 5; do
    openssl rand -out "$file.digest" 32
    with_timeout 60 pkcs11-tool --module "$client" --token-label "$token" --login --pin "$pin" --sign --id 02 \
      --mechanism ECDSA --signature-format openssl --input-file "$file.digest" --output-file "$file.signature" \
      >"$file.log" 2>&1 </dev/null || return 1
    openssl pkeyutl -verify -pubin -inkey "$work/ec.pub" -in "$file.digest" -sigfile "$file.signature" \
      >>"$file.log" 2>&1 || return 1
  done
}

test_four_clients() {
  local i clients=()
  for i in 1 2 3 4; do
    remote_client "$i" &
    clients+=($!)
  done
  for i in "${clients[@]}"; do wait "$i" || fail "one of four remote clients"; done
  pass "four clients at once through p11-kit server"
}

test_registered
start_server
expect "token label *: $token" pkcs11-tool --module "$client" --list-slots
expect 'rsa' pkcs11-tool --module "$client" --token-label "$token" --login --pin "$pin" --list-objects
test_four_clients
done_ok
