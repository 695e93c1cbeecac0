"""Reads header lines and cookies back, for tools that show the sent values."""

from collections.abc import Iterable, Mapping
from typing import NamedTuple

from gateway.model.identity import Identity
from gateway.translation.charset import LACKING, Encoding, decode
from gateway.translation.render import KNOWN_OF_ALL, Injection, Translation, why_or_value
from gateway.translation.specs import Constant, FromAttribute, Spec

_SECRET = "(secret)"


def read_back(translation: Translation, injection: Injection) -> tuple[dict[str, str], dict[str, str]]:
    """Headers and cookies by name: the ready bytes, decoded by the charset of the header or cookie."""
    headers = [line.partition(b": ") for line in injection.headers.split(b"\r\n") if line]
    pairs = [pair.partition(b"=") for pair in injection.cookies.split(b"; ") if pair]
    return _named(translation.headers, headers), _named(translation.cookies, pairs)


def read_back_for_tools(translation: Translation, injection: Injection) -> tuple[dict[str, str], dict[str, str]]:
    """As `read_back`, without secrets: tools print to terminals and logs."""
    headers, cookies = read_back(translation, injection)
    for specs, told in ((translation.headers, headers), (translation.cookies, cookies)):
        for spec in specs:
            if isinstance(spec.source, Constant) and spec.source.secret and spec.name in told:
                told[spec.name] = _SECRET
    return headers, cookies


class SentAs(NamedTuple):
    """`bytes`: the sent bytes, with `\\xe9` for a byte beyond ASCII."""

    encoding: Encoding
    bytes: str


def sent_as(translation: Translation, injection: Injection) -> dict[str, SentAs]:
    """The headers, by name, with bytes beyond ASCII: with a wrong encoding, a reader gets a wrong text. Without
    secrets. Cookies are always ASCII.
    """
    found = {}
    specs = {spec.name.encode(): spec for spec in translation.headers}
    for line in injection.headers.split(b"\r\n"):
        name, _, value = line.partition(b": ")
        spec = specs.get(name)
        if spec is not None and not value.isascii() and not (isinstance(spec.source, Constant) and spec.source.secret):
            found[spec.name] = SentAs(spec.encoding, value.decode("ascii", "backslashreplace"))
    return found


def unsent(translation: Translation, identity: Identity | None) -> dict[str, str]:
    """By name, the reason why a header or cookie of the file is not sent for the admitted person."""
    specs: tuple[Spec, ...] = (*translation.headers, *translation.cookies)
    if identity is None:
        fixed = {spec.name for spec in translation.headers if spec.nobody is not None}
        return {spec.name: "nobody is signed in" for spec in specs if spec.name not in fixed}
    reasons = ((spec.name, why_or_value(spec, identity)[0]) for spec in specs)
    return {name: why for name, why in reasons if why}


def attributes_told(
    translation: Translation, headers: Mapping[str, str], cookies: Mapping[str, str]
) -> dict[str, tuple[str, ...]]:
    """The attributes that an application received, read back from its headers and cookies.

    Raises ValueError, with the name of a header or cookie in another encoding than the app file's.
    """
    found: dict[str, tuple[str, ...]] = {}
    for specs, values in ((translation.headers, headers), (translation.cookies, cookies)):
        for spec in specs:
            value = values.get(spec.name)
            if isinstance(spec.source, FromAttribute) and value not in (None, spec.absent) and _is_plain(spec):
                found.setdefault(spec.source.name, _values(spec, spec.source, values[spec.name]))
    return {name: values for name, values in found.items() if name not in KNOWN_OF_ALL}


def _is_plain(spec: Spec) -> bool:
    """Whether the sent value is the complete known value: otherwise the rest is unknown."""
    source = spec.source
    changed = spec.transforms or not isinstance(source, FromAttribute) or source.only is not None or source.escape
    return not changed


def _values(spec: Spec, source: FromAttribute, text: str) -> tuple[str, ...]:
    join = source.join
    try:
        if join is not None and source.whole:
            return tuple(_decoded(spec, text).split(join))
        return tuple(_decoded(spec, part) for part in ([text] if join is None else text.split(join)))
    except ValueError:
        raise ValueError(f"{spec.name} is not in {spec.encoding}") from None


def _decoded(spec: Spec, text: str) -> str:
    codec = _codec(spec)
    return decode(text.encode(codec), spec.encoding, spec.unencodable)


def _named(specs: Iterable[Spec], lines: Iterable[tuple[bytes, bytes, bytes]]) -> dict[str, str]:
    codecs = {spec.name.encode(): _codec(spec) for spec in specs}
    return {name.decode("latin-1"): value.decode(codecs.get(name, "latin-1")) for name, _, value in lines}


def _codec(spec: Spec) -> str:
    """Of the bytes: a value encoded once more is ASCII."""
    return LACKING[spec.encoding][0] if spec.encoding in LACKING else "utf-8"
