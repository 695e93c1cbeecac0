"""Checks whether the headers, cookies and tokens of an application can fit into its header budget."""

from collections.abc import Iterator, Sequence
from contextlib import suppress
from dataclasses import replace
from typing import Final, NamedTuple

from gateway.config.check.tokens import ASPNET, carriers, told_attributes
from gateway.config.check.translate import names_used, spec_of
from gateway.config.compile.frozen import Material
from gateway.config.compile.tokens import plan_basic, plan_tokens
from gateway.config.problems import Problem
from gateway.config.schema.app import AppFile
from gateway.config.schema.gateway import GatewayFile
from gateway.config.schema.load import AnyProviderFile
from gateway.config.schema.provider import SamlProviderFile
from gateway.config.schema.translate import InjectedAt, InjectedHeaderSection, TranslateSection
from gateway.config.yaml.reader import YamlDocument
from gateway.model.codes import translation_codes
from gateway.model.directory import secret_attribute
from gateway.model.errors import GatewayError
from gateway.model.identity import Identity
from gateway.tokens.basic import basic_line
from gateway.tokens.making import least_size
from gateway.tokens.spec import TokenSpec
from gateway.translation.render import Translation, render_one
from gateway.translation.specs import CookieSpec, HeaderSpec, Spec

# Between a name and its value, and before the line or between two cookies.
_BESIDE: Final = {"headers": 4, "cookies": 3}
_BETWEEN_COOKIES: Final = 2
# The length of an unknown value that has to be present.
_LEAST: Final = "x"
# Unix seconds have so many digits.
_SOME_TIME: Final = 2_000_000_000


class _Known(NamedTuple):
    """The values that provider files give.

    `values`: the possible values of each attribute, by attribute name."""

    values: dict[str, list[str]]

    @classmethod
    def by(cls, providers: Sequence[AnyProviderFile]) -> "_Known":
        found: dict[str, list[str]] = {"provider": [], "issuer": [], "authenticated_at": [str(_SOME_TIME)]}
        for one in providers:
            found["provider"].append(one.provider)
            found["issuer"].append(one.saml.entity_id if isinstance(one, SamlProviderFile) else one.oidc.issuer)
            for name, values in (one.asserts.attributes or {}).items():
                found.setdefault(name, []).extend(values)
        return cls(found)

    def identity(self, chosen: dict[str, str]) -> Identity:
        """Makes an identity from the chosen values, without further attributes."""
        return Identity(
            provider=chosen.get("provider", ""),
            issuer=chosen.get("issuer", ""),
            subject=chosen.get("subject", ""),
            attributes={name: (one,) for name, one in chosen.items()},
            authenticated_at=_SOME_TIME if "authenticated_at" in chosen else 0,
        )


def check_budget(
    document: YamlDocument,
    model: AppFile,
    providers: Sequence[AnyProviderFile],
    *,
    file: str,
    gateway: GatewayFile | None,
    material: Material,
) -> Iterator[Problem]:
    """Adds up the bytes of headers, cookies and tokens. A value that files list counts with its longest text: a person
    with this text could never come in. An unknown value of the person counts with its least size.

    `material`: the contents of the references that could be read."""
    known, by_path = _Known.by(providers), model.translate.by_path
    longest = {
        (told.at, told.name): _longest(told, material.get((file, (*told.at, "value"))), known)
        for told in model.translate.told_anywhere
    }
    made = 0
    if model.translate.has_tokens and gateway is not None:
        try:
            made = _of_tokens(file, model, gateway, material, known)
        except GatewayError as error:
            message = f"with the longest values that are known: {error.detail}"
            yield replace(document.problem(ASPNET, message, key=True), code=error.code.id)
            return
    size = made + max(sum(longest[told.at, told.name] for told in together) for together in by_path)
    kinds: list[str] = [told.kind for told in model.translate.told]
    if model.translate.has_tokens:
        kinds += (kind for _, kind, _ in carriers(model.translate))
    if "cookies" in kinds:
        size -= _BETWEEN_COOKIES
    if _says_something_of_nobody(model):
        size = max(size, *(sum(map(_of_nobody, together)) for together in by_path))
    budget = model.translate.budget
    if size > budget:
        of_them = f", {made} of them for tokens," if made else ","
        message = (
            f"with the longest values that are known, headers and cookies take {size} bytes{of_them} over {budget}"
        )
        hint = "send less, or raise translate.budget as far as the application allows"
        yield replace(document.problem(("translate",), message, hint, key=True), code=translation_codes.BUDGET.id)


def _longest(told: InjectedAt, content: bytes | None, known: _Known) -> int:
    """Bytes of the line; 0 if no value is known. Another check, or lint, reports a value that cannot be sent."""
    injected = told.injected
    if injected.value is not None and injected.value.kind != "inline" and content is None:
        return 0
    names = names_used(injected)
    listed = {name: known.values.get(name, []) for name in names}
    if injected.only is not None:
        listed = dict.fromkeys(names, injected.only)
    # A table may make the longest of any value; elsewhere it is the longest that is made of the longest.
    every = max(map(len, listed.values()), default=0) if injected.transforms else 0
    persons = [{name: max(values, key=len) for name, values in listed.items() if values}]
    if injected.absent is not None:
        persons.append({})
    persons += [{name: values[at % len(values)] for name, values in listed.items() if values} for at in range(every)]
    sizes = [0]
    for person in persons:
        with suppress(GatewayError, UnicodeDecodeError):
            is_header = told.kind == "headers"
            spec: Spec = spec_of(HeaderSpec, told, content) if is_header else spec_of(CookieSpec, told, content)
            sizes.append(len(render_one(spec, known.identity(person))))
    return len(told.name) + _BESIDE[told.kind] + max(sizes) if max(sizes) else 0


def _of_tokens(file: str, model: AppFile, gateway: GatewayFile, material: Material, known: _Known) -> int:
    """The least bytes of the tokens and of the Basic line. Raises GatewayError for a ticket that is too long for its
    reader."""
    basic = model.translate.basic
    needed = dict.fromkeys(("subject", "provider", "issuer", *_needed(model.translate)), _LEAST)
    listed = {name: max(values, key=len) for name, values in known.values.items() if values}
    identity = known.identity({**needed, **listed})
    size = 0
    # What could not be read, or is no key, is told where it stands.
    with suppress(KeyError, ValueError):
        for spec in plan_tokens(file, model, gateway, material):
            size += _of_token(spec, identity)
    if basic is not None:
        with suppress(KeyError, ValueError, GatewayError):
            size += len(basic_line(plan_basic(file, basic, material), identity))
    return size


def _needed(translate: TranslateSection) -> Iterator[str]:
    """Yields the attributes that a token or a Basic line cannot do without. A person without them is refused."""
    for path, name in told_attributes(translate):
        if path[-2] == "account" or path[-3:-1] == ("claims", "sub"):
            yield name
    if translate.basic is not None and translate.basic.password_from is not None:
        yield secret_attribute(translate.basic.password_from)


def _of_token(spec: TokenSpec, identity: Identity) -> int:
    try:
        size = least_size(spec, identity)
    except GatewayError as error:
        if error.code == translation_codes.LENGTH:
            raise
        return 0
    return size + (_BETWEEN_COOKIES if spec.carrier.kind == "cookie" else 0)


def _says_something_of_nobody(model: AppFile) -> bool:
    """Whether a header has a text for requests without a person (`nobody`). Without such a header, these requests carry
    fixed texts only, which requests of people carry too."""
    told = [told.injected for told in model.translate.told_anywhere]
    return any(isinstance(one, InjectedHeaderSection) and one.nobody is not None for one in told)


def _of_nobody(told: InjectedAt) -> int:
    """Bytes of the header line in a request without a person; 0 for a cookie."""
    with suppress(GatewayError, UnicodeDecodeError):
        if told.kind == "headers":
            return len(Translation((spec_of(HeaderSpec, told, None),), ()).render(None).headers)
    return 0
