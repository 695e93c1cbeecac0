"""Read header lines and cookies back, so that what we show is what is sent."""

from collections.abc import Iterable, Mapping

from gateway.translation.charset import LACKING, decode
from gateway.translation.render import Constant, FromAttribute, Injection, Spec, Translation

_SECRET = "(secret)"
# Names that every identity has, whatever its provider maps.
_NO_ATTRIBUTES = frozenset({"subject", "provider", "issuer"})


def read_back(translation: Translation, injection: Injection) -> tuple[dict[str, str], dict[str, str]]:
    """Headers and cookies by name: the ready bytes as text, each in its own charset."""
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


def attributes_told(
    translation: Translation, headers: Mapping[str, str], cookies: Mapping[str, str]
) -> dict[str, tuple[str, ...]]:
    """The attributes that an application received, read back from its headers and cookies.

    Raises ValueError, with the name of a header or cookie that is not encoded as the app file says.
    """
    found: dict[str, tuple[str, ...]] = {}
    for specs, values in ((translation.headers, headers), (translation.cookies, cookies)):
        for spec in specs:
            if isinstance(spec.source, FromAttribute) and spec.name in values:
                found.setdefault(spec.source.name, _values(spec, spec.source, values[spec.name]))
    return {name: values for name, values in found.items() if name not in _NO_ATTRIBUTES}


def _values(spec: Spec, source: FromAttribute, text: str) -> tuple[str, ...]:
    parts = [text] if source.join is None else text.split(source.join)
    try:
        return tuple(_decoded(spec, part) for part in parts)
    except ValueError:
        raise ValueError(f"{spec.name} is not in {spec.encoding}") from None


def _decoded(spec: Spec, text: str) -> str:
    codec = _codec(spec)
    return decode(text.encode(codec), spec.encoding, spec.unencodable)


def _named(specs: Iterable[Spec], lines: Iterable[tuple[bytes, bytes, bytes]]) -> dict[str, str]:
    codecs = {spec.name.encode(): _codec(spec) for spec in specs}
    return {name.decode("latin-1"): value.decode(codecs.get(name, "latin-1")) for name, _, value in lines}


def _codec(spec: Spec) -> str:
    """Of its bytes: what is encoded once more is ASCII."""
    return LACKING[spec.encoding][0] if spec.encoding in LACKING else "utf-8"
