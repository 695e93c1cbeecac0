"""What a server in front is told of a request that it passes on itself: every header line that it writes over the
client's."""

from collections.abc import Mapping

from gateway.access.outcome import Prepared
from gateway.config.snapshot import App
from gateway.model.names import fold
from gateway.tokens.basic import HEADER

ToldLines = tuple[tuple[bytes, bytes], ...]


def injected_names(app: App) -> Mapping[bytes, bytes]:
    """Of every header that an application may be told something in, on whatever path and of whomever: its name as it is
    written, by the folded one."""
    told = [app.translation]
    if app.path_translations is not None:
        told += app.path_translations.by_pattern.values()
    names = [spec.name for translation in told for spec in translation.headers]
    names += [spec.carrier.name for spec in app.tokens if spec.carrier.kind == "header"]
    if app.basic is not None:
        names.append(HEADER)
    return {fold(name.encode("ascii")): name.encode("ascii") for name in names}


def permission(injected: Mapping[bytes, bytes], prepared: Prepared, cookies: bytes, authorization: bytes) -> ToldLines:
    """Names and values, empty where the application is told nothing, so that no client's line of that name stays.

    `injected`: from injected_names. `cookies`, `authorization`: what of the client's the application may have."""
    lines = dict.fromkeys(injected.values(), b"")
    lines.setdefault(b"Authorization", authorization)
    lines[b"Cookie"] = b"; ".join(filter(None, (prepared.cookies, cookies)))
    for line in prepared.headers.split(b"\r\n")[1:]:
        name, _, value = line.partition(b": ")
        lines[name] = value
    return tuple(lines.items())
