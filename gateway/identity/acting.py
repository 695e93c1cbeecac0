"""The organisations for which directories let a person act, beside the provider's organisations. Also reduces the data
of a directory to the organisation for which the person acts.
"""

from collections.abc import Iterable, Iterator
from dataclasses import replace

from gateway.identity.directories import finding_in
from gateway.identity.mandates import held
from gateway.model.directory import Directory, DirectoryFinding
from gateway.model.identity import Identity
from gateway.model.provider import Provider


def acting_directories(directories: Iterable[Directory], provider: str) -> tuple[Directory, ...]:
    """The directories that name organisations for the provider's people."""
    return tuple(one for one in directories if one.names_organisations and one.takes(provider))


def named_by(identity: Identity, directories: Iterable[Directory], now: float | None) -> tuple[str, ...]:
    """The organisations for which the directories, by their present files, let the person act. An unknown finding names
    no organisation.

    `now`: Unix seconds; None: at any time.
    """
    found = (
        number
        for directory in acting_directories(directories, identity.provider)
        if (finding := finding_in(identity, directory)) is not None
        for number in _named(directory, finding, now)
    )
    return tuple(dict.fromkeys(found))


def _named(directory: Directory, finding: DirectoryFinding, now: float | None) -> Iterator[str]:
    for given in directory.gives:
        if given.acts_for is not None and given.name not in finding.unknown:
            if given.terms is None:
                yield from finding.values.get(given.name, ())
            else:
                terms = finding.terms if now is None else held(finding.terms, now)
                yield from (term.organisation for term in terms)


def acts_for(
    provider: Provider, identity: Identity, tenant: str | None, directories: Iterable[Directory], now: float
) -> bool:
    """Whether the person may still act for the session's organisation: by the provider, or by a directory."""
    if tenant is None or tenant in identity.attributes.get(provider.tenant_attribute or "", ()):
        return True
    return tenant in named_by(identity, directories, now)


def in_the_name_of(tenant: str | None, identity: Identity, directories: Iterable[Directory]) -> Identity:
    """The identity with only `tenant` among the organisations and mandates of directories."""
    naming = {one.name: one for one in acting_directories(directories, identity.provider)}
    if not naming:
        return identity
    findings = tuple(
        finding if finding.directory not in naming else _of_one(tenant, finding, naming[finding.directory])
        for finding in identity.findings
    )
    return replace(identity, findings=findings)


def _of_one(tenant: str | None, finding: DirectoryFinding, directory: Directory) -> DirectoryFinding:
    values, terms = dict(finding.values), finding.terms
    for given in directory.gives:
        if given.acts_for is None:
            continue
        if given.terms is not None:
            terms = tuple(term for term in terms if term.organisation == tenant)
        elif tenant is not None and tenant in values.pop(given.name, ()):
            values[given.name] = (tenant,)
    return replace(finding, values=values, terms=terms)
