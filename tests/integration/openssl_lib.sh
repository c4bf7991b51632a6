#!/usr/bin/env bash
# How OpenSSL programs reach the token: a configuration with the PKCS#11 engine, or on OpenSSL 3.5 the provider.
# Sourced after lib.sh.

# engine_settings: exports OPENSSL_CONF so that `-engine pkcs11` finds the module and the PIN.
engine_settings() {
  local engines
  engines=$(openssl version -e | sed 's/.*"\(.*\)"/\1/')
  [ -e "$engines/pkcs11.so" ] || skip "libengine-pkcs11-openssl is not installed (./install-packages tests)"
  cat >"$work/openssl-engine.cnf" <<SETTINGS
openssl_conf = openssl_init
[openssl_init]
engines = engines
[engines]
pkcs11 = pkcs11
[pkcs11]
engine_id = pkcs11
dynamic_path = $engines/pkcs11.so
MODULE_PATH = $module
PIN = $pin
init = 0
[req]
distinguished_name = req_name
[req_name]
SETTINGS
  export OPENSSL_CONF=$work/openssl-engine.cnf
}

# provider_settings: exports OPENSSL_CONF so that every pkcs11: URI is a key or certificate.
provider_settings() {
  local modules
  modules=$(openssl version -m | sed 's/.*"\(.*\)"/\1/')
  [ -e "$modules/pkcs11.so" ] || skip "pkcs11-provider is not installed; Debian has it from 13 on"
  printf '%s\n' "$pin" >"$work/pin"
  cat >"$work/openssl-provider.cnf" <<SETTINGS
openssl_conf = openssl_init
[openssl_init]
providers = providers
[providers]
default = default_provider
pkcs11 = pkcs11_provider
[default_provider]
activate = 1
[pkcs11_provider]
module = $modules/pkcs11.so
pkcs11-module-path = $module
pkcs11-module-token-pin = file:$work/pin
activate = 1
[req]
distinguished_name = req_name
[req_name]
SETTINGS
  export OPENSSL_CONF=$work/openssl-provider.cnf
}

key_uri() { printf 'pkcs11:token=%s;id=%%%s;type=private' "$token" "$1"; }
certificate_uri() { printf 'pkcs11:token=%s;id=%%%s;type=cert' "$token" "$1"; }
