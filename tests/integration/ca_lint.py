#!/usr/bin/env python3
"""Reads certificates (PEM) and CRLs (DER) with another maker's strict parser and checks what RFC 5280 and FIPS 201 say.

usage: ca_lint.py FILE...    exit status 1 when a file is not as it should be, with a line for each mistake
"""
import sys

from cryptography import x509
from cryptography.x509.oid import ExtensionOID as E

mistakes = []


def wrong(path, words):
    mistakes.append(f"{path}: {words}")


def has(certificate, oid):
    try:
        return certificate.extensions.get_extension_for_oid(oid)
    except x509.ExtensionNotFound:
        return None


def lint_certificate(path, certificate):
    if certificate.version != x509.Version.v3:
        wrong(path, "is not of version 3")
    serial = certificate.serial_number
    if not 0 < serial < 1 << 159:
        wrong(path, "serial number is not positive or has more than 20 bytes (RFC 5280, 4.1.2.2)")
    if serial.bit_length() < 96:
        wrong(path, "serial number has too few random bits")
    if certificate.not_valid_before >= certificate.not_valid_after:
        wrong(path, "is never valid")
    constraints = has(certificate, E.BASIC_CONSTRAINTS)
    is_ca = constraints is not None and constraints.value.ca
    usage = has(certificate, E.KEY_USAGE)
    if usage is None or not usage.critical:
        wrong(path, "key usage is missing or not critical (4.2.1.3)")
    elif usage.value.key_cert_sign != is_ca:
        wrong(path, "keyCertSign and basic constraints differ (4.2.1.9)")
    if constraints is not None and is_ca and not constraints.critical:
        wrong(path, "basic constraints of a CA are not critical (4.2.1.9)")
    if has(certificate, E.SUBJECT_KEY_IDENTIFIER) is None:
        wrong(path, "has no subject key identifier (4.2.1.2)")
    authority = has(certificate, E.AUTHORITY_KEY_IDENTIFIER)
    if authority is None or authority.value.key_identifier is None:
        wrong(path, "has no authority key identifier (4.2.1.1)")
    names = has(certificate, E.SUBJECT_ALTERNATIVE_NAME)
    if not list(certificate.subject):
        if names is None or not names.critical:
            wrong(path, "without subject the alternative names must be critical (4.2.1.6)")
        if is_ca:
            wrong(path, "a CA must have a subject (4.1.2.6)")
    purposes = has(certificate, E.EXTENDED_KEY_USAGE)
    delegated = purposes is not None and x509.oid.ExtendedKeyUsageOID.OCSP_SIGNING in list(purposes.value)
    if delegated and has(certificate, E.OCSP_NO_CHECK) is None:
        wrong(path, "an OCSP signer has no nocheck (RFC 6960, 4.2.2.2.1)")
    leaf = not is_ca and not delegated
    if leaf and (has(certificate, E.CRL_DISTRIBUTION_POINTS) is None or has(certificate, E.AUTHORITY_INFORMATION_ACCESS) is None):
        wrong(path, "does not say where its state is published")
    for extension in certificate.extensions:
        if isinstance(extension.value, x509.UnrecognizedExtension) and extension.critical:
            wrong(path, f"has the unknown critical extension {extension.oid.dotted_string}")
    certificate.public_key()
    certificate.subject.rfc4514_string()


def lint_crl(path, crl):
    if crl.next_update is None or crl.next_update <= crl.last_update:
        wrong(path, "has no next update (5.1.2.5)")
    number = has(crl, E.CRL_NUMBER)
    if number is None or number.critical or number.value.crl_number >= 1 << 159:
        wrong(path, "has no CRL number (5.2.3)")
    if has(crl, E.AUTHORITY_KEY_IDENTIFIER) is None:
        wrong(path, "has no authority key identifier (5.2.1)")
    for entry in crl:
        list(entry.extensions)


for name in sys.argv[1:]:
    with open(name, "rb") as file:
        content = file.read()
    if name.endswith(".crl.pem"):
        continue
    if name.endswith(".crl"):
        lint_crl(name, x509.load_der_x509_crl(content))
        continue
    for block in content.split(b"-----BEGIN CERTIFICATE-----")[1:]:
        lint_certificate(name, x509.load_pem_x509_certificate(b"-----BEGIN CERTIFICATE-----" + block))

for mistake in mistakes:
    print(mistake, file=sys.stderr)
sys.exit(1 if mistakes else 0)
