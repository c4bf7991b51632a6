#!/usr/bin/env bash
# curl: a mutual-TLS request with key and certificate named by PKCS#11 URIs, through the engine or the provider.
. "$(dirname "$0")/lib.sh"
begin curl
. "$here/openssl_lib.sh"
new_identities
serve_tls

request() {
  local name=$1 version=$2
  shift 2
  with_timeout 60 curl --silent --show-error --noproxy '*' --cacert "$work/ca.pem" "--tlsv1.$version" \
    --tls-max "1.$version" "$@" "https://127.0.0.1:$port/" >"$work/page" 2>"$work/curl.log" ||
    fail "curl with TLS 1.$version and $name"
  grep -q "CN *= *$name" "$work/page" || fail "the server saw no certificate of $name"
  pass "curl, TLS 1.$version, $name"
}

engine_requests() {
  local version
  for version in 2 3; do
    request rsa "$version" --engine pkcs11 --key-type ENG --key "$(key_uri 01)" --cert "$work/rsa.pem"
    request ec "$version" --engine pkcs11 --key-type ENG --key "$(key_uri 02)" --cert "$work/ec.pem"
    request ec "$version" --engine pkcs11 --key-type ENG --key "$(key_uri 02)" --cert-type ENG \
      --cert "$(certificate_uri 02)"
  done
}

# curl 8.12 and later takes URIs for a provider. It loads the provider without the settings in openssl.cnf, so the
# environment names the module and the URI the PIN.
provider_requests() {
  local version
  export PKCS11_PROVIDER_MODULE=$module
  printf '%s\n' "$pin" >"$work/pin"
  for version in 2 3; do
    request rsa "$version" --key-type PROV --key "$(key_uri 01)?pin-source=file:$work/pin" --cert "$work/rsa.pem"
    request ec "$version" --key-type PROV --key "$(key_uri 02)?pin-source=file:$work/pin" --cert "$work/ec.pem"
  done
}

refused() {
  if with_timeout 60 curl --silent --noproxy '*' --cacert "$work/ca.pem" "https://127.0.0.1:$port/" >"$work/page" 2>&1
  then fail "the server lets a client in without a certificate"; fi
  pass "no certificate, no page"
}

refused
case "$(openssl version)" in
  "OpenSSL 3.0."*) engine_settings; engine_requests ;;
  *)
    modules=$(openssl version -m | sed 's/.*"\(.*\)"/\1/')
    [ -e "$modules/pkcs11.so" ] || skip "pkcs11-provider is not installed (./install-packages tests)"
    provider_requests ;;
esac
done_ok
