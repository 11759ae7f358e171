"""An own certificate authority, and certificates of it, for development and for the network between our own parts.

`fittracker certificates` calls it. What the public reaches needs a certificate of an authority that the public knows.
"""

from __future__ import annotations

import os
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from ipaddress import ip_address
from pathlib import Path

from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import (
    Encoding,
    NoEncryption,
    PrivateFormat,
    load_pem_private_key,
)
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID

from deploy.errors import FriendlyError

AUTHORITY_DAYS = 3650
METRIC = "fittracker_certificate_expires_timestamp_seconds"
LOCAL_NAMES = ("localhost", "127.0.0.1", "::1")
CURVE = ec.SECP256R1()


@dataclass(frozen=True, slots=True)
class MadeCertificate:
    """A file that was made or kept, and when it ends."""

    file: Path
    expires: datetime
    is_new: bool


def make_certificates(folder: Path, names: Sequence[str], *, days: int, renew_days: int) -> list[MadeCertificate]:
    """`ca.crt`, and `NAME.crt` with `NAME.key` for each name, all PEM; each is for NAME, localhost and its addresses.

    What is there stays while it has more than `renew_days` left. Keys are readable by their owner only. Raises
    FriendlyError where a file that is there cannot be read.
    """
    folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    authority, authority_key, is_new = _authority(folder)
    made = [MadeCertificate(folder / "ca.crt", authority.not_valid_after_utc, is_new)]
    for name in names:
        file = folder / f"{name}.crt"
        expires = None if is_new else _expires(file)
        if expires is not None and expires - datetime.now(UTC) > timedelta(days=renew_days):
            made.append(MadeCertificate(file, expires, is_new=False))
            continue
        key = ec.generate_private_key(CURVE)
        certificate = _signed(name, key, authority, authority_key, days)
        _write(folder / f"{name}.key", _private_pem(key), 0o600)
        _write(file, certificate.public_bytes(Encoding.PEM), 0o644)
        made.append(MadeCertificate(file, certificate.not_valid_after_utc, is_new=True))
    return made


def write_metric(file: Path, made: Sequence[MadeCertificate]) -> None:
    """For node-exporter's text files, which the alert CertificateExpires reads."""
    lines = [f"# HELP {METRIC} When a certificate ends.", f"# TYPE {METRIC} gauge"]
    lines += [f'{METRIC}{{file="{each.file.name}"}} {each.expires.timestamp():.0f}' for each in made]
    _write(file, ("\n".join(lines) + "\n").encode(), 0o644)


def _authority(folder: Path) -> tuple[x509.Certificate, ec.EllipticCurvePrivateKey, bool]:
    certificate_file, key_file = folder / "ca.crt", folder / "ca.key"
    if certificate_file.exists() and key_file.exists():
        try:
            certificate = x509.load_pem_x509_certificate(certificate_file.read_bytes())
            key = load_pem_private_key(key_file.read_bytes(), None)
        except (ValueError, TypeError) as error:
            raise FriendlyError(
                f"{folder}: the authority there cannot be read: {error}", "name another folder"
            ) from None
        if not isinstance(key, ec.EllipticCurvePrivateKey):
            raise FriendlyError(f"{key_file} is no key of ours", "name another folder")
        return certificate, key, False
    key = ec.generate_private_key(CURVE)
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "FitTracker development authority")])
    certificate = (
        _builder(name, name, key, AUTHORITY_DAYS)
        .add_extension(x509.BasicConstraints(ca=True, path_length=0), critical=True)
        .add_extension(_usage(signs_certificates=True), critical=True)
        .sign(key, hashes.SHA256())
    )
    _write(key_file, _private_pem(key), 0o600)
    _write(certificate_file, certificate.public_bytes(Encoding.PEM), 0o644)
    return certificate, key, True


def _signed(
    name: str,
    key: ec.EllipticCurvePrivateKey,
    authority: x509.Certificate,
    authority_key: ec.EllipticCurvePrivateKey,
    days: int,
) -> x509.Certificate:
    subject = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, name[:64])])
    names = [_general_name(each) for each in dict.fromkeys((name, *LOCAL_NAMES))]
    usages = [ExtendedKeyUsageOID.SERVER_AUTH, ExtendedKeyUsageOID.CLIENT_AUTH]
    return (
        _builder(subject, authority.subject, key, days)
        .add_extension(x509.SubjectAlternativeName(names), critical=False)
        .add_extension(x509.BasicConstraints(ca=False, path_length=None), critical=True)
        .add_extension(_usage(signs_certificates=False), critical=True)
        .add_extension(x509.ExtendedKeyUsage(usages), critical=False)
        .add_extension(x509.AuthorityKeyIdentifier.from_issuer_public_key(authority_key.public_key()), critical=False)
        .sign(authority_key, hashes.SHA256())
    )


def _builder(
    subject: x509.Name, issuer: x509.Name, key: ec.EllipticCurvePrivateKey, days: int
) -> x509.CertificateBuilder:
    now = datetime.now(UTC)
    return (
        x509.CertificateBuilder()
        .subject_name(subject)
        .issuer_name(issuer)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - timedelta(minutes=5))  # clocks differ
        .not_valid_after(now + timedelta(days=days))
        .add_extension(x509.SubjectKeyIdentifier.from_public_key(key.public_key()), critical=False)
    )


def _usage(*, signs_certificates: bool) -> x509.KeyUsage:
    return x509.KeyUsage(
        digital_signature=True,
        content_commitment=False,
        key_encipherment=False,
        data_encipherment=False,
        key_agreement=False,
        key_cert_sign=signs_certificates,
        crl_sign=signs_certificates,
        encipher_only=False,
        decipher_only=False,
    )


def _general_name(name: str) -> x509.GeneralName:
    try:
        return x509.IPAddress(ip_address(name))
    except ValueError:
        return x509.DNSName(name)


def _expires(file: Path) -> datetime | None:
    """None where there is no certificate that can be read."""
    try:
        return x509.load_pem_x509_certificate(file.read_bytes()).not_valid_after_utc
    except (OSError, ValueError):
        return None


def _private_pem(key: ec.EllipticCurvePrivateKey) -> bytes:
    return key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())


def _write(file: Path, content: bytes, mode: int) -> None:
    """Whole or not at all, and never readable by more than `mode` allows."""
    partial = file.with_name(f".{file.name}.part")
    descriptor = os.open(partial, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, mode)
    with os.fdopen(descriptor, "wb") as stream:
        stream.write(content)
    partial.chmod(mode)
    partial.replace(file)
