"""May this provider assert this? What its file does not list is refused, however well it is signed."""

from collections.abc import Iterator

from gateway.identity.mapping import NAME_ID
from gateway.model.assertion import ADDRESS_FORMAT
from gateway.model.codes import LOGIN_OUTSIDE_PERIMETER
from gateway.model.errors import GatewayError
from gateway.model.identity import Identity
from gateway.model.mail import mail_domain
from gateway.model.provider import AttributeSource, Provider, SamlProvider

_LA_POSTE = "356000000"
# What an e-mail address is called: as a claim, and as an attribute of SAML by name, OID and claim type.
MAIL = frozenset({
    "mail", "email", "urn:oid:0.9.2342.19200300.100.1.3", "urn:oid:1.2.840.113549.1.9.1", "UTILISATEUR.MEL",
    "http://schemas.xmlsoap.org/ws/2005/05/identity/claims/emailaddress",
})  # fmt: skip
SIRET = frozenset({"siret", "SIRET"})
SIREN = frozenset({"siren", "SIREN", "ENTREPRISE.SIREN"})


def check(provider: Provider, identity: Identity) -> None:
    """Raises GatewayError(LOGIN_OUTSIDE_PERIMETER); the detail names the attribute, never its value."""
    perimeter = provider.perimeter
    if perimeter.siret is not None:
        _check_organisations(provider, identity, perimeter.siret)
    if perimeter.email_domains is not None:
        for name, value in _addresses(provider, identity):
            domain = mail_domain(value)
            if domain is None:
                raise _outside(name, "has a value that is not one plain e-mail address")
            if domain not in perimeter.email_domains:
                raise _outside(name, "has an e-mail domain that this provider does not speak for")
    for name, listed in (perimeter.attributes or {}).items():
        if not listed.issuperset(identity.attributes.get(name, ())):
            raise _outside(name, "has a value that is not listed")


def _check_organisations(provider: Provider, identity: Identity, sirets: frozenset[str]) -> None:
    for name, value in _asserted(provider, identity, SIRET, provider.tenant_attribute):
        if not is_siret(value):
            raise _outside(name, "has a value that is not a SIRET")
        if value not in sirets:
            raise _outside(name, "has a SIRET that this provider does not speak for")
    for name, value in _asserted(provider, identity, SIREN, None):
        # A legal unit is spoken for by whoever speaks for one of its establishments.
        if SIRET.isdisjoint(_sources(provider, name)) and not _is_unit_of(value, sirets):
            raise _outside(name, "has a SIREN that this provider does not speak for")


def is_inside(provider: Provider, identity: Identity) -> bool:
    """The same as a question: of a session that was made when the file may have said something else."""
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
    """9 digits with Luhn's check: a legal unit, whose establishments have SIRETs that begin so."""
    return _are_digits(text, 9) and _luhn(text)


def _are_digits(text: str, length: int) -> bool:
    return len(text) == length and text.isascii() and text.isdigit()


def _luhn(text: str) -> bool:
    """Every second digit is doubled, from the last but one backwards."""
    digits = [int(digit) for digit in reversed(text)]
    doubled = (2 * digit - 9 * (digit > 4) for digit in digits[1::2])
    return (sum(digits[::2]) + sum(doubled)) % 10 == 0


def _addresses(provider: Provider, identity: Identity) -> Iterator[tuple[str, str]]:
    yield from _asserted(provider, identity, MAIL, None)
    if isinstance(provider, SamlProvider) and provider.name_id_format == ADDRESS_FORMAT:
        # An address then, whatever it is mapped to. Another name of the same attribute may have given a number.
        named = _asserted(provider, identity, frozenset({NAME_ID}), None)
        yield from ((name, value) for name, value in named if "@" in value)


def _asserted(
    provider: Provider, identity: Identity, names: frozenset[str], also: str | None
) -> Iterator[tuple[str, str]]:
    """The values of every attribute that is named so, or is mapped from a claim that is."""
    for name, values in identity.attributes.items():
        if name in names or name == also or not names.isdisjoint(_sources(provider, name)):
            yield from ((name, value) for value in values)


def _sources(provider: Provider, name: str) -> tuple[str, ...]:
    """What the provider itself calls it: the last name of a claim's path, or any of a SAML attribute's names."""
    source = provider.attributes.get(name, ())
    return source.claim[-1:] if isinstance(source, AttributeSource) else source


def _outside(name: str, why: str) -> GatewayError:
    return GatewayError(LOGIN_OUTSIDE_PERIMETER, f"`{name}` {why}")
