"""Rules about gateway.yaml: listeners, keys, certificates and limits."""

import posixpath
import shlex
from collections.abc import Iterator
from datetime import UTC, datetime
from ipaddress import ip_address, ip_network
from typing import Any

from cryptography import x509
from cryptography.hazmat.primitives.asymmetric.ec import EllipticCurvePublicKey
from cryptography.hazmat.primitives.asymmetric.rsa import RSAPublicKey
from cryptography.hazmat.primitives.hashes import MD5, SHA1
from cryptography.x509.oid import ExtensionOID

from gateway.config.problems import Path, Problem
from gateway.config.schema.scalars import Reference
from gateway.lint.subject import Of, Subject, references

_SECRETS = ("secret", "key", "client_secret", "value")
_NEAR_SECONDS = 30 * 86400
# As keys end: of an application or a provider; of a directory.
_CLIENT_CERTIFICATES = (("client_certificate", "certificate"), ("certificate", "certificate"))
_SMALLEST_RSA, _SMALLEST_CURVE = 2048, 256
_FEWEST_CHARACTERS = 8
_WIDEST = {4: 8, 6: 32}
_MOST = {"request_head": 60.0, "idle": 600.0, "body": 600.0, "connect": 30.0, "total": 86400.0, "drain": 300.0}


def development(subject: Subject) -> Iterator[Problem]:
    if subject.gateway.model.development:
        say = "providers and portal may use http, and secrets may be in the files: this is for a developer's machine"
        yield subject.gateway.at("development", say=say, write="leave it out")


def memory_store(subject: Subject) -> Iterator[Problem]:
    if subject.gateway.model.store.type == "memory":
        yield subject.gateway.at("store", "type", say="a restart signs everybody out", write="sqlite")


def store_in_the_clear(subject: Subject) -> Iterator[Problem]:
    """A store without TLS on another machine. A host name counts as another machine: DNS may answer any address. So do
    Sentinels and a cluster, which name further servers."""
    server = subject.gateway.model.store.server
    if server is not None and server.tls is None and not (server.address and _is_loopback(server.address[0])):
        say = "an attacker on the network can read this server's password, end all sessions, and reuse one-time tickets"
        yield subject.gateway.at("store", "server", say=say, write="write tls: {}, or tls: {ca: {file: ...}}")


def _is_loopback(host: str) -> bool:
    try:
        return ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"


def trusts_everybody(subject: Subject) -> Iterator[Problem]:
    for index, network in enumerate(subject.gateway.model.trusted_proxies):
        found = ip_network(str(network))
        if found.prefixlen < _WIDEST[found.version]:
            say = "a client in this network chooses the address that rules, limits and logs see"
            yield subject.gateway.at("trusted_proxies", index, say=say, write="list the proxies themselves")


def plain_http_for_everybody(subject: Subject) -> Iterator[Problem]:
    model = subject.gateway.model
    for index, listen in enumerate(model.listen):
        address = ip_address(listen.address[0])
        plain = listen.tls is None and model.redirects(listen) == "nothing"
        if plain and not address.is_loopback and not model.trusted_proxies:
            say = "other machines can connect here, and neither this listener nor a proxy does TLS"
            yield subject.gateway.at("listen", index, "address", say=say)


def plain_http_beside_https(subject: Subject) -> Iterator[Problem]:
    """Yields listeners without TLS beside a listener with TLS, except on loopback. Such a listener serves people who
    typed no scheme."""
    model = subject.gateway.model
    if model.portal.scheme == "https" and any(listen.tls for listen in model.listen) and not model.trusted_proxies:
        for index, listen in enumerate(model.listen):
            if listen.redirect == "none" and not _is_loopback(listen.address[0]):
                say = "a person who comes by http stays on http: no listener redirects to https"
                yield subject.gateway.at("listen", index, "redirect", say=say, write="leave it out")


def https_that_is_not_kept_to(subject: Subject) -> Iterator[Problem]:
    model = subject.gateway.model
    if model.portal.scheme == "https" and model.hsts == 0:
        say = "an attacker on the network can make a browser use http at each visit"
        yield subject.gateway.at("hsts", say=say, write="leave it out, or write 1d first")


def certificate_near_its_end(subject: Subject) -> Iterator[Problem]:
    shown = ((subject.gateway, *each) for each in _certificates(subject))
    for file, path, certificates in (*shown, *_client_certificates(subject)):
        ends = min(one.not_valid_after_utc for one in certificates).timestamp()
        begins = certificates[0].not_valid_before_utc.timestamp()
        day = datetime.fromtimestamp(ends, UTC).date().isoformat()
        if ends < subject.now:
            yield file.at(*path, say=f"this certificate, or one of its authorities', ended on {day}")
        elif ends < subject.now + _NEAR_SECONDS:
            yield file.at(*path, say=f"this certificate, or one of its authorities', ends on {day}")
        elif begins > subject.now:
            yield file.at(*path, say="this certificate is not valid yet")


def certificate_of_other_names(subject: Subject) -> Iterator[Problem]:
    """Skips a gateway with a listener that serves without TLS: a server in front may have a certificate for any host. A
    listener that redirects to https is no such listener."""
    found, model = list(_certificates(subject)), subject.gateway.model
    if not found or any(listen.tls is None and model.redirects(listen) == "nothing" for listen in model.listen):
        return
    names = {name for _, certificates in found for name in _names(certificates[0])}
    if subject.gateway.model.portal.scheme == "https" and not _named(subject.gateway.model.portal.host, names):
        yield subject.gateway.at("portal", say="no certificate here names the portal")
    for app in subject.apps:
        by_https = subject.snapshot.apps[app.model.app].scheme == "https"
        for index, host in enumerate(app.model.hosts):
            if by_https and not _named(host, names):
                yield app.at("hosts", index, say="no certificate of gateway.yaml names this host")


def weak_key(subject: Subject) -> Iterator[Problem]:
    for path, certificates in _certificates(subject):
        key = certificates[0].public_key()
        if isinstance(key, RSAPublicKey) and key.key_size < _SMALLEST_RSA:
            yield subject.gateway.at(
                *path, say=f"an RSA key of {key.key_size} bits can be broken", write="3072 or more"
            )
        elif isinstance(key, EllipticCurvePublicKey) and key.curve.key_size < _SMALLEST_CURVE:
            yield subject.gateway.at(*path, say=f"a curve of {key.curve.key_size} bits can be broken", write="P-256")
        if isinstance(certificates[0].signature_hash_algorithm, SHA1 | MD5):
            yield subject.gateway.at(*path, say="browsers refuse a certificate that is signed with SHA-1 or MD5")


def poor_store_key(subject: Subject) -> Iterator[Problem]:
    for index in range(len(subject.gateway.model.store.keys)):
        path = ("store", "keys", index, "secret")
        content = subject.material.get((subject.gateway.path, path), b"")
        if 0 < len(set(content)) < _FEWEST_CHARACTERS:
            say = f"this key is made of {len(set(content))} different characters: it is not random"
            yield subject.gateway.at(*path, say=say, write="openssl rand -base64 48")


def one_key_twice(subject: Subject) -> Iterator[Problem]:
    seen: set[bytes] = set()
    for index in range(len(subject.gateway.model.store.keys)):
        path = ("store", "keys", index, "secret")
        content = subject.material.get((subject.gateway.path, path), b"")
        if content in seen:
            yield subject.gateway.at(*path, say="another id has the same key, so the rotation has no effect")
        seen.add(content)


def secret_in_the_file(subject: Subject) -> Iterator[Problem]:
    for file, path, reference in _references(subject):
        if reference.kind == "inline":
            say = "everybody who reads the repository knows a secret in this file"
            yield file.at(*path, say=say, write="{file: ...}, {env: ...} or {credential: ...}")


def secret_readable_by_others(subject: Subject) -> Iterator[Problem]:
    for file, path, reference in (*_references(subject), *_of_applications(subject)):
        mode = subject.modes.get(reference.key, 0)
        if path[-1] in _SECRETS and mode & 0o007:
            say = f"every account of this machine may read or write {reference.name}: mode {mode:o}"
            whole = posixpath.normpath(posixpath.join(subject.files.root, reference.name))
            yield file.at(*path, say=say, write=f"chmod o= {shlex.quote(whole)}")


def secret_in_the_folder(subject: Subject) -> Iterator[Problem]:
    root = posixpath.normpath(subject.files.root)
    for file, path, reference in (*_references(subject), *_of_applications(subject)):
        whole = posixpath.normpath(posixpath.join(root, reference.name))
        if reference.kind == "file" and path[-1] in _SECRETS and whole.startswith(f"{root}/"):
            say = "this secret is in the policy folder, and is committed and copied with it"
            yield file.at(*path, say=say, write="keep it beside the folder: {file: ../certs/...}")


def state_in_the_folder(subject: Subject) -> Iterator[Problem]:
    root = posixpath.normpath(subject.files.root)
    state = posixpath.normpath(posixpath.join(root, subject.gateway.model.state))
    if state == root or state.startswith(f"{root}/"):
        yield subject.gateway.at("state", say="the gateway would write its sessions into the policy folder")


def absurd_timeout(subject: Subject) -> Iterator[Problem]:
    timeouts = subject.gateway.model.timeouts
    for word, most in _MOST.items():
        if getattr(timeouts, word) > most:
            say = f"for longer than {most:g}s, a silent client blocks a connection that another client could use"
            yield subject.gateway.at("timeouts", word, say=say)
    if timeouts.first_byte > timeouts.total:
        yield subject.gateway.at("timeouts", "first_byte", say="timeouts.total ends the exchange before this wait does")


def no_limit_for_bodies(subject: Subject) -> Iterator[Problem]:
    if subject.gateway.model.limits.body == 0:
        yield subject.gateway.at(
            "limits", "body", say="the bodies that a client may send to an application have no limit"
        )


def headers_without_bounds(subject: Subject) -> Iterator[Problem]:
    limits = subject.gateway.model.limits
    if limits.headers > 1 << 17:
        yield subject.gateway.at(
            "limits",
            "headers",
            say="no application takes so many headers, and each connection may fill this much memory",
        )


def pages_without_notices(subject: Subject) -> Iterator[Problem]:
    """Missing notices at the foot of the gateway's pages."""
    theme = subject.gateway.model.theme
    stated = theme.accessibility
    notices = {
        "the legal notice": ("links.legal", theme.links.legal),
        "what is done with people's data": ("links.data_protection", theme.links.data_protection),
        "how accessible they are": ("accessibility.state", stated),
        "where the accessibility statement is": ("accessibility.statement", stated and stated.statement),
    }
    lacking = {notice: key for notice, (key, written) in notices.items() if not written}
    if lacking:
        has_theme = "theme" in subject.gateway.model.model_fields_set
        say = f"the gateway's pages do not name: {', '.join(lacking)}"
        place = "theme" if has_theme else "portal"
        yield subject.gateway.at(place, key=True, say=say, write=f"under theme: {', '.join(lacking.values())}")


def _references(subject: Subject) -> Iterator[tuple[Of[Any], Path, Reference]]:
    files: tuple[Of[Any], ...] = (subject.gateway, *subject.providers)
    for file in files:
        for path, reference in references(file.model):
            yield file, path, reference


def _of_applications(subject: Subject) -> Iterator[tuple[Of[Any], Path, Reference]]:
    """Fixed texts outside the file. Fixed texts in the file belong to constant_secret."""
    for app in (*subject.apps, *subject.shadows):
        for path, reference in references(app.model.translate, ("translate",)):
            if reference.kind != "inline":
                yield app, path, reference
        for path, reference in references(app.model.upstream, ("upstream",)):
            yield app, path, reference


def _certificates(subject: Subject) -> Iterator[tuple[Path, list[x509.Certificate]]]:
    for index, listen in enumerate(subject.gateway.model.listen):
        base: Path = ("listen", index, "tls")
        others = range(len(listen.tls.others) if listen.tls else 0)
        for path in ((*base, "certificate"), *((*base, "others", number, "certificate") for number in others)):
            content = subject.material.get((subject.gateway.path, path))
            if content is not None:
                yield path, x509.load_pem_x509_certificates(content)


def _client_certificates(subject: Subject) -> Iterator[tuple[Of[Any], Path, list[x509.Certificate]]]:
    """The certificates by which applications, providers and directories know the gateway."""
    files: tuple[Of[Any], ...] = (*subject.providers, *subject.directories, *subject.apps, *subject.shadows)
    by_path = {file.path: file for file in files}
    for (path, at), content in subject.material.items():
        if path in by_path and at[-2:] in _CLIENT_CERTIFICATES:
            yield by_path[path], at, x509.load_pem_x509_certificates(content)


def _names(certificate: x509.Certificate) -> list[str]:
    try:
        found = certificate.extensions.get_extension_for_oid(ExtensionOID.SUBJECT_ALTERNATIVE_NAME).value
    except x509.ExtensionNotFound:
        return []
    return [name.lower() for name in found.get_values_for_type(x509.DNSName)] if isinstance(
        found, x509.SubjectAlternativeName
    ) else []  # fmt: skip


def _named(host: str, names: set[str]) -> bool:
    return host in names or f"*.{host.partition('.')[2]}" in names
