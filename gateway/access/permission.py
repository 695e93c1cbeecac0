"""The answer to a server in front that passes a request on itself: every header line that replaces the client's."""

from collections.abc import Mapping

from gateway.access.outcome import Prepared
from gateway.config.snapshot import App
from gateway.model.names import fold
from gateway.tokens.basic import HEADER

ToldLines = tuple[tuple[bytes, bytes], ...]


def injected_names(app: App) -> Mapping[bytes, bytes]:
    """The headers in which an application may receive data, over all paths and people: the spelling, by folded name."""
    told = [app.translation]
    if app.path_translations is not None:
        told += app.path_translations.by_pattern.values()
    names = [spec.name for translation in told for spec in translation.headers]
    names += [spec.carrier.name for spec in app.tokens if spec.carrier.kind == "header"]
    if app.basic is not None:
        names.append(HEADER)
    return {fold(name.encode("ascii")): name.encode("ascii") for name in names}


def permission(injected: Mapping[bytes, bytes], prepared: Prepared, cookies: bytes, authorization: bytes) -> ToldLines:
    """Names and values; an empty value removes the client's line of that name.

    `injected`: from injected_names.
    `cookies`, `authorization`: the client's own values that the application may receive.
    """
    lines = dict.fromkeys(injected.values(), b"")
    lines.setdefault(b"Authorization", authorization)
    lines[b"Cookie"] = b"; ".join(filter(None, (prepared.cookies, cookies)))
    for line in prepared.headers.split(b"\r\n")[1:]:
        name, _, value = line.partition(b": ")
        lines[name] = value
    return tuple(lines.items())
