"""Resolves the references of the files: to bytes, or to a problem at the key that holds the reference."""

import os
from collections.abc import Callable, Iterator
from dataclasses import replace
from errno import ENOENT
from functools import partial
from typing import Final, NamedTuple

from gateway.config.check.directory_servers import certificate_paths, references_of
from gateway.config.check.form_login import SECRET, check_secret
from gateway.config.check.fronts import check_front_secret
from gateway.config.check.keyrings import STORE_KEY_BYTES, check_keyring
from gateway.config.check.pem import (
    check_certificates,
    check_one_certificate,
    check_own_key,
    check_pair,
    check_private_key,
    check_public_key,
    check_saml_key,
)
from gateway.config.check.theme import check_logo
from gateway.config.check.tokens import LTPA2, check_ltpa_keys, references
from gateway.config.check.translate import values_elsewhere
from gateway.config.folder.files import Files, for_app, team_of
from gateway.config.keyring import read_keyring
from gateway.config.problems import Path, Problem, key_path
from gateway.config.schema.app import AppFile
from gateway.config.schema.gateway import OtherCertificateSection, TlsSection
from gateway.config.schema.load import AnyProviderFile, Folder, Loaded
from gateway.config.schema.oidc import OidcSection
from gateway.config.schema.provider import ProviderFile, SamlProviderFile
from gateway.config.schema.saml import SamlSelfSection
from gateway.config.schema.scalars import Reference, Wrong
from gateway.config.schema.scim import ScimSection
from gateway.config.schema.store import StoreSection, StoreServerSection
from gateway.config.schema.upstream import UpstreamTlsSection
from gateway.config.yaml.reader import YamlDocument
from gateway.model.codes import config_codes
from gateway.model.errors import GatewayError

# RFC 7518 3.2: a key of at least the size of the hash.
MAC_SECRET_BYTES = 32

_Check = Callable[[bytes], None]

_CLIENT_CERTIFICATE: Final[Path] = ("upstream", "tls", "client_certificate")


class _Use(NamedTuple):
    """A reference in a file.

    `check`: checks the bytes of the reference; raises Wrong.
    `may_be_inline`: with `development: true`, the file itself may hold the secret.
    `team`: the team whose fence an app file is under, empty without a fence; None for files of the operator."""

    file: str
    document: YamlDocument
    path: Path
    reference: Reference
    check: _Check
    may_be_inline: bool
    team: str | None = None

    @property
    def key(self) -> str:
        """The name of the reference in `Files`."""
        return self.reference.key if self.team is None else for_app(self.team, self.reference.key)


def resolve(folder: Folder, files: Files) -> tuple[dict[tuple[str, Path], bytes], list[Problem]]:
    """The bytes by file and key path, without the line end that editors put after a secret; and every problem."""
    development = _development(folder)
    material: dict[tuple[str, Path], bytes] = {}
    problems: list[Problem] = []
    for use in _uses(folder, development):
        files.begin(use.file)
        try:
            content = _content(use, files, development)
            use.check(content)
            material[use.file, use.path] = content
        except Wrong as wrong:
            place = use.document.place(use.path)
            if use.reference.kind == "inline":
                place = replace(place, source="")  # the line holds the secret, and problems go to logs
            problems.append(Problem(place, key_path(use.path), wrong.message, wrong.hint))
    files.begin("")
    problems += [*_pairs(folder, material), *_own_keys(folder, material)]
    return material, [replace(problem, code=config_codes.REFERENCE.id) for problem in problems]


def _development(folder: Folder) -> bool:
    data = folder.gateway.document.data if folder.gateway else None
    return isinstance(data, dict) and data.get("development") is True


def _content(use: _Use, files: Files, development: bool) -> bytes:
    reference = use.reference
    if reference.kind == "inline":
        if not use.may_be_inline:
            raise Wrong("this is not written here", "write {file: path}")
        if not development:
            raise Wrong("a secret is not written into this file", "{file: path}, {env: NAME} or {credential: name}")
        content = reference.name.encode()
    elif use.key in files.secrets:
        content = files.secrets[use.key].rstrip(b"\r\n")
    else:
        why = files.unreadable.get(use.key, "this was not read")
        raise Wrong(f"{reference.name}: {why}", _hint(reference, why, files.folder))
    if not content:
        raise Wrong("this secret is empty" if reference.kind == "inline" else f"{reference.name}: this is empty")
    return content


def _hint(reference: Reference, why: str, folder: str) -> str:
    is_missing = reference.kind == "file" and why.endswith(os.strerror(ENOENT))
    return f"a path starts from {folder}/" if is_missing else ""


def _uses(folder: Folder, development: bool) -> Iterator[_Use]:
    yield from _of_gateway(folder)
    for provider in folder.providers:
        if isinstance(provider.model, SamlProviderFile):
            yield from _of_saml(provider, provider.model, development)
        elif provider.model is not None:
            for path, reference, check, may_be_inline in _oidc_references(provider.model.oidc):
                yield _Use(provider.path, provider.document, path, reference, check, may_be_inline)
    for directory in folder.directories:
        if directory.model is not None:
            for path, reference, check, may_be_inline in references_of(directory.model):
                yield _Use(directory.path, directory.document, path, reference, check, may_be_inline)
    if folder.gateway is None or folder.gateway.model is None:
        return  # a folder that is refused for it; whose fence an app stands in, and so what it may name, is not known
    fenced = folder.gateway.model.teams
    for app in (*folder.apps, *folder.shadows):
        if app.model is not None:
            team = team_of(app.path) if fenced else ""
            for path, reference, check in _app_references(app.model):
                yield _Use(app.path, app.document, path, reference, check, False, team)


def _of_saml(provider: Loaded[AnyProviderFile], model: SamlProviderFile, development: bool) -> Iterator[_Use]:
    def use(path: Path, reference: Reference, check: _Check, inline: bool = False) -> _Use:
        return _Use(provider.path, provider.document, path, reference, check, inline)

    metadata = model.saml.metadata
    if isinstance(metadata, Reference):
        yield use(
            ("saml", "metadata"), metadata, partial(_check_metadata, model.saml.entity_id, development=development)
        )
    else:
        for index, key in enumerate(metadata.keys):
            yield use(("saml", "metadata", "keys", index), key, check_public_key)
    if model.saml.ca is not None:
        yield use(("saml", "ca"), model.saml.ca, check_certificates)
    shown = model.saml.client_certificate
    if shown is not None:
        yield use(("saml", "client_certificate", "certificate"), shown.certificate, check_certificates)
        yield use(("saml", "client_certificate", "key"), shown.key, check_private_key, True)


def _of_gateway(folder: Folder) -> Iterator[_Use]:
    if folder.gateway is None or folder.gateway.model is None:
        return
    file, document, model = folder.gateway.path, folder.gateway.document, folder.gateway.model
    yield from _of_store(file, document, model.store)
    for index, key in enumerate(model.accounts.keys if model.accounts else ()):
        yield _Use(file, document, ("accounts", "keys", index, "secret"), key.secret, _store_key, True)
    if model.scim is not None:
        yield from _of_scim(file, document, model.scim)
    if model.forward_auth is not None:
        yield _Use(file, document, ("forward_auth", "secret"), model.forward_auth.secret, check_front_secret, True)
    for index, listen in enumerate(model.listen):
        if listen.tls is not None:
            path: Path = ("listen", index, "tls")
            yield from _of_pair(file, document, path, listen.tls)
            for number, other in enumerate(listen.tls.others):
                yield from _of_pair(file, document, (*path, "others", number), other)
    if model.theme.logo is not None:
        yield _Use(file, document, ("theme", "logo"), model.theme.logo, check_logo, False)
    for index, signs in enumerate(model.tokens.keys if model.tokens else ()):
        check = partial(check_own_key, signs.algorithm)
        yield _Use(file, document, ("tokens", "keys", index, "key"), signs.key, check, True)
    if model.saml is not None:
        yield from _of_own_saml(file, document, model.saml)


def _of_scim(file: str, document: YamlDocument, scim: ScimSection) -> Iterator[_Use]:
    for index, key in enumerate(scim.keys):
        yield _Use(file, document, ("scim", "keys", index, "secret"), key.secret, _store_key, True)
    for index, client in enumerate(scim.clients):
        for number, token in enumerate(client.tokens):
            yield _Use(file, document, ("scim", "clients", index, "tokens", number), token, check_front_secret, True)


def _of_own_saml(file: str, document: YamlDocument, own: SamlSelfSection) -> Iterator[_Use]:
    for index, key in enumerate(own.keys):
        path: Path = ("saml", "keys", index)
        yield _Use(file, document, (*path, "certificate"), key.certificate, check_certificates, False)
        yield _Use(file, document, (*path, "key"), key.key, check_saml_key, True)
    if own.keyring is not None:
        yield _Use(file, document, ("saml", "keyring"), own.keyring, partial(check_keyring, "saml"), False)


def _of_pair(
    file: str, document: YamlDocument, path: Path, pair: TlsSection | OtherCertificateSection
) -> Iterator[_Use]:
    yield _Use(file, document, (*path, "certificate"), pair.certificate, check_certificates, False)
    yield _Use(file, document, (*path, "key"), pair.key, check_private_key, True)


def _of_store(file: str, document: YamlDocument, store: StoreSection) -> Iterator[_Use]:
    for index, key in enumerate(store.keys):
        yield _Use(file, document, ("store", "keys", index, "secret"), key.secret, _store_key, True)
    if store.keyring is not None:
        yield _Use(file, document, ("store", "keyring"), store.keyring, partial(check_keyring, "store"), False)
    if store.server is not None:
        yield from _of_store_server(file, document, store.server)


def _of_store_server(file: str, document: YamlDocument, server: StoreServerSection) -> Iterator[_Use]:
    path: Path = ("store", "server")
    if server.password is not None:
        yield _Use(file, document, (*path, "password"), server.password, _password, True)
    if server.sentinel is not None and server.sentinel.password is not None:
        yield _Use(file, document, (*path, "sentinel", "password"), server.sentinel.password, _password, True)
    if server.tls is not None and server.tls.ca is not None:
        yield _Use(file, document, (*path, "tls", "ca"), server.tls.ca, check_certificates, False)


def _password(content: bytes) -> None:
    if not content.isascii():
        raise Wrong("a password of the store's server is ASCII", "openssl rand -base64 32")


def _store_key(content: bytes) -> None:
    if len(content) < STORE_KEY_BYTES:
        why = f"a store key has at least {STORE_KEY_BYTES} bytes, and this one has {len(content)}"
        raise Wrong(why, "openssl rand -base64 48")


def _own_keys(folder: Folder, material: dict[tuple[str, Path], bytes]) -> Iterator[Problem]:
    """Refuses store keys among the keys of account links and of SCIM, and a SCIM token that occurs twice. Account links
    and the data of SCIM directories outlive the store keys, which are deleted as soon as sessions may end."""
    gateway = folder.gateway
    if gateway is None or gateway.model is None or (gateway.model.accounts is None and gateway.model.scim is None):
        return
    accounts, scim = gateway.model.accounts, gateway.model.scim
    stores = {material.get((gateway.path, ("store", "keys", index, "secret"))) for index in range(16)} - {None}
    if (ring := material.get((gateway.path, ("store", "keyring")))) is not None:
        stores |= {key.parts["secret"].encode() for key in read_keyring(ring).keys}
    for section, keys in (("accounts", accounts and accounts.keys), ("scim", scim and scim.keys)):
        for index in range(len(keys or ())):
            path: Path = (section, "keys", index, "secret")
            if material.get((gateway.path, path)) in stores:
                place = replace(gateway.document.place(path), source="")
                yield Problem(place, key_path(path), "this is a key of the store", "openssl rand -base64 48")
    seen = set[bytes]()
    for use in () if scim is None else _of_scim(gateway.path, gateway.document, scim):
        token = material.get((use.file, use.path))
        if token is not None and "tokens" in use.path and token in seen:
            place = replace(use.document.place(use.path), source="")
            yield Problem(place, key_path(use.path), "this token is here twice", "openssl rand -hex 32")
        seen |= set() if token is None else {token}


def _pairs(folder: Folder, material: dict[tuple[str, Path], bytes]) -> Iterator[Problem]:
    for file, document, path in _pair_places(folder):
        certificate, key = material.get((file, (*path, "certificate"))), material.get((file, (*path, "key")))
        if certificate is not None and key is not None:
            try:
                check_pair(certificate, key)
            except Wrong as wrong:
                place, other = document.place((*path, "key")), document.place((*path, "certificate"))
                yield Problem(place, key_path((*path, "key")), wrong.message, wrong.hint, (("certificate at", other),))
    for app in (*folder.apps, *folder.shadows):
        section = None if app.model is None else app.model.translate.ltpa2
        exported, password = (material.get((app.path, (*LTPA2, key))) for key in ("keys", "password"))
        if section is not None and exported is not None and password is not None:
            try:
                check_ltpa_keys(section, exported, password)
            except Wrong as wrong:
                yield app.document.problem((*LTPA2, "keys"), wrong.message, wrong.hint)


def _pair_places(folder: Folder) -> Iterator[tuple[str, YamlDocument, Path]]:
    gateway = folder.gateway
    if gateway is not None and gateway.model is not None:
        for index, listen in enumerate(gateway.model.listen):
            yield gateway.path, gateway.document, ("listen", index, "tls")
            for number in range(len(listen.tls.others) if listen.tls else 0):
                yield gateway.path, gateway.document, ("listen", index, "tls", "others", number)
        for index in range(len(gateway.model.saml.keys) if gateway.model.saml else 0):
            yield gateway.path, gateway.document, ("saml", "keys", index)
    for provider in folder.providers:
        for protocol in ("oidc", "saml"):
            yield provider.path, provider.document, (protocol, "client_certificate")
        own = provider.model.oidc.client_keys if isinstance(provider.model, ProviderFile) else []
        for index in range(len(own)):
            yield provider.path, provider.document, ("oidc", "client_keys", index)
    for app in (*folder.apps, *folder.shadows):
        yield app.path, app.document, _CLIENT_CERTIFICATE
    for directory in folder.directories:
        for path in certificate_paths(directory.model) if directory.model is not None else ():
            yield directory.path, directory.document, path


# --- providers


def _oidc_references(oidc: OidcSection) -> Iterator[tuple[Path, Reference, _Check, bool]]:
    """Yields the key path of each reference, the reference, its check, and whether development may write the secret
    inline."""
    if oidc.client_secret is not None:
        check: _Check = _mac_secret if oidc.makes_macs else _client_secret
        yield ("oidc", "client_secret"), oidc.client_secret, check, True
    for index, key in enumerate(oidc.client_keys):
        yield ("oidc", "client_keys", index, "key"), key.key, partial(check_own_key, key.algorithm), True
        if key.certificate is not None:
            yield ("oidc", "client_keys", index, "certificate"), key.certificate, check_certificates, False
    if oidc.client_keyring is not None:
        yield ("oidc", "client_keyring"), oidc.client_keyring, partial(check_keyring, "client"), False
    for index, opening in enumerate(oidc.encryption.keys if oidc.encryption else ()):
        check = partial(check_own_key, opening.algorithm)
        yield ("oidc", "encryption", "keys", index, "key"), opening.key, check, True
    if oidc.client_certificate is not None:
        path: Path = ("oidc", "client_certificate")
        yield (*path, "certificate"), oidc.client_certificate.certificate, check_certificates, False
        yield (*path, "key"), oidc.client_certificate.key, check_private_key, True
    if oidc.ca is not None:
        yield ("oidc", "ca"), oidc.ca, check_certificates, False


def _client_secret(content: bytes) -> None:
    # RFC 6749 A.2: visible ASCII and blanks.
    if not all(0x20 <= byte <= 0x7E for byte in content):
        raise Wrong("a client secret is visible ASCII, on one line")


def _mac_secret(content: bytes) -> None:
    _client_secret(content)
    if len(content) < MAC_SECRET_BYTES:
        why = f"a client secret that signs has at least {MAC_SECRET_BYTES} characters, and this one has {len(content)}"
        raise Wrong(why)


def _check_metadata(entity_id: str, content: bytes, *, development: bool) -> None:
    """Raises Wrong."""
    # Imported late: most folders have no such file, and lxml is slow to come.
    from gateway.saml.metadata import find_entity, idp_metadata
    from gateway.saml.metadata_document import LARGEST_ENTITY, given

    if len(content) > LARGEST_ENTITY:
        raise Wrong(f"this is too large: {len(content)} bytes", "a file holds the provider's own metadata alone")
    try:
        idp_metadata(find_entity(given([content]), entity_id), development=development)
    except GatewayError as error:
        raise Wrong(
            f"this is not metadata of {entity_id}: {error.detail}", "the file as the provider exports it"
        ) from None


# --- applications


def _app_references(model: AppFile) -> Iterator[tuple[Path, Reference, _Check]]:
    if model.upstream.ca is not None:
        yield ("upstream", "ca"), model.upstream.ca, check_certificates
    if model.upstream.tls is not None:
        yield from _upstream_references(model.upstream.tls)
    yield from values_elsewhere(model)
    if model.translate.has_tokens:
        yield from references(model.translate)
    trusted = None if model.form_login is None else model.form_login.trusted
    if model.form_login is not None and trusted is not None and trusted.secret is not None:
        yield SECRET, trusted.secret, partial(check_secret, model.form_login)


def _upstream_references(tls: UpstreamTlsSection) -> Iterator[tuple[Path, Reference, _Check]]:
    for index, pin in enumerate(tls.pins):
        yield ("upstream", "tls", "pins", index), pin, check_one_certificate
    if tls.client_certificate is not None:
        yield (*_CLIENT_CERTIFICATE, "certificate"), tls.client_certificate.certificate, check_certificates
        yield (*_CLIENT_CERTIFICATE, "key"), tls.client_certificate.key, check_private_key
