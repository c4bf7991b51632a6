#!/usr/bin/env bash
# The life of a credential as a person sees it: a manager of its own, an administrator with a token, Alice and her token;
# sourced by the demonstration (quickstart) and by the test manager_story, not run.
#
# The caller sets $story (an empty folder), $story_kind (piv, gids, keystore, tpm), $cardea, $manager and $module, sources
# process_lib.sh and what starts cards and TPMs before, and defines `step TEXT NEXT COMMAND...`. Another database than the
# default one stands in $story_database, as the setting `database` takes it.
#
#   tell_story       every step
#   end_story        ends the manager

story_pin_source=
manager_id=
story_rounds=3
story_database=

value_of() { sed -n "s/.*\"$1\":\"\{0,1\}\([^\",}]*\).*/\1/p" | head -n 1; }

# Below the ports that the system gives to outgoing connections.
story_ports() {
  local port
  for port in $((10000 + RANDOM % 20000)) $((10000 + RANDOM % 20000)) $((10000 + RANDOM % 20000)); do
    (exec 3<>"/dev/tcp/127.0.0.1/$port") 2>/dev/null || printf '%s ' "$port"
  done
}

# What programs that use Alice's token need to know.
alice_settings() {
  export CARDEA_HOME=$story/alice CARDEA_CONF=$story/alice.toml XDG_CACHE_HOME=$story/alice
  mkdir -p "$CARDEA_HOME"
  case "$story_kind" in
    piv | gids) printf '[keystore]\nenabled = false\n' ;;
    keystore) printf '[card]\nenabled = false\n' ;;
    tpm) printf '[keystore]\nenabled = false\n[card]\nenabled = false\n[tpm]\ntcti = "%s"\n' "$tcti" ;;
  esac >"$CARDEA_CONF"
}

# In the administrator's environment, logged on with the key on the token.
as_admin() {
  (
    # shellcheck disable=SC1091
    . "$story/manager/administrator.env"
    export CARDEA_HOME=$story/admin CARDEA_CONF=$story/admin.toml OPENSSL_CONF=$story/openssl.cnf
    export CARDEA_MANAGER_KEY="pkcs11:token=administrator;id=%01;type=private$story_pin_source"
    timeout 120 "$cardea" "$@"
  )
}

# as_operator NAME COMMAND...: with an access token.
as_operator() {
  (
    . "$story/manager/administrator.env"
    unset CARDEA_MANAGER_CERTIFICATE
    export CARDEA_MANAGER_ACCESS_TOKEN_FILE=$story/$1.token
    shift
    timeout 120 "$cardea" "$@"
  )
}

administrator_token() {
  mkdir -p "$story/admin" && printf '[card]\nenabled = false\n' >"$story/admin.toml" &&
    printf '%08d\n' "$((10000000 + RANDOM * 2000 + RANDOM))" >"$story/admin-pin" &&
    (
      export CARDEA_HOME=$story/admin CARDEA_CONF=$story/admin.toml
      "$cardea" token init --label administrator --so-pin-file "$story/admin-pin" --pin-file "$story/admin-pin" &&
        "$cardea" key generate ec:P-256 --label administrator --id 01 --token administrator --pin-file "$story/admin-pin" &&
        "$cardea" cert request --id 01 --subject CN=administrator --output "$story/admin.csr" --token administrator \
          --pin-file "$story/admin-pin"
    )
}

# OpenSSL 3.0 reaches the administrator's key by its engine, 3.5 by its provider.
administrator_openssl() {
  local engines
  engines=$(openssl version -e | sed 's/.*"\(.*\)"/\1/')
  case "$(openssl version)" in
    "OpenSSL 3.0."*)
      printf '%s\n' 'openssl_conf = init' '[init]' 'engines = engines' '[engines]' 'pkcs11 = pkcs11' '[pkcs11]' \
        'engine_id = pkcs11' "dynamic_path = $engines/pkcs11.so" "MODULE_PATH = $module" \
        "PIN = $(cat "$story/admin-pin")" 'init = 0' >"$story/openssl.cnf" ;;
    *)
      : >"$story/openssl.cnf"
      export PKCS11_PROVIDER_MODULE=$module
      story_pin_source="?pin-source=file:$story/admin-pin" ;;
  esac
}

make_story_manager() {
  local ports
  read -r -a ports < <(story_ports)
  "$manager" config default | sed "s|/var/lib/cardea-manager|$story/manager|; s|^# port = 8443|port = ${ports[0]}|
    s|^# port = 8080|port = ${ports[1]}|; s|^# url = .*|url = \"http://127.0.0.1:${ports[1]}\"|
    ${story_database:+s|^# database = .*|database = \"$story_database\"|}" >"$story/manager.toml"
  plain_url=http://127.0.0.1:${ports[1]}
  timeout 120 "$manager" init --data "$story/manager" --config "$story/manager.toml" --organisation 'Cardea demo' \
    --host 127.0.0.1 --administrator administrator --administrator-request "$story/admin.csr" &&
    administrator_openssl &&
    (
      export CARDEA_HOME=$story/admin CARDEA_CONF=$story/admin.toml
      "$cardea" cert write "$story/manager/administrator.pem" --label administrator --token administrator \
        --pin-file "$story/admin-pin"
    )
}

start_story_manager() {
  local i
  timeout "${STORY_LIMIT:-1200}" "$manager" run --config "$story/manager.toml" >>"$story/manager.log" 2>&1 </dev/null &
  manager_id=$!
  server_url=$(. "$story/manager/administrator.env" && printf %s "$CARDEA_MANAGER")
  for i in {1..300}; do
    if timeout 10 curl --silent --noproxy '*' --cacert "$story/manager/ca.pem" "$server_url/v1/ready" >/dev/null; then
      return 0
    fi
    kill -0 "$manager_id" 2>/dev/null || return 1
    sleep 0.1
  done
  return 1
}

end_story() {
  [ -z "$manager_id" ] || end_process "$manager_id"
  manager_id=
}

logged_on() { as_admin manager whoami --json | grep >/dev/null '"operator:administrator"'; }
add_alice() { as_admin person add alice --display-name 'Alice Archer' --email alice@example.test; }

# ask KIND [OPTIONS...]: sets $request.
ask() {
  local kind=$1
  shift
  request=$(as_admin request create "$kind" --person alice "$@" --json | value_of id) && [ -n "$request" ]
}

# collect [OPTIONS...]: with a fresh code for $request, as Alice.
collect() {
  local code
  code=$(as_admin request code "$request") || return
  (alice_settings && timeout 120 "$cardea" collect "$code" --server "$server_url" --ca "$story/manager/ca.pem" \
    --device "$story_kind" --interval 1 --pin-file "$story/pin" --new-pin-file "$story/pin" "$@")
}

# The number of Alice's only live token.
find_token() {
  alice_token=$(as_admin manager token list --state issued --json | value_of serial) && [ -n "$alice_token" ]
}

issue() { ask issue --profile "staff-$story_kind" && collect && find_token; }
renew() { ask renew --serial "$alice_token" && collect; }

# live_certificate CONTAINER FILE: Alice's, in PEM.
live_certificate() {
  local id
  id=$(as_admin manager cert list --person alice --state active --json | tr '{' '\n' | grep "\"container\":\"$1\"" |
    value_of id) && [ -n "$id" ] &&
    { echo '-----BEGIN CERTIFICATE-----'
      as_admin manager cert show "$id" --json | value_of certificate | fold -w 64
      echo '-----END CERTIFICATE-----'; } >"$2" && openssl x509 -in "$2" -noout
}

# Encrypted to Alice's present key by OpenSSL.
seal_mail() {
  printf 'Content-Type: text/plain\r\n\r\nMail to Alice, generation %s.\r\n' "$1" >"$story/mail$1.txt"
  live_certificate encryption "$story/encryption$1.pem" &&
    openssl cms -encrypt -binary -aes-256-cbc -in "$story/mail$1.txt" -outform DER -out "$story/mail$1.p7" \
      "$story/encryption$1.pem"
}

# Opened by NSS with whatever key on the token fits.
open_mail() {
  (
    alice_settings
    rm -rf "$story/nss" && mkdir "$story/nss"
    label=$("$cardea" token list --json | tr '{' '\n' | grep '"initialized":true' | value_of label)
    printf '%s:%s\nNSS Certificate DB:\n' "$label" "$(cat "$story/pin")" >"$story/nss-pins"
    certutil -N -d "sql:$story/nss" --empty-password &&
      modutil -force -dbdir "sql:$story/nss" -add cardea -libfile "$module" -mechanisms FRIENDLY &&
      timeout 60 cmsutil -D -d "sql:$story/nss" -f "$story/nss-pins" -i "$story/mail$1.p7" -o "$story/mail$1.read" &&
      cmp "$story/mail$1.txt" "$story/mail$1.read"
  )
}

# Alice's certificate and key open a page of a server that trusts the manager's authorities.
open_page() {
  local page_port id i status
  read -r page_port _ < <(story_ports)
  live_certificate authentication "$story/authentication.pem" || return
  openssl s_server -accept "127.0.0.1:$page_port" -cert "$story/manager/server.pem" -key "$story/manager/server.key" \
    -cert_chain "$story/manager/server.pem" -CAfile "$story/trust.pem" -Verify 4 -verify_return_error -www \
    >>"$story/page.log" 2>&1 </dev/null &
  id=$!
  for i in {1..300}; do
    (exec 3<>"/dev/tcp/127.0.0.1/$page_port") 2>/dev/null && break
    sleep 0.1
  done
  page_with_curl "$page_port"
  status=$?
  end_process "$id"
  return "$status"
}

page_with_curl() {
  (
    alice_settings
    key_id=$("$cardea" object list --json --login --pin-file "$story/pin" | tr '{' '\n' | grep private | grep -i authenti |
      value_of id)
    uri="pkcs11:id=$(printf %s "$key_id" | sed 's/../%&/g');type=private"
    case "$(openssl version)" in
      "OpenSSL 3.0."*)
        sed "s/^PIN = .*/PIN = $(cat "$story/pin")/" "$story/openssl.cnf" >"$story/alice-openssl.cnf"
        how=(--engine pkcs11 --key-type ENG) ;;
      *) : >"$story/alice-openssl.cnf" && uri="$uri?pin-source=file:$story/pin" && how=(--key-type PROV) ;;
    esac
    OPENSSL_CONF=$story/alice-openssl.cnf timeout 60 curl --silent --show-error --noproxy '*' \
      --cacert "$story/manager/ca.pem" "${how[@]}" --key "$uri" --cert "$story/authentication.pem" \
      "https://127.0.0.1:$1/" >"$story/page.html" && grep -q 'CN *= *Alice Archer' "$story/page.html"
  )
}

fetch_authorities() {
  curl --silent --noproxy '*' --max-time 20 "$plain_url/certificates/issuing.cer" | openssl x509 -inform DER \
    -out "$story/issuing.pem" && cat "$story/issuing.pem" "$story/manager/ca.pem" >"$story/trust.pem"
}

# Wrong PINs until the token is locked; by NSS, since `cardea` does not give the last try away.
block_pin() {
  local i
  (
    alice_settings
    sed 's/:.*/:00000000/' "$story/nss-pins" >"$story/wrong-pins"
    for i in {1..16}; do
      timeout 60 certutil -K -d "sql:$story/nss" -h all -f "$story/wrong-pins" </dev/null
      ! "$cardea" token list --json | grep >/dev/null '"user_pin":"locked"' || exit 0
    done
    exit 1
  )
}

unblock() {
  printf '%08d\n' "$((20000000 + RANDOM * 2000 + RANDOM))" >"$story/pin"
  ask unblock --serial "$alice_token" && collect
}

lose_token() {
  local i
  live_certificate authentication "$story/lost.pem" && ask cancel --serial "$alice_token" --reason lost || return
  for i in {1..60}; do
    as_admin manager cert list --person alice --state active --json | grep >/dev/null '"id"' || return 0
    sleep 0.5
  done
  return 1
}

ocsp_says_revoked() {
  openssl ocsp -issuer "$story/issuing.pem" -cert "$story/lost.pem" -CAfile "$story/manager/ca.pem" \
    -verify_other "$story/issuing.pem" -url "$plain_url/ocsp/issuing" >"$story/ocsp.txt" 2>&1
  grep -q ': revoked' "$story/ocsp.txt"
}

crl_says_revoked() {
  local serial
  serial=$(openssl x509 -in "$story/lost.pem" -noout -serial | cut -d= -f2)
  as_admin ca crl issuing >"$story/crl.txt" &&
    curl --silent --noproxy '*' --max-time 20 "$plain_url/crl/issuing.crl" | openssl crl -inform DER -noout -text >"$story/crl.txt" &&
    grep -q "$serial" "$story/crl.txt"
}

appoint() {
  local name
  for name in rosa ruth; do
    as_admin operator add "$name" --role key_recovery --scope all &&
      as_admin operator access-token create "$name" --name demo --out "$story/$name.token" || return
  done
}

approve() {
  ask replace --serial "$alice_token" --reason lost && as_operator rosa request approve "$request" &&
    ! as_operator rosa request approve "$request" && as_operator ruth request approve "$request"
}

replace_token() {
  old_token=$alice_token
  collect && find_token && [ "$alice_token" != "$old_token" ]
}

audit_is_intact() { as_admin audit verify --json | grep >/dev/null '"intact":true'; }

# The token that Alice has in hand: a new card in the reader, or nothing where the agent makes it. Her first generic
# minidriver card is blank, the second one was initialised by somebody.
hand_over() {
  case "$story_kind" in
    piv) [ -z "${2:-}" ] || remove_card "$2"; new_card "$1" piv && insert_card "$1" ;;
    gids)
      if [ -z "${2:-}" ]; then new_card "$1" gids; else remove_card "$2"; new_card "$1" gids --initialised; fi
      insert_card "$1" ;;
    *) [ -z "${2:-}" ] || rm -rf "$story/alice" ;;
  esac
}

tell_story() {
  local round
  umask 077
  printf '%08d\n' "$((30000000 + RANDOM * 2000 + RANDOM))" >"$story/pin"
  step "administrator's key made on a token" "run: $cardea doctor" administrator_token
  step "manager made: database, keys in a token, authorities, its certificate, the administrator's onto the token" \
    "read the lines above" make_story_manager
  step "cardea-manager serves on loopback" "see $story/manager.log" start_story_manager
  step "administrator logged on with the token (mutual TLS)" "see $story/manager.log" logged_on
  step "authorities' certificates fetched over plain HTTP" "see $story/manager.log" fetch_authorities
  step "Alice is known" "see $story/manager.log" add_alice
  step "Alice holds a new token ($story_kind)" "see docs/virtual-cards.md" hand_over first
  step "credential requested, collected with its one-time code, written, read back, secrets replaced" \
    "run: $cardea job list" issue
  step "curl opened a page with Alice's key (mutual TLS)" "see docs/troubleshooting.md" open_page
  step "mail encrypted to Alice by OpenSSL" "see docs/troubleshooting.md" seal_mail 0
  step "NSS opens it with the archived key on the token" "see docs/troubleshooting.md" open_mail 0
  if [ "$story_kind" != tpm ]; then # its lock-out is the whole machine's, and ends by time
    step "PIN blocked by wrong entries" "run: $cardea doctor" block_pin
  fi
  step "PIN unblocked through the manager" "run: $cardea job list" unblock
  for ((round = 1; round <= story_rounds; ++round)); do
    step "credential renewed in place with the same PIN, $round of $story_rounds" "run: $cardea job list" renew
  done
  step "the first mail still opens" "see docs/troubleshooting.md" open_mail 0
  step "token lost: cancelled, its certificates revoked" "run: $cardea job list" lose_token
  step "OCSP says so" "see $story/ocsp.txt" ocsp_says_revoked
  step "the CRL says so" "see $story/crl.txt" crl_says_revoked
  step "two operators for key recovery appointed" "see $story/manager.log" appoint
  step "replacement asked for, approved by both, by one alone not" "see $story/manager.log" approve
  step "Alice holds another token" "see docs/virtual-cards.md" hand_over second first
  step "replacement collected" "run: $cardea job list" replace_token
  step "the mail of $story_rounds key generations ago opens with the replacement" "see docs/troubleshooting.md" open_mail 0
  step "the audit log is intact" "run: $cardea audit verify" audit_is_intact
}
