#!/usr/bin/env bash
# What the NSS tests share: a database that knows our module and trusts our CA. Sourced after lib.sh.

nss_db=$work/nssdb
nss_pins=$work/nss-pins

# new_nss_db: a database of its own with the module added by modutil.
new_nss_db() {
  mkdir -p "$nss_db"
  printf 'NSS Certificate DB:\n%s:%s\n' "$token" "$pin" >"$nss_pins"
  certutil -N -d "sql:$nss_db" --empty-password >>"$work/setup.log" 2>&1 || fail "certutil -N"
  # FRIENDLY: certificates are public on this module, so NSS need not log in to look at them.
  modutil -force -dbdir "sql:$nss_db" -add cardea -libfile "$module" -mechanisms FRIENDLY >>"$work/setup.log" 2>&1 ||
    fail "modutil -add"
  expect "Token Name: *$token" modutil -dbdir "sql:$nss_db" -list cardea
}

trust_ca() { certutil -A -d "sql:$nss_db" -n 'Test root' -t 'CT,CT,CT' -i "$work/ca.pem" >>"$work/setup.log" 2>&1; }
