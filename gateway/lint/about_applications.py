"""Rules about applications: injected values and upstream addresses."""

from collections.abc import Iterator
from ipaddress import ip_address

from gateway.config.check.translate import is_secret
from gateway.config.problems import Problem
from gateway.config.schema.app import AppFile, PathsSection
from gateway.config.schema.scalars import Url
from gateway.config.schema.translate import InjectedAt, InjectedHeaderSection, InjectedSection
from gateway.config.snapshot import App
from gateway.lint.subject import Of, Subject
from gateway.model.errors import GatewayError
from gateway.policy.conditions import GROUPS
from gateway.translation.charset import LACKING, encode
from gateway.wire.application_cookies import ALL
from gateway.wire.cookies import LANGUAGES
from gateway.wire.lenient_heads import OF_FRAMING

_BUDGET = 8192
_USUAL_VALUE = 200
_USUAL_VALUES = 20
# Encodings that do not change a separator.
_VISIBLE = frozenset({"utf8", *LACKING})


def _injected(subject: Subject) -> Iterator[tuple[Of[AppFile], InjectedAt, InjectedSection]]:
    for app in subject.apps:
        for told in app.model.translate.told_anywhere:
            yield app, told, told.injected


def header_budget(subject: Subject) -> Iterator[Problem]:
    """Tomcat, IIS and nginx take 8 KB of headers by default."""
    for app in subject.apps:
        size = max(
            sum(_size(subject, app, one.name, one.injected) for one in told) for told in app.model.translate.by_path
        )
        if size > _BUDGET:
            say = f"headers and cookies may grow to {size} bytes, and many servers take {_BUDGET} for all of a request"
            yield app.at("translate", key=True, say=say, write="send fewer attributes, or fewer groups")


def addresses_that_lead_inside(subject: Subject) -> Iterator[Problem]:
    for app in subject.apps:
        if app.model.upstream.host != "keep" and not app.model.rewrite.headers:
            say = "the application does not receive the name in browsers, so its redirects and cookies are wrong"
            yield app.at("upstream", "host", say=say, write="rewrite: {headers: true}")


def behind_a_front(subject: Subject) -> Iterator[Problem]:
    for app in subject.apps:
        if app.model.front is not None:
            what = "downloads" if app.model.tunnel is None else "downloads and WebSockets"
            say = f"{what} that are open outlive a sign-out, and the gateway does not see the application's answers"
            yield app.at("front", say=say, write="leave front out if this matters, otherwise say why not")


def tunnel_from_the_clear(subject: Subject) -> Iterator[Problem]:
    for app in subject.apps:
        for index, origin in enumerate(() if app.model.tunnel is None else app.model.tunnel.origins):
            if origin.scheme == "http":
                say = f"{origin.origin} travels unencrypted: an attacker on the network can change the page"
                yield app.at("tunnel", "origins", index, say=say, write=f"https://{origin.authority}, or leave it out")


def address_of_another(subject: Subject) -> Iterator[Problem]:
    for app in subject.apps:
        for index, internal in enumerate(app.model.rewrite.internal):
            other = _served_at(subject, internal, app.model.app)
            if other is not None:
                say = f"browsers reach {other.name} there: links to it would lead to {app.model.app}"
                yield app.at("rewrite", "internal", index, say=say, write="leave it out")


def _served_at(subject: Subject, address: Url, name: str) -> App | None:
    """Returns the application that browsers reach at the address, if it is not the named application."""
    there = subject.snapshot.applications(address.host)
    found = [app for app in there.all if app.origin(address.host) == address.origin]
    return found[0] if found and there.named(name) not in found else None


def one_origin(subject: Subject) -> Iterator[Problem]:
    for app in subject.apps:
        beside = [other.model.app for other in subject.apps if _divides(app.model, other.model)]
        if app.model.path is not None and beside:
            say = f"to browsers it is one site with {', '.join(sorted(beside))}: a script of one can read all pages"
            yield app.at("path", say=say, write="give it its own host, or say why the applications trust each other")


def _divides(one: AppFile, other: AppFile) -> bool:
    return one.app != other.app and not set(one.hosts).isdisjoint(other.hosts)


def several_values_without_join(subject: Subject) -> Iterator[Problem]:
    for app, told, injected in _injected(subject):
        one_alone = "first" in injected.transforms or (injected.only is not None and len(injected.only) == 1)
        if injected.source is None or injected.join is not None or one_alone:
            continue
        if _many(subject, app, injected.source):
            say = f"a person with two values of {injected.source} is refused here"
            yield app.at(*told.at, key=True, say=say, write='add join, such as join: ";"')


def separator_in_a_value(subject: Subject) -> Iterator[Problem]:
    for app, told, injected in _injected(subject):
        escaped = isinstance(injected, InjectedHeaderSection) and injected.escape is not None
        if injected.join is None or injected.encoding not in _VISIBLE or escaped:
            continue
        for value in _sent_as_listed(subject, app, injected):
            if (injected.join.strip() or injected.join) in value:
                say = f"a person with the value {value} is refused: it holds the separator"
                write = "choose another join, or encoding: percent-utf8"
                yield app.at(*told.at, "join", say=say, write=write)
                break


def value_not_encodable(subject: Subject) -> Iterator[Problem]:
    for app, told, injected in _injected(subject):
        for value in _sent_as_listed(subject, app, injected):
            try:
                encode(value, injected.encoding, injected.unencodable)
            except GatewayError as error:
                say = f"a person with the value {value} is refused: {error.detail}"
                yield app.at(*told.at, key=True, say=say)
                break


def constant_secret(subject: Subject) -> Iterator[Problem]:
    for app, told, injected in _injected(subject):
        value = injected.value
        if value is not None and value.kind == "inline" and is_secret(told.name, value):
            say = "everybody who reads the repository knows a secret in this file"
            write = "{file: ...}, {env: ...} or {credential: ...}"
            yield app.at(*told.at, key=True, say=say, write=write)


def told_nothing(subject: Subject) -> Iterator[Problem]:
    for app in subject.apps:
        asks = any(rule.allow is not None and rule.allow.of_identity for _, rule in subject.rules(app))
        translate = app.model.translate
        if asks and not (translate.told_anywhere or translate.has_tokens or app.model.form_login):
            yield app.at(
                "app", say="people sign in, but the application does not receive their identity", write="add translate"
            )


def http_upstream(subject: Subject) -> Iterator[Problem]:
    say = "the identity of people goes to this application in the clear, and can be read and forged on the way"
    for app in subject.apps:
        for where, url in _addresses(app):
            if url.scheme == "http" and not _is_loopback(url.host) and app.model.upstream.socket is None:
                yield app.at(*where, say=say, write="https, or an address of this machine")


def legacy_tls(subject: Subject) -> Iterator[Problem]:
    for app in subject.apps:
        tls = app.model.upstream.tls
        if tls is not None and tls.legacy is not None:
            say = f"{tls.legacy} can be broken by an attacker on the network: identities can be read and forged"
            yield app.at("upstream", "tls", "legacy", say=say, write="leave it out once the server supports TLS 1.2")


def loose_framing(subject: Subject) -> Iterator[Problem]:
    say = "a server in between may see another end of this response, and take the rest for another person's response"
    for app in subject.apps:
        for index, accepted in enumerate(app.model.upstream.accept):
            if accepted in OF_FRAMING:
                write = "have the server mended, or leave it out if no page needs it"
                yield app.at("upstream", "accept", index, say=say, write=write)


def upstream_of_two(subject: Subject) -> Iterator[Problem]:
    first: dict[str, str] = {}
    for app in subject.apps:
        for where, url in _addresses(app):
            other = first.setdefault(app.model.upstream.socket or url.origin, app.model.app)
            if other != app.model.app:
                say = f"{other} has the same upstream: a person refused here may try there"
                yield app.at(*where, say=say)


def app_on_the_portal(subject: Subject) -> Iterator[Problem]:
    portal = subject.gateway.model.portal.host
    for app in subject.apps:
        for index, host in enumerate(app.model.hosts):
            if host == portal:
                say = "this is the portal's host: the application's scripts can reach the sign-in pages"
                yield app.at("hosts", index, say=say, write="give it its own host")


def patience_beyond_the_whole(subject: Subject) -> Iterator[Problem]:
    for app in subject.apps:
        total = app.model.timeouts.total or subject.gateway.model.timeouts.total
        say = f"the whole exchange may take {total:g}s (timeouts.total), so it ends before this wait does"
        if (app.model.upstream.timeout or 0) >= total:
            yield app.at("upstream", "timeout", say=say)
        if (app.model.timeouts.first_byte or 0) >= total:
            yield app.at("timeouts", "first_byte", say=say)


def sign_out_without_cookies(subject: Subject) -> Iterator[Problem]:
    for app in subject.apps:
        if app.model.logout.url is not None and not app.model.logout.cookies:
            say = "without a browser, this call carries none of the application's own cookies"
            yield app.at("logout", "url", say=say, write="cookies: [JSESSIONID], or its session cookies")


def sign_out_without_the_hidden(subject: Subject) -> Iterator[Problem]:
    for app in subject.apps:
        logout, hidden = app.model.logout, app.model.cookies.hidden
        left = [name for name in hidden if name not in (ALL, *logout.cookies)]
        if logout.url is not None and logout.cookies and left:
            say = f"without a browser, this call does not carry {', '.join(left)}, which no browser has"
            yield app.at("logout", "cookies", say=say, write=f"add {left[0]}, if the application's session is in it")


def lenient_about_nothing(subject: Subject) -> Iterator[Problem]:
    """Skips an application that is wholly public: a loose path cannot miss a rule."""
    for app in subject.apps:
        loose = app.model.paths.model_fields_set & set(PathsSection.model_fields)
        rules = subject.rules(app)
        if loose and len(rules) == 1 and rules[0][1].pattern.text == "/**":
            word = min(loose)
            say = "one rule for all paths needs the strict reading of paths only"
            yield app.at("paths", word, key=True, say=say, write="leave paths out, unless requests are refused without")


def method_hidden_in_a_form(subject: Subject) -> Iterator[Problem]:
    """The first rule of an application that covers only some of POST, PUT, PATCH and DELETE: a form's field may carry
    the real method."""
    for app in subject.apps:
        for index, rule in subject.rules(app):
            apart = {rule.covers(method) for method in ("POST", "PUT", "PATCH", "DELETE")}
            if len(apart) > 1:
                say = "the gateway does not see the field _method of a form: if the application does, rules miss it"
                yield app.at(
                    "access", index, "methods", key=True, say=say, write="name POST, PUT, PATCH, DELETE together"
                )
                break


def aspnet_with_case(subject: Subject) -> Iterator[Problem]:
    for app in subject.apps:
        paths = app.model.paths
        if paths.cookieless and paths.case == "sensitive":
            yield app.at(
                "paths", "cookieless", key=True, say="a Windows server ignores case", write="case: insensitive"
            )


def _many(subject: Subject, app: Of[AppFile], name: str) -> bool:
    return name == GROUPS or (len(_listed(subject, app, name)) > 1 and name not in ("siret", "mail", "email"))


def _listed(subject: Subject, app: Of[AppFile], name: str) -> list[str]:
    """The values that the application's providers may give to an attribute."""
    lists = ((provider.asserts.attributes or {}).get(name, []) for provider in subject.providers_of(app))
    return [value for values in lists for value in values]


def _sent_as_listed(subject: Subject, app: Of[AppFile], injected: InjectedSection) -> list[str]:
    """The listed values that are sent unchanged; empty if the values are transformed."""
    values = [] if injected.transforms else _listed(subject, app, injected.source or "")
    return [value for value in values if injected.only is None or value in injected.only]


def _size(subject: Subject, app: Of[AppFile], name: str, injected: InjectedSection) -> int:
    """The size of the longest line: every value of a list, or a usual number of usual values."""
    listed = _listed(subject, app, injected.source or "")
    if injected.value is not None:
        value = len(injected.value.name) if injected.value.kind == "inline" else _USUAL_VALUE
    elif injected.join is None:
        value = max((len(one.encode()) for one in listed), default=_USUAL_VALUE)
    elif listed:
        value = sum(len(one.encode()) + len(injected.join) for one in listed)
    else:
        value = _USUAL_VALUES * _USUAL_VALUE // 4
    return (
        len(name)
        + 4
        + {
            "base64": value * 4 // 3,
            "braced-base64": value * 4 // 3,
            "percent-utf8": value * 3,
            "rfc8187": value * 3,
            "rfc2047": value * 2,
        }.get(injected.encoding, value)
    )


def _addresses(app: Of[AppFile]) -> Iterator[tuple[tuple[str | int, ...], Url]]:
    """Yields the addresses of an application, with their places in the file."""
    upstream = app.model.upstream
    yield ("upstream", "url"), upstream.url
    for index, other in enumerate(upstream.others):
        yield ("upstream", "others", index), other


def _is_loopback(host: str) -> bool:
    if host == "localhost":
        return True
    try:
        return ip_address(host.strip("[]")).is_loopback
    except ValueError:
        return False


def without_a_label(subject: Subject) -> Iterator[Problem]:
    """Applications without a label. Our pages show the label in the person's language."""
    for app in subject.apps:
        label, write = app.model.label, "label: {fr: ..., en: ...}"
        if not label:
            yield app.at("app", say=f"people read {app.model.app} instead of a name", write=write)
        elif "" not in label and (lacking := [one for one in LANGUAGES if one not in label]):
            yield app.at(
                "label", say=f"it has no name in {lacking[0]}: people read the name in another language", write=write
            )
