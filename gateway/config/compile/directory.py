"""Compiles the file of a directory, with a fingerprint of its source, key and attributes, and a file that names a table
of organisations."""

import hashlib
import os
from typing import Final

from gateway.config.compile.frozen import Material, frozen
from gateway.config.problems import Path
from gateway.config.schema.directory import CsvSection, DirectoryFile, MandateSection
from gateway.config.schema.directory_servers import HttpSection
from gateway.config.schema.organisations import OrganisationsFile
from gateway.config.schema.sql_select import pieces
from gateway.model.directory import (
    ActsFor,
    ClientCredentials,
    Directory,
    DirectorySourceSettings,
    FileSource,
    GivenAttribute,
    HttpSource,
    KeyPart,
    LdapSource,
    PostgresqlSource,
    SqliteSource,
    pointer_steps,
    secret_attribute,
)
from gateway.model.mandate import TermColumns
from gateway.model.organisations import OrganisationTable
from gateway.model.provider import ClientCertificate

_FINGERPRINT_LETTERS: Final = 16


def plan_directory(file: str, model: DirectoryFile, material: Material, root: str) -> Directory:
    """`root`: the policy folder, absolute."""
    source = _source(file, model, material, root)
    key = tuple(
        frozen(
            KeyPart,
            part,
            column=column,
            attribute=part.from_,
            transforms=tuple(part.transform),
            providers=tuple(sorted(set(part.providers or ()))),
        )
        for column, part in model.key.items()
    )
    gives = tuple(
        frozen(
            GivenAttribute,
            given,
            name=secret_attribute(name) if given.secret else name,
            column=given.column or name,
            split=given.split or "",
            terms=None if given.mandate is None else _terms(given.mandate),
            acts_for=None if given.acts_for is None else ActsFor(tuple(sorted(set(given.acts_for))) or None),
        )
        for name, given in sorted(model.gives.items())
    )
    away, last = model.away
    asked = repr((model.directory, source, key, gives, model.rows))
    return frozen(
        Directory,
        model,
        name=model.directory,
        fingerprint=hashlib.sha256(asked.encode()).hexdigest()[:_FINGERPRINT_LETTERS],
        source=source,
        key=key,
        gives=gives,
        away=away,
        last=last,
    )


def plan_organisations(model: OrganisationsFile, root: str) -> OrganisationTable:
    """`root`: the policy folder, absolute."""
    return OrganisationTable(model.organisations, _table(model.csv, root), model.credit or "", model.as_of or "")


def _table(csv: CsvSection, root: str) -> FileSource:
    return frozen(FileSource, csv, path=_below(root, csv.path), form="csv")


def _below(root: str, path: str) -> str:
    return os.path.normpath(os.path.join(root, path))


def _terms(told: MandateSection) -> TermColumns:
    return frozen(
        TermColumns,
        told,
        organisation=told.siren or told.siret or told.insee or "",
        number="siren" if told.siren else "siret" if told.siret else "insee",
        zone=told.zone or "",
        zone_column=told.zone_column or "",
    )


def _source(file: str, model: DirectoryFile, material: Material, root: str) -> DirectorySourceSettings:
    if model.csv is not None:
        return _table(model.csv, root)
    if model.ldap is not None:
        bind = model.ldap.bind
        return frozen(
            LdapSource,
            model.ldap,
            filter=model.ldap.filter or "",
            bind_dn="" if bind is None or bind.dn is None else bind.dn,
            password=material.get((file, ("ldap", "bind", "password")), b""),
            certificate=_certificate(file, ("ldap", "bind", "certificate"), material),
            ca=material.get((file, ("ldap", "ca"))),
        )
    if model.http is not None:
        return frozen(
            HttpSource,
            model.http,
            rows=pointer_steps(model.http.rows),
            token=material.get((file, ("http", "token")), b""),
            oauth=_oauth(model.http, material.get((file, ("http", "oauth", "client_secret")), b"")),
            certificate=_certificate(file, ("http", "certificate"), material),
            ca=material.get((file, ("http", "ca"))),
        )
    if model.sqlite is not None:
        return SqliteSource(_below(root, model.sqlite.path), pieces(model.sqlite.select))
    if model.postgresql is not None:
        return frozen(
            PostgresqlSource,
            model.postgresql,
            select=pieces(model.postgresql.select),
            password=material.get((file, ("postgresql", "password")), b""),
            certificate=_certificate(file, ("postgresql", "certificate"), material),
            ca=material.get((file, ("postgresql", "ca"))),
        )
    assert model.json_ is not None
    return FileSource(_below(root, model.json_.path), "json")


def _oauth(section: HttpSection, secret: bytes) -> ClientCredentials | None:
    told = section.oauth
    if told is None:
        return None
    return ClientCredentials(told.token_url, told.client_id, told.scope or "", told.send == "body", secret)


def _certificate(file: str, path: Path, material: Material) -> ClientCertificate | None:
    certificate, key = material.get((file, (*path, "certificate"))), material.get((file, (*path, "key")))
    return None if certificate is None or key is None else ClientCertificate(certificate, key)
