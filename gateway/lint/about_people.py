"""Rules about providers: limits of assertions, and conditions on the asserted attributes."""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from gateway.config.check.directories import given_by
from gateway.config.check.translate import names_used
from gateway.config.problems import Path, Problem
from gateway.config.schema.app import AppFile
from gateway.config.schema.conditions import (
    ClaimIs,
    GroupIs,
    MandateIs,
    MandateTest,
    SharedFile,
    SharedIs,
    WrittenCondition,
    leaves,
)
from gateway.config.schema.load import AnyProviderFile
from gateway.config.schema.provider import ProviderFile, SamlProviderFile
from gateway.config.schema.values import texts
from gateway.identity.perimeter import is_mail, is_scoped, may_hold_an_address
from gateway.lint.subject import Of, Subject
from gateway.model.mandate import MANDATES
from gateway.model.provider import MetadataFile, Provider, SamlProvider
from gateway.policy.conditions import GROUPS
from gateway.saml.assertion import are_of_one_scale

_LONGEST_SESSION, _LONGEST_IDLE, _LARGEST_SKEW = 86400, 43200, 180
_SHORTEST_SECRET = 16
_NEAR_SECONDS = 30 * 86400


def group_nobody_asserts(subject: Subject) -> Iterator[Problem]:
    for placed in _placed_conditions(subject):
        condition = placed.condition
        if isinstance(condition, GroupIs) and not _may_assert(subject, placed, GROUPS, condition.group.__eq__):
            say = f"{placed.nobody} may assert the group {condition.group}"
            write = "list it under asserts.attributes.groups, or correct it"
            yield placed.file.at(*placed.path, "group", say=say, write=write)


def value_nobody_asserts(subject: Subject) -> Iterator[Problem]:
    for placed in _placed_conditions(subject):
        key, name, wanted = _values(placed.condition)
        for value in wanted:
            if not _may_assert(subject, placed, name, value.__eq__):
                yield placed.file.at(*placed.path, key, say=f"{placed.nobody} may assert {name}: {value}")


def _values(condition: WrittenCondition) -> tuple[str, str, Sequence[str]]:
    """Returns the key of the condition, its attribute, and the accepted values."""
    match condition:
        case ClaimIs(claim=claim):
            return "claim", claim.name, [claim.equals] if claim.equals is not None else claim.within or []
        case MandateIs(mandate=MandateTest(office=offices)) | MandateIs(mandate=str() | list() as offices):
            return "mandate", MANDATES, texts(offices) or ()
        case _:
            return "", "", ()


def domain_nobody_asserts(subject: Subject) -> Iterator[Problem]:
    for placed in _placed_conditions(subject):
        suffix = placed.condition.claim.suffix if isinstance(placed.condition, ClaimIs) else None
        if suffix is None or not suffix.startswith("@"):
            continue
        bounds = [(one.asserts.email_domains, one.asserts.scopes or []) for one in placed.providers(subject)]
        if all(of is not None and suffix[1:].lower() not in (*of, *scopes) for of, scopes in bounds):
            say = f"{placed.nobody} may assert an address that ends with {suffix}"
            yield placed.file.at(*placed.path, "claim", "suffix", say=say)


def provider_without_perimeter(subject: Subject) -> Iterator[Problem]:
    for provider in subject.providers:
        asserts = provider.model.asserts
        bounds = (asserts.siret, asserts.email_domains, asserts.scopes, asserts.attributes)
        if all(bound is None for bound in bounds):
            say = "this provider may assert anything about anybody"
            yield provider.at("provider", say=say, write="limit it with asserts: siret, email_domains or attributes")


def tenant_without_bounds(subject: Subject) -> Iterator[Problem]:
    for provider in subject.providers:
        tenant, asserts = provider.model.tenant, provider.model.asserts
        if tenant is not None and asserts.siret is None and tenant not in (asserts.attributes or {}):
            say = "this provider may speak for every organisation"
            yield provider.at("tenant", say=say, write="list its organisations under asserts.siret")


def mail_without_bounds(subject: Subject) -> Iterator[Problem]:
    for provider in subject.providers:
        names = [name for name, called in _called(provider) if any(map(is_mail, called))]
        if names and provider.model.asserts.email_domains is None:
            say = "this provider may assert any e-mail address, including those of other organisations"
            yield _at_attribute(provider, names[0], say, "list its domains under asserts.email_domains")


def address_in_disguise(subject: Subject) -> Iterator[Problem]:
    """An attribute that holds an address at many providers, under a name that does not say so. EC206 covers mail."""
    for provider in subject.providers:
        asserts = provider.model.asserts
        for name, called in _called(provider) if asserts.email_domains is None else ():
            if any(map(may_hold_an_address, called)) and not any(is_mail(one) or is_scoped(one) for one in called):
                say = f"{name} may be an e-mail address without a limit: it may belong to another organisation"
                yield _at_attribute(provider, name, say, "list its domains under asserts.email_domains")


def scope_without_bounds(subject: Subject) -> Iterator[Problem]:
    for provider in subject.providers:
        asserts = provider.model.asserts
        for name, called in _called(provider) if asserts.scopes is None and asserts.email_domains is None else ():
            if any(map(is_scoped, called)):
                say = f"{name} is value@scope, and only the provider's own metadata limit the scopes"
                yield _at_attribute(provider, name, say, "list its scopes under asserts.scopes")


def _called(provider: Of[AnyProviderFile]) -> Iterator[tuple[str, tuple[str, ...]]]:
    """The attributes, each with our name and the provider's names."""
    return ((name, (name, *sources)) for name, sources in provider.model.sources().items())


def _at_attribute(provider: Of[AnyProviderFile], name: str, say: str, write: str) -> Problem:
    """The place where the file maps the attribute, or takes it from the common names."""
    if name in provider.model.attributes:
        return provider.at("attributes", name, say=say, write=write)
    return provider.at("saml", "common", say=say, write=write)


def groups_without_bounds(subject: Subject) -> Iterator[Problem]:
    placed = (one for one in _placed_conditions(subject) if isinstance(one.condition, GroupIs))
    used = {app.model.app for one in placed for app in one.apps}
    for provider in subject.providers:
        listed = provider.model.asserts.attributes or {}
        is_listed = any(provider.model.provider in app.model.providers for app in subject.apps if app.model.app in used)
        if is_listed and GROUPS in provider.model.attributes and GROUPS not in listed:
            say = "rules depend on groups, and this provider may put anybody into any group"
            yield provider.at("attributes", GROUPS, say=say, write="list its groups under asserts.attributes.groups")


def provider_nobody_lists(subject: Subject) -> Iterator[Problem]:
    listed = {name for app in subject.apps for name in app.model.providers}
    for provider in subject.providers:
        if provider.model.provider not in listed:
            yield provider.at("provider", say="no application lists this provider")


def directory_nobody_lists(subject: Subject) -> Iterator[Problem]:
    listed = {name for app in (*subject.apps, *subject.shadows) for name in app.model.directories}
    for directory in subject.directories:
        if directory.model.directory not in listed:
            say = "no application lists this directory"
            yield directory.at(
                "directory", say=say, write="list it under directories: of an application, or remove its file"
            )


def attribute_nobody_uses(subject: Subject) -> Iterator[Problem]:
    """Data protection by design: providers are asked only for attributes in use (GDPR 5(1)(c))."""
    for provider in subject.providers:
        used = _used(subject, provider.model)
        for name in provider.model.attributes:
            if name not in used:
                say = f"nothing uses {name}: personal data kept without a purpose"
                write = "leave it out" if _is_written(provider, name) else f"its preset maps it: write {name}: null"
                yield provider.at("attributes", name, key=True, say=say, write=write)


def _is_written(provider: Of[AnyProviderFile], attribute: str) -> bool:
    data = provider.document.data
    written = data.get("attributes") if isinstance(data, dict) else None
    return isinstance(written, dict) and attribute in written


def same_label(subject: Subject) -> Iterator[Problem]:
    for app in subject.apps:
        seen: dict[str, str] = {}
        by_name = {one.provider: one for one in subject.providers_of(app)}
        for index, name in enumerate(app.model.providers):
            for text in (by_name[name].label or {"": name}).values():
                first = seen.setdefault(text, name)
                if first != name:
                    say = f"people choose between {first} and {name}, and both are called {text}"
                    yield app.at("providers", index, say=say)
                    break


def provider_twice(subject: Subject) -> Iterator[Problem]:
    for app in subject.apps:
        for index, name in enumerate(app.model.providers):
            if name in app.model.providers[:index]:
                yield app.at("providers", index, say="this provider is listed twice", write="leave one out")


def seat_longer_than_session(subject: Subject) -> Iterator[Problem]:
    for app in subject.apps:
        providers = subject.providers_of(app)
        for word in ("idle", "absolute"):
            limit = getattr(app.model.session, word)
            longest = max(getattr(one.session, word) for one in providers)
            if limit is not None and limit >= longest:
                say = "no provider's session lasts longer, so this limit has no effect"
                yield app.at("session", word, say=say)


def sign_in_without_limits(subject: Subject) -> Iterator[Problem]:
    for app in subject.apps:
        session = app.model.session
        if session.then == "sign_in" and session.idle is None and session.absolute is None:
            say = "nothing follows a seat that ends with the session"
            yield app.at("session", "then", say=say, write="give idle or absolute too")


def long_session(subject: Subject) -> Iterator[Problem]:
    for provider in subject.providers:
        session = provider.model.session
        if session.absolute > _LONGEST_SESSION:
            yield provider.at("session", "absolute", say="a session of more than a day outlives a stolen computer")
        if session.idle > _LONGEST_IDLE:
            yield provider.at(
                "session",
                "idle",
                say="another person may use a session that stays open for half a day without a request",
            )


def large_skew(subject: Subject) -> Iterator[Problem]:
    for provider in subject.providers:
        if provider.model.skew > _LARGEST_SKEW:
            say = "a clock that differs by more than 3m should be corrected: expired tokens are accepted for this long"
            yield provider.at("skew", say=say)


def public_client(subject: Subject) -> Iterator[Problem]:
    for provider in subject.providers:
        if isinstance(provider.model, ProviderFile) and provider.model.oidc.client_authentication == "none":
            say = "without a secret, only PKCE protects a stolen authorization code"
            yield provider.at("oidc", "client_authentication", say=say, write="register a confidential client")


def short_client_secret(subject: Subject) -> Iterator[Problem]:
    for provider in subject.providers:
        secret = subject.material.get((provider.path, ("oidc", "client_secret")))
        if secret is not None and len(secret) < _SHORTEST_SECRET:
            yield provider.at(
                "oidc", "client_secret", say=f"this secret has {len(secret)} characters: it can be guessed"
            )


def classes_of_no_scale(subject: Subject) -> Iterator[Problem]:
    for provider in subject.providers:
        if not isinstance(provider.model, SamlProviderFile):
            continue
        saml = provider.model.saml
        if saml.authn_context_comparison != "exact" and not are_of_one_scale(tuple(saml.authn_context)):
            yield provider.at(
                "saml",
                "authn_context_comparison",
                say="only the classes that authn_context names are accepted",
                write="every class that will do, and leave authn_context_comparison out",
            )


def metadata_near_their_end(subject: Subject) -> Iterator[Problem]:
    """The end of metadata in a file. Fetched metadata are renewed, and the event `provider.stale` reports their age."""
    for provider in subject.providers:
        ends = _metadata_end(subject.snapshot.providers[provider.model.provider])
        if ends is not None and ends < subject.now + _NEAR_SECONDS:
            day = datetime.fromtimestamp(ends, UTC).date().isoformat()
            is_or_was = "was" if ends <= subject.now else "is"
            say = f"validUntil of this file {is_or_was} {day}: from then on, nobody can sign in"
            yield provider.at("saml", "metadata", say=say, write="a newer file, or metadata: {url: ..., keys: [...]}")


def _metadata_end(provider: Provider) -> int | None:
    """Unix seconds; None for metadata without an end, or not in a file."""
    if not isinstance(provider, SamlProvider) or not isinstance(provider.metadata, MetadataFile):
        return None
    # Imported late, as where the file is checked: lxml is slow to come.
    from gateway.saml.metadata import find_entity, idp_metadata
    from gateway.saml.metadata_document import given

    entity = find_entity(given([provider.metadata.content]), provider.issuer)
    return idp_metadata(entity, development=provider.development).valid_until


def _may_assert(subject: Subject, placed: "_PlacedCondition", name: str, wanted: Callable[[str], object]) -> bool:
    """Whether the attribute can have a wanted value: from a directory, or from a provider that maps the attribute and
    may assert the value."""
    if any(name in given_by(app.model, subject.folder) for app in placed.apps):
        return True
    for provider in placed.providers(subject):
        listed = provider.asserts.attributes or {}
        if name in provider.attributes and (name not in listed or any(wanted(value) is True for value in listed[name])):
            return True
    return False


def _used(subject: Subject, provider: AnyProviderFile) -> set[str]:
    apps = [app for app in (*subject.apps, *subject.shadows) if provider.provider in app.model.providers]
    used = {provider.tenant or "", *(provider.asserts.attributes or {})}
    for app in apps:
        used |= {name for told in app.model.translate.told_anywhere for name in names_used(told.injected)}
        # A condition of any kind contains the name of its attribute.
        used |= set(_texts(app.document.data))
    for shared in subject.folder.shared:
        used |= set(_texts(shared.document.data))
    for directory in subject.directories:
        used |= {part.from_ for part in directory.model.key.values()}
    if "group" in used:
        used.add(GROUPS)
    if provider.asserts.siret is not None:
        used.add("siret")
    if provider.asserts.email_domains is not None:
        used |= {name for name, sources in provider.sources().items() if any(map(is_mail, (name, *sources)))}
    return used


def _texts(value: object) -> Iterator[str]:
    """Keys and texts of a file, whole and word by word: the words of a CEL expression include its attributes."""
    if isinstance(value, dict):
        for key, member in value.items():
            yield str(key)
            yield from _texts(member)
    elif isinstance(value, list):
        for member in value:
            yield from _texts(member)
    elif isinstance(value, str):
        yield value
        yield from "".join(letter if letter.isalnum() or letter == "_" else " " for letter in value).split()


@dataclass(frozen=True, slots=True)
class _PlacedCondition:
    """A condition with its place and its applications. An application uses a shared condition by its name."""

    apps: tuple[Of[AppFile], ...]
    file: Of[Any]
    path: Path
    condition: WrittenCondition

    @property
    def nobody(self) -> str:
        shared = isinstance(self.file.model, SharedFile)
        return f"no provider of {'any application that names this' if shared else 'this application'}"

    def providers(self, subject: Subject) -> list[AnyProviderFile]:
        return [provider for app in self.apps for provider in subject.providers_of(app)]


def _placed_conditions(subject: Subject) -> Iterator[_PlacedCondition]:
    named: dict[str, list[Of[AppFile]]] = {}
    for app in (*subject.apps, *subject.shadows):
        for index, rule in enumerate(app.model.access):
            for word, condition in (("allow", rule.allow), ("deny", rule.deny)):
                for path, one in leaves(condition, ("access", index, word)) if condition is not None else ():
                    yield _PlacedCondition((app,), app, path, one)
                    _name(subject, one, app, named)
    for file in subject.shared:
        for name, condition in file.model.conditions.items():
            if name in named:
                for path, one in leaves(condition, ("conditions", name)):
                    yield _PlacedCondition(tuple(named[name]), file, path, one)


def _name(subject: Subject, condition: WrittenCondition, app: Of[AppFile], named: dict[str, list[Of[AppFile]]]) -> None:
    """A shared condition may name further shared conditions. A valid folder has no circle of names."""
    if isinstance(condition, SharedIs) and app not in named.setdefault(condition.shared, []):
        named[condition.shared].append(app)
        for file in subject.shared:
            if inner := file.model.conditions.get(condition.shared):
                for _, part in leaves(inner, ()):
                    _name(subject, part, app, named)
