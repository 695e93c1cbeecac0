"""People to try a folder with: as tests/*.yaml and `--as` files describe them, or from a saved `/_ecluse/session`."""

from collections.abc import Iterator, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, replace
from typing import Any, Literal

from pydantic import ValidationError

from gateway.access.account import login_of
from gateway.config.problems import Problem, ProblemsFound, did_you_mean
from gateway.config.schema.messages import problem_of
from gateway.config.schema.policy_tests import Person, ToldMandate
from gateway.config.schema.scalars import Wrong
from gateway.config.snapshot import App, Snapshot
from gateway.config.yaml.reader import read_document
from gateway.identity.acting import in_the_name_of, named_by
from gateway.identity.directories import finding_in, is_value, unknown_of
from gateway.identity.mandates import WrongTerm, term_of
from gateway.identity.perimeter import check, establish
from gateway.model.account import ATTRIBUTE, checked_login
from gateway.model.directory import DirectoryFinding, FindingState, GivenAttribute
from gateway.model.errors import GatewayError
from gateway.model.identity import Identity
from gateway.model.mandate import TermColumns, TermOfOffice
from gateway.model.provider import Provider
from gateway.translation.read_back import attributes_told


@dataclass(frozen=True, slots=True)
class Known:
    """`tenant`: the SIRET for which the person acts.
    `caveat`: the unknown parts of the person's file; empty: none.
    `account`: the person's login at an application that needs a login; None: unknown.
    """

    identity: Identity
    tenant: str | None = None
    caveat: str = ""
    account: str | None = None


def known(person: Person, snapshot: Snapshot, now: int) -> Known:
    """Raises Wrong where no such person could sign in. `now`: Unix seconds."""
    provider = snapshot.providers.get(person.provider)
    if provider is None:
        raise Wrong("no provider has this name", did_you_mean(person.provider, snapshot.providers))
    for name in (*person.attributes, *person.left_out):
        if name not in provider.attributes:
            raise Wrong(f"{person.provider} maps no attribute {name}", did_you_mean(name, provider.attributes))
    identity = Identity(
        provider=provider.name,
        issuer=provider.issuer,
        subject=person.subject,
        attributes={name: tuple(dict.fromkeys(values)) for name, values in person.attributes.items()},
        left_out=frozenset(person.left_out),
        acr=person.acr,
        amr=tuple(person.amr),
        authenticated_at=now - (person.authenticated or 0),
    )
    identity = replace(identity, findings=tuple(_findings(person, snapshot, now)))
    try:
        check(provider, identity)
    except GatewayError as error:
        raise Wrong(f"{person.provider} may not assert this, the sign-in is refused: {error.detail}") from None
    acting = _acting(person, provider, identity, snapshot)
    return replace(acting, account=_login(person.account))


def _acting(person: Person, provider: Provider, identity: Identity, snapshot: Snapshot) -> Known:
    """The person acting for one organisation, at any time. Raises Wrong."""
    directories = snapshot.directories.values()
    named = named_by(identity, directories, None)
    tenant = tenant_of(provider, identity) or (named[0] if len(named) == 1 else None)
    if person.tenant is not None:
        with suppress(GatewayError):
            made = establish(provider, identity, chosen=person.tenant, named=named)
            identity, tenant = made.identity, made.tenant
        if tenant != person.tenant:
            what = f"tenant: neither {person.provider} nor a directory lets them act for {person.tenant}"
            raise Wrong(what, "say under `directories` what names it")
    return Known(in_the_name_of(tenant, identity, directories), tenant)


def _findings(person: Person, snapshot: Snapshot, now: int) -> Iterator[DirectoryFinding]:
    """Raises Wrong."""
    for name, told in person.directories.items():
        directory = snapshot.directories.get(name)
        if directory is None:
            raise Wrong(f"no directory has the name {name}", did_you_mean(name, snapshot.directories))
        if not directory.takes(person.provider):
            what = f"the directory {name} does not take the word of {person.provider}"
            raise Wrong(what, f"leave {name} out here, or name the provider under `key` in the directory's file")
        given = {one.written: one for one in directory.gives}
        values: dict[str, tuple[str, ...]] = {}
        terms: tuple[TermOfOffice, ...] = ()
        for attribute, said in told.items():
            if attribute not in given:
                raise Wrong(f"the directory {name} gives no {attribute}", did_you_mean(attribute, given))
            columns = given[attribute].terms
            if columns is not None:
                terms = tuple(_term(f"{name}.{attribute}", one, columns) for one in said)
            else:
                values[given[attribute].name] = _texts(f"{name}.{attribute}", said, given[attribute])
        state: FindingState = "found" if told else "none"
        yield DirectoryFinding(name, directory.fingerprint, state, values, at=now, terms=terms)


def _texts(where: str, said: Sequence[str | ToldMandate], given: GivenAttribute) -> tuple[str, ...]:
    """Raises Wrong."""
    texts = tuple(one for one in said if isinstance(one, str))
    if len(texts) < len(said) or not all(is_value(given, text) for text in texts):
        raise Wrong(f"{where}: this is no {given.type}")
    if len(texts) > 1 and not given.many:
        raise Wrong(f"{where}: the directory gives one value", "or many: true in its file")
    return texts


def _term(where: str, told: str | ToldMandate, columns: TermColumns) -> TermOfOffice:
    """Raises Wrong."""
    if isinstance(told, str) or [told.siren, told.siret, told.insee].count(None) != 2:
        hint = 'write {office: maire, siren: "215903501", start: 2026-03-29, end: 2032-03-21}, or siret, or insee'
        raise Wrong(f"{where}: this is no mandate", hint)
    number: Literal["siren", "siret", "insee"] = "siren" if told.siren else "siret" if told.siret else "insee"
    value = told.siren or told.siret or told.insee or ""
    zone = told.zone or ("" if number == "insee" else columns.zone)
    if number != "insee" and not zone:
        raise Wrong(f"{where}: no SIREN or SIRET says where midnight is", "add zone: Europe/Paris")
    cells = {"office": told.office, number: value, "start": told.start, "end": told.end or ""}
    read = TermColumns("office", number, number, "start", "end", zone=zone, open_end=True)
    try:
        found = term_of(read, {name: (cell,) for name, cell in cells.items() if cell})
    except WrongTerm as error:
        raise Wrong(f"{where}: {error}") from None
    assert found is not None
    return found


def with_own_login(person: Known, app: App | None) -> Known:
    """With the login of a directory, if the application's file takes logins from a directory and the person's file has
    none.
    """
    if app is None or app.account is None or app.account.source is None or person.account is not None:
        return person
    try:
        return replace(person, account=login_of(app.directories, app.account.source, person.identity))
    except GatewayError as error:
        return replace(person, caveat=f"{person.caveat}; {error}".removeprefix("; "))


def as_told(app: App | None, person: Known) -> Identity:
    """Sets the login of the person's file as the finding of the directory with this application's logins."""
    source, identity = None if app is None or app.account is None else app.account.source, person.identity
    if app is None or source is None or person.account is None:
        return identity
    for directory in app.directories:
        if directory.takes(identity.provider) and any(given.name == source for given in directory.gives):
            said = finding_in(identity, directory) or unknown_of(directory, "found", 0)
            values, unknown = {**said.values, source: (person.account,)}, said.unknown - {source}
            told = replace(said, state="found", values=values, unknown=unknown)
            others = [finding for finding in identity.findings if finding.directory != directory.name]
            return replace(identity, findings=(*others, told))
    return identity


def _login(written: str | None) -> str | None:
    """Raises Wrong."""
    try:
        return None if written is None else checked_login(written)
    except GatewayError as error:
        raise Wrong(f"account: {error.detail}") from None


def tenant_of(provider: Provider, identity: Identity) -> str | None:
    """A test may omit the organisation: a rule about the organisation is then unknown."""
    values = identity.attributes.get(provider.tenant_attribute or "", ())
    return values[0] if len(values) == 1 else None


def read_person(file: str, content: bytes, snapshot: Snapshot, app: App | None, now: int) -> Known:
    """The person in a file of `--as`. `app`: the requested application, whose translation reads a saved session.

    Raises ProblemsFound.
    """
    document, problems = read_document(file, content)
    if problems:
        raise ProblemsFound(problems)
    data = document.data
    try:
        if isinstance(data, dict) and isinstance(data.get("headers"), dict) and "attributes" not in data:
            return _of_session(data, snapshot, app)
        return known(Person.model_validate(data), snapshot, now)
    except ValidationError as error:
        raise ProblemsFound(problem_of(document, Person, one) for one in error.errors(include_url=False)) from None
    except Wrong as wrong:
        raise ProblemsFound([Problem(document.place(), "", wrong.message, wrong.hint)]) from None


def _of_session(told: Mapping[str, Any], snapshot: Snapshot, app: App | None) -> Known:
    """A saved session shows only the attributes that the application receives: the others stay unknown."""
    provider = snapshot.providers.get(str(told.get("provider")))
    if provider is None:
        raise Wrong(
            "no provider has the name of this session's", did_you_mean(told.get("provider"), snapshot.providers)
        )
    if app is None:
        raise Wrong("this session can be read for an application only")
    headers, cookies = _named(told.get("headers")), _named(told.get("cookies"))
    try:
        attributes = attributes_told(app.translation, headers, cookies)
    except ValueError as error:
        raise Wrong(str(error), "save the session of this application anew") from None
    account = attributes.pop(ATTRIBUTE, (None,))[0] if app.account is not None else None
    unknown = sorted(set(provider.attributes) - set(attributes))
    caveat = f"not told by this session, so unknown here: {', '.join(unknown)}" if unknown else ""
    identity = Identity(provider.name, provider.issuer, "somebody", attributes)
    return Known(identity, tenant_of(provider, identity), caveat, account)


def _named(value: object) -> dict[str, str]:
    return {str(name): str(text) for name, text in value.items()} if isinstance(value, dict) else {}
