"""Checks the servers of directories/: their references, and connections without encryption."""

from collections.abc import Callable, Iterator

from gateway.config.check.extras import check_extra
from gateway.config.check.pem import check_certificates, check_private_key
from gateway.config.problems import Path, Problem
from gateway.config.schema.directory import DirectoryFile
from gateway.config.schema.directory_servers import HttpSection, LdapSection, PostgresqlSection
from gateway.config.schema.scalars import Reference, Wrong
from gateway.config.schema.types import ClientCertificateSection
from gateway.config.yaml.reader import YamlDocument

_References = Iterator[tuple[Path, Reference, Callable[[bytes], None], bool]]


def references_of(model: DirectoryFile) -> _References:
    """Yields the key path of each reference, the reference, its check, and whether development may write the secret
    inline."""
    if model.ldap is not None:
        yield from _of_ldap(model.ldap)
    if model.http is not None:
        yield from _of_http(model.http)
    if model.postgresql is not None:
        yield from _of_postgresql(model.postgresql)


def _of_http(section: HttpSection) -> _References:
    if section.token is not None:
        yield ("http", "token"), section.token, _token, True
    if section.oauth is not None:
        yield ("http", "oauth", "client_secret"), section.oauth.client_secret, _password, True
    if section.certificate is not None:
        yield from _certificate(("http", "certificate"), section.certificate)
    if section.ca is not None:
        yield ("http", "ca"), section.ca, check_certificates, False


def _of_postgresql(section: PostgresqlSection) -> _References:
    if section.password is not None:
        yield ("postgresql", "password"), section.password, _password, True
    if section.certificate is not None:
        yield from _certificate(("postgresql", "certificate"), section.certificate)
    if section.ca is not None:
        yield ("postgresql", "ca"), section.ca, check_certificates, False


def _of_ldap(section: LdapSection) -> _References:
    if section.ca is not None:
        yield ("ldap", "ca"), section.ca, check_certificates, False
    if section.bind is not None and section.bind.password is not None:
        yield ("ldap", "bind", "password"), section.bind.password, _password, True
    if section.bind is not None and section.bind.certificate is not None:
        yield from _certificate(("ldap", "bind", "certificate"), section.bind.certificate)


def _certificate(path: Path, section: ClientCertificateSection) -> _References:
    yield (*path, "certificate"), section.certificate, check_certificates, False
    yield (*path, "key"), section.key, check_private_key, True


def certificate_paths(model: DirectoryFile) -> Iterator[Path]:
    """Yields the key path of each client certificate, which has to fit its private key."""
    if model.ldap is not None and model.ldap.bind is not None and model.ldap.bind.certificate is not None:
        yield ("ldap", "bind", "certificate")
    if model.http is not None and model.http.certificate is not None:
        yield ("http", "certificate")
    if model.postgresql is not None and model.postgresql.certificate is not None:
        yield ("postgresql", "certificate")


def _password(content: bytes) -> None:
    try:
        content.decode()
    except UnicodeDecodeError:
        raise Wrong("a password is UTF-8") from None


def _token(content: bytes) -> None:
    # RFC 6750 2.1
    if not all(0x21 <= byte <= 0x7E for byte in content):
        raise Wrong("a token is visible ASCII, on one line")


def check_server(document: YamlDocument, model: DirectoryFile, *, development: bool) -> Iterator[Problem]:
    if model.http is not None and model.http.url.startswith("http:") and not development:
        yield document.problem(("http", "url"), "what is known of people would go in the clear", "https://")
    oauth = None if model.http is None else model.http.oauth
    if oauth is not None and oauth.token_url.startswith("http:") and not development:
        yield document.problem(("http", "oauth", "token_url"), "our secret would go in the clear", "https://")
    if model.postgresql is not None:
        if not (development or model.postgresql.tls or model.postgresql.host.startswith("/")):
            message = "what is known of people, and our password, would go in the clear"
            yield document.problem(("postgresql", "tls"), message, "leave tls out")
        yield from check_extra(document, ("postgresql",), "postgresql", "psycopg")
    if model.ldap is None:
        return
    if not development and not model.ldap.start_tls:
        for index, server in enumerate(model.ldap.servers):
            if server.startswith("ldap:"):
                message = "what is known of people, and our password, would go in the clear"
                yield document.problem(("ldap", "servers", index), message, "ldaps://, or start_tls: true")
    yield from check_extra(document, ("ldap",), "ldap", "ldap")
