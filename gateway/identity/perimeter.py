"""The one way from a mapped identity to an established person, and the bounds on the way: whether a provider may assert
it. Values outside the bounds of the provider's file are refused, however signed.
"""

import re
from collections.abc import Callable, Iterable, Iterator
from dataclasses import replace
from string import ascii_lowercase, digits

from gateway.model.codes import login_codes
from gateway.model.errors import GatewayError
from gateway.model.identity import Established, Identity
from gateway.model.mail import looks_like_an_address, mail_domain
from gateway.model.provider import AttributeSource, Perimeter, Provider


def establish(
    provider: Provider,
    identity: Identity,
    *,
    tenant_optional: bool = False,
    chosen: str | None = None,
    named: tuple[str, ...] = (),
) -> Established:
    """Checks a person against the provider's bounds and determines the tenant.

    `tenant_optional`: a program may act for no organisation. A person acts for one wherever the provider file names the
    attribute.
    `chosen`: the organisation that the person chose, where the file allows a choice.
    `named`: the organisations for which directories let the person act.

    Raises GatewayError: login_codes.OUTSIDE_PERIMETER (invariant 5), then login_codes.MAPPING for a tenant that is not
    exactly one value. The detail names attributes, never values.
    """
    check(provider, identity)
    if tenant_optional and not identity.attributes.get(provider.tenant_attribute or ""):
        return Established(identity, None)
    return in_one_name(provider, identity, chosen, named)


def in_one_name(
    provider: Provider, identity: Identity, chosen: str | None = None, named: tuple[str, ...] = ()
) -> Established:
    """Determines the tenant of a person inside the perimeter. Parameters and errors as of `establish`."""
    if chosen is not None and (provider.chooses_tenant or named):
        return _acting_for(provider, identity, chosen, named)
    return Established(identity, tenant_of(provider, identity))


def organisations(provider: Provider, identity: Identity, named: tuple[str, ...] = ()) -> tuple[str, ...]:
    """The organisations for which a person inside the perimeter may act. Raises GatewayError(login_codes.MAPPING)."""
    values = identity.attributes.get(provider.tenant_attribute or "", ())
    if len(values) > 1 and not provider.chooses_tenant:
        raise _not_one(provider, len(values))
    return tuple(dict.fromkeys((*values, *named)))


def _acting_for(provider: Provider, identity: Identity, chosen: str, named: tuple[str, ...]) -> Established:
    """Removes the numbers of the person's other organisations: the person now acts only for the chosen organisation."""
    values = organisations(provider, identity, named)
    if chosen not in values:
        raise GatewayError(login_codes.MAPPING, "the organisation chosen is none for which the person may act")
    others = {value for value in values if value != chosen}
    others |= {value[:_SIREN] for value in others if _are_digits(value, 14)} - {chosen[:_SIREN]}
    attributes = {
        name: kept
        for name, found in identity.attributes.items()
        if (kept := tuple(value for value in found if value not in others and _number_in(value) not in others))
    }
    return Established(replace(identity, attributes=attributes), chosen)


def _number_in(value: str) -> str:
    """The digits of a SIRET or SIREN, tagged as in supann or grouped as people write numbers; else empty."""
    tagged = _TAGGED.fullmatch(value)
    number = _BETWEEN_DIGITS.sub("", value if tagged is None else tagged[2])
    return number if _are_digits(number, 14) or _are_digits(number, _SIREN) else ""


def tenant_of(provider: Provider, identity: Identity) -> str | None:
    """The organisation for which the person acts: exactly one wherever the provider file names the attribute."""
    if provider.tenant_attribute is None:
        return None
    values = identity.attributes.get(provider.tenant_attribute, ())
    if len(values) != 1:
        raise _not_one(provider, len(values))
    return values[0]


def _not_one(provider: Provider, number: int) -> GatewayError:
    return GatewayError(login_codes.MAPPING, f"the tenant, `{provider.tenant_attribute}`, has {number} values, not 1")


# --- the perimeter

_LA_POSTE = "356000000"
_SIREN = 9
_QUALIFIED_BY = "!:|"
_IN_WORDS = ascii_lowercase + digits
# supann (supannEtablissement, supannEntiteAffectation ...): a number after its kind, under any attribute name.
_TAGGED = re.compile(r"\{(siret|siren)\}(.*)", re.IGNORECASE | re.DOTALL)
_BETWEEN_DIGITS = re.compile(r"[\s.\-\u00a0\u202f]")


def is_siret_name(name: str) -> bool:
    """Whether the last word of the name says SIRET: `SIRET`, `organization.siret`, `urn:example:Siret`."""
    return _last_word(name) == "siret"


def is_siren_name(name: str) -> bool:
    return _last_word(name) == "siren"


def _last_word(name: str) -> str:
    folded = name.lower()
    return folded[len(folded.rstrip(_IN_WORDS)) :]


def check(provider: Provider, identity: Identity) -> None:
    """Raises GatewayError(login_codes.OUTSIDE_PERIMETER); the detail names the attribute, never its value."""
    perimeter = provider.perimeter
    if perimeter.siret is not None:
        _check_organisations(provider, identity, perimeter.siret)
    if perimeter.email_domains is not None or perimeter.scopes is not None:
        for name, values in identity.attributes.items():
            _check_addresses(perimeter, name, values, (name, *_sources(provider, name)))
    if perimeter.email_domains is not None and looks_like_an_address(identity.subject):
        _check_identifier(perimeter, identity.subject)
    for name, listed in (perimeter.attributes or {}).items():
        if not listed.issuperset(identity.attributes.get(name, ())):
            raise _outside(name, "has a value that is not listed")


def _check_addresses(perimeter: Perimeter, name: str, values: Iterable[str], called: tuple[str, ...]) -> None:
    """A value that looks like an e-mail address is bounded under every name, because applications recognise people by
    any attribute. `called`: our name and the provider's name of the attribute.
    """
    domains, scopes = perimeter.email_domains, perimeter.scopes
    # A SAML attribute has a dozen names: comparing sets avoids a call for each name.
    lower = {*map(str.lower, called)}
    mail, scoped = not _MAIL.isdisjoint(lower), not _SCOPED_FOLDED.isdisjoint(lower)
    if scoped and scopes is not None and not (mail and domains is not None):
        domains = scopes
    elif domains is not None and scopes is not None and not mail:
        domains |= scopes
    # A value that the file lists is allowed without a further check.
    listed = (perimeter.attributes or {}).get(name, frozenset()) if not mail and not scoped else frozenset()
    for value in values if domains is not None else ():
        if (mail or scoped or looks_like_an_address(value)) and value not in listed:
            _check_domain(domains, name, value)


def _check_identifier(perimeter: Perimeter, subject: str) -> None:
    """A qualified NameID ends with the name itself, as do the identifiers of brokers (`f:realm:name`)."""
    domains = (perimeter.email_domains or frozenset()) | (perimeter.scopes or frozenset())
    before, sign, domain = subject.partition("@")
    start = max(before.rfind(mark) for mark in _QUALIFIED_BY) + 1
    # A text with a second address is no plain address: an application may cut the text differently and find the second.
    _check_domain(domains, "subject", before[start:] + sign + domain)


def _check_domain(domains: frozenset[str] | None, name: str, value: str) -> None:
    domain = mail_domain(value)
    if domain is None:
        raise _outside(name, "has a value that is not one plain e-mail address")
    if domain not in (domains or ()):
        raise _outside(name, "has an e-mail domain that this provider does not speak for")


def _check_organisations(provider: Provider, identity: Identity, sirets: frozenset[str]) -> None:
    for name, value in _asserted(provider, identity, is_siret_name, provider.tenant_attribute):
        if not is_siret(value):
            raise _outside(name, "has a value that is not a SIRET")
        if value not in sirets:
            raise _outside(name, "has a SIRET that this provider does not speak for")
    for name, value in _asserted(provider, identity, is_siren_name, None):
        # A provider that speaks for one establishment of a legal unit speaks for the unit.
        if not any(map(is_siret_name, _sources(provider, name))) and not _is_unit_of(value, sirets):
            raise _outside(name, "has a SIREN that this provider does not speak for")
    for name, values in identity.attributes.items():
        speaks_of_one = any("siret" in one.lower() for one in (name, *_sources(provider, name)))
        for value in values:
            if _is_anothers(value, sirets, speaks_of_one=speaks_of_one):
                raise _outside(name, "has the number of an organisation that this provider does not speak for")


def _is_anothers(value: str, sirets: frozenset[str], *, speaks_of_one: bool) -> bool:
    """`speaks_of_one`: by its name, `codeSiret` or `siret_label`, the value may be a SIRET."""
    tagged = _TAGGED.fullmatch(value)
    if tagged is not None:
        number = tagged[2]
        return number not in sirets if tagged[1].lower() == "siret" else not _is_unit_of(number, sirets)
    number = _BETWEEN_DIGITS.sub("", value) if speaks_of_one else ""
    return is_siret(number) and number not in sirets


def is_inside(provider: Provider, identity: Identity) -> bool:
    """Whether `check` passes, for a session from before a change of the file."""
    try:
        check(provider, identity)
    except GatewayError:
        return False
    return True


def _is_unit_of(siren: str, sirets: frozenset[str]) -> bool:
    return is_siren(siren) and any(siret.startswith(siren) for siret in sirets)


def is_siret(text: str) -> bool:
    """14 digits with Luhn's check, and the branches of La Poste, whose digits add up to a multiple of five."""
    if not _are_digits(text, 14):
        return False
    return _luhn(text) or (text.startswith(_LA_POSTE) and sum(map(int, text)) % 5 == 0)


def is_siren(text: str) -> bool:
    """9 digits with Luhn's check: a legal unit. The SIRETs of its establishments begin with these digits."""
    return _are_digits(text, 9) and _luhn(text)


def _are_digits(text: str, length: int) -> bool:
    return len(text) == length and text.isascii() and text.isdigit()


def _luhn(text: str) -> bool:
    """Every second digit is doubled, from the last but one backwards."""
    digits = [int(digit) for digit in reversed(text)]
    doubled = (2 * digit - 9 * (digit > 4) for digit in digits[1::2])
    return (sum(digits[::2]) + sum(doubled)) % 10 == 0


def _asserted(
    provider: Provider, identity: Identity, named: Callable[[str], bool], also: str | None
) -> Iterator[tuple[str, str]]:
    """The values of the attribute `also`, and of attributes whose name or claim `named` accepts."""
    for name, values in identity.attributes.items():
        if name == also or any(map(named, (name, *_sources(provider, name)))):
            yield from ((name, value) for value in values)


def _sources(provider: Provider, name: str) -> tuple[str, ...]:
    """The provider's name: the last name of a claim's path, or a name of a SAML attribute."""
    source = provider.attributes.get(name, ())
    return source.claim[-1:] if isinstance(source, AttributeSource) else source


def _outside(name: str, why: str) -> GatewayError:
    return GatewayError(login_codes.OUTSIDE_PERIMETER, f"`{name}` {why}")


# --- names of addresses, as claims and as attributes of SAML

_EDU = "urn:oid:1.3.6.1.4.1.5923.1.1.1."
_CLAIMS = "http://schemas.xmlsoap.org/ws/2005/05/identity/claims/"

# Compared without regard to case: `Email` and `Mail` are two usual ones.
_MAIL = frozenset({
    "mail", "email", "emailaddress", "e-mail", "courriel", "rfc822mailbox", "urn:oid:0.9.2342.19200300.100.1.3",
    "urn:oid:1.2.840.113549.1.9.1", "urn:mace:dir:attribute-def:mail", "utilisateur.mel", f"{_CLAIMS}emailaddress",
})  # fmt: skip
# eduPerson, Subject Identifier Attributes Profile 3.3: value@scope; a scope that is not the provider's own is false.
_SCOPED = frozenset({
    "eduPersonPrincipalName", f"{_EDU}6", "eduPersonScopedAffiliation", f"{_EDU}9",
    "eduPersonPrincipalNamePrior", f"{_EDU}12", "eduPersonUniqueId", f"{_EDU}13",
    "urn:mace:dir:attribute-def:eduPersonPrincipalName", "urn:mace:dir:attribute-def:eduPersonScopedAffiliation",
    "urn:oasis:names:tc:SAML:attribute:subject-id", "urn:oasis:names:tc:SAML:attribute:pairwise-id",
})  # fmt: skip
# Attributes that are addresses at some providers, and numbers at others.
_MAY_BE_MAIL = frozenset({
    "upn", "preferred_username", "unique_name", "userprincipalname", "username", "login", "nameid",
    f"{_CLAIMS}upn", f"{_CLAIMS}name", f"{_CLAIMS}nameidentifier",
})  # fmt: skip
_SCOPED_FOLDED = frozenset(map(str.lower, _SCOPED)) | {"eduperson_principal_name", "eduperson_scoped_affiliation"}


def is_mail(name: str) -> bool:
    return name.lower() in _MAIL


def is_scoped(name: str) -> bool:
    return name.lower() in _SCOPED_FOLDED


def may_hold_an_address(name: str) -> bool:
    """Whether the name alone means an address. A value that looks like an address is bounded under every name."""
    return is_mail(name) or is_scoped(name) or name.lower() in _MAY_BE_MAIL
