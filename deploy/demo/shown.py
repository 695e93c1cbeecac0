"""The demo as other machines see it: `make demo HOST=name`, over TLS, with an authority made for this run.

The authority may sign for that name and those below it alone (RFC 5280 4.2.1.10), for a day. Its key is never written
anywhere, and is gone once it has signed the one certificate.
"""

import re
import socket
import ssl
from collections.abc import Iterable
from datetime import UTC, datetime, timedelta
from ipaddress import ip_network
from pathlib import Path
from typing import Final

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID

from deploy.demo.place import LOCAL, LOOPBACK, ROOT, Ports, Site

AUTHORITY: Final = "ca.crt"
_OWN: Final = "shown"
_LIVES: Final = timedelta(days=1)
_NAME: Final = re.compile(r"(?=.{1,200}\Z)[a-z0-9]([a-z0-9-]*[a-z0-9])?(\.[a-z0-9]([a-z0-9-]*[a-z0-9])?)*")
# What stands before `.localhost` in files of the policy, those of the person's own applications among them.
_LABEL: Final = "[a-z0-9](?:[a-z0-9-]*[a-z0-9])?"
_BELOW: Final = rf"(?:\*|{_LABEL})(?:\.{_LABEL})*"
_HOST: Final = re.compile(rf"(?<![a-z0-9.*-])({_BELOW})\.{LOCAL}\b")


class HostRefused(Exception):
    """What stands behind HOST= cannot be shown; the text is for the person at the terminal."""


def checked(host: str) -> str:
    """The name in small letters. Raises HostRefused."""
    name = host.lower()
    if not _NAME.fullmatch(name) or name.replace(".", "").isdigit():
        raise HostRefused(f"HOST={host}: a name is wanted, such as demo.example.org; applications get names below it")
    if name == LOCAL or name.endswith(f".{LOCAL}"):
        # RFC 6761 6.3
        raise HostRefused(
            f"HOST={host}: to browsers this is the machine that they run on; `make demo` alone is for that"
        )
    try:
        socket.getaddrinfo(name, None)
    except OSError:
        raise HostRefused(
            f"HOST={host}: this machine does not find it. Have it, and the names below it, lead here in the DNS, or"
            f" write a line into /etc/hosts: 127.0.0.1 {' '.join(in_hosts_file(names_at(ROOT / 'policies', name)))}"
        ) from None
    return name


def names_at(policies: Path, host: str) -> tuple[str, ...]:
    """`host`, and the name below it of each host that the files have, as they were before they were moved there."""
    below = {f"{name}.{host}" for path in policies.rglob("*.yaml") for name in _HOST.findall(path.read_text())}
    return (host, *sorted(below))


def in_hosts_file(names: Iterable[str]) -> list[str]:
    """Without wildcards, of which /etc/hosts knows nothing."""
    return [name for name in names if not name.startswith("*.")]


def shown(folder: Path, host: str, ports: Ports) -> Site:
    """`folder`/policies, a copy, is changed to be served at `host`; the certificates come into `folder`/certs."""
    certs = folder / "certs"
    certs.mkdir(exist_ok=True)
    names = names_at(folder / "policies", host)
    make_certificates(certs, host, names)
    for path in _files(folder):
        path.write_text(_moved(path.read_text(), host, ports, is_provider=path.parent.name == "providers"))
    context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    context.load_cert_chain(certs / f"{_OWN}.crt", certs / f"{_OWN}.key")
    return Site(host, context, names)


def make_certificates(folder: Path, host: str, names: Iterable[str]) -> None:
    """ca.crt, and one certificate for `names` with its key. The authority's key ends with this function."""
    authority, own = ec.generate_private_key(ec.SECP256R1()), ec.generate_private_key(ec.SECP256R1())
    issuer = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, f"Écluse demo, this run, {host[:24]}")])
    everywhere = [x509.IPAddress(ip_network(network)) for network in ("0.0.0.0/0", "::/0")]
    root = (
        _certificate(issuer, issuer, authority.public_key())
        .add_extension(x509.BasicConstraints(ca=True, path_length=0), critical=True)
        .add_extension(x509.NameConstraints([x509.DNSName(host)], everywhere), critical=True)
        .add_extension(_usage(signs_certificates=True), critical=True)
        .add_extension(x509.SubjectKeyIdentifier.from_public_key(authority.public_key()), critical=False)
        .sign(authority, hashes.SHA256())
    )
    subject = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, host[:64])])
    leaf = (
        _certificate(subject, issuer, own.public_key())
        .add_extension(x509.BasicConstraints(ca=False, path_length=None), critical=True)
        .add_extension(x509.SubjectAlternativeName([x509.DNSName(name) for name in names]), critical=False)
        .add_extension(_usage(signs_certificates=False), critical=True)
        .add_extension(x509.ExtendedKeyUsage([ExtendedKeyUsageOID.SERVER_AUTH]), critical=False)
        .add_extension(x509.AuthorityKeyIdentifier.from_issuer_public_key(authority.public_key()), critical=False)
        .sign(authority, hashes.SHA256())
    )
    pem = serialization.Encoding.PEM
    key = own.private_bytes(pem, serialization.PrivateFormat.PKCS8, serialization.NoEncryption())
    for name, content in (
        (AUTHORITY, root.public_bytes(pem)),
        (f"{_OWN}.crt", leaf.public_bytes(pem)),
        (f"{_OWN}.key", key),
    ):
        (folder / name).touch(mode=0o600)
        (folder / name).write_bytes(content)


def _certificate(subject: x509.Name, issuer: x509.Name, key: ec.EllipticCurvePublicKey) -> x509.CertificateBuilder:
    now = datetime.now(UTC)
    builder = x509.CertificateBuilder().subject_name(subject).issuer_name(issuer).public_key(key)
    builder = builder.serial_number(x509.random_serial_number())
    return builder.not_valid_before(now - timedelta(minutes=5)).not_valid_after(now + _LIVES)


def _usage(*, signs_certificates: bool) -> x509.KeyUsage:
    return x509.KeyUsage(
        digital_signature=not signs_certificates,
        content_commitment=False,
        key_encipherment=False,
        data_encipherment=False,
        key_agreement=False,
        key_cert_sign=signs_certificates,
        crl_sign=False,
        encipher_only=False,
        decipher_only=False,
    )


def _files(folder: Path) -> list[Path]:
    return sorted((folder / "policies").rglob("*.yaml"))


def _moved(text: str, host: str, ports: Ports, *, is_provider: bool) -> str:
    """The addresses of the example as browsers elsewhere know them; what only the gateway reaches stays here."""
    text = re.sub(rf"http://(?={_BELOW}\.{LOCAL}\b)", "https://", text)
    text = _HOST.sub(rf"\1.{host}", text)
    if is_provider:
        text = text.replace(f"http://{LOOPBACK}:", f"https://{host}:")
        trust = f"  ca: {{file: ../certs/{AUTHORITY}}}\n  private_addresses: true\n"
        return re.sub(r"^(  (?:issuer|entity_id): .*\n)", lambda found: found[1] + trust, text, flags=re.MULTILINE)
    tls = f"tls: {{certificate: {{file: ../certs/{_OWN}.crt}}, key: {{file: ../certs/{_OWN}.key}}}}"
    text = text.replace(f"address: {LOOPBACK}:{ports.public}", f"address: 0.0.0.0:{ports.public}, {tls}")
    # Browsers that keep to https at these names would refuse whatever else is there, and the next run's authority, for
    # half a year.
    local = r"^# For one's own machine only.*\n(#.*\n)*development: true\n"
    return re.sub(local, "hsts: 0s\n", text, flags=re.MULTILINE)
