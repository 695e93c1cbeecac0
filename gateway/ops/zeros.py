"""Lists every series known when a configuration is taken, at 0: an alert then sees the first count."""

from collections.abc import Callable, Iterable, Iterator, Sequence
from typing import get_args

from gateway.model.codes import (
    directory_codes,
    gateway_codes,
    limit_codes,
    login_codes,
    oidc_codes,
    policy_codes,
    session_codes,
    upstream_codes,
)
from gateway.model.codes.code import Code
from gateway.model.codes.table import all_codes
from gateway.ops.counters import Dump, Series
from gateway.ops.metrics import METRICS
from gateway.saml.parties import OpinionVerdict, OtherImplementation

MOST_ZEROS = 20_000
"""Beyond that, whole metrics are left out, those with the most series first: 5,000 applications have 100,000."""

_DENIALS = (
    policy_codes.NO_RULE,
    policy_codes.METHOD,
    policy_codes.NOT_ALLOWED,
    policy_codes.UNKNOWN,
    policy_codes.EXPRESSION,
    policy_codes.DENIED,
    policy_codes.LOGIN_FORM,
)
# Codes that refuse a person admitted by a rule, because the gateway cannot pass the identity to the application.
_UNTOLD = ("translation.", "account.missing", "account.link", "account.ask", "account.person", "directory.")
# A directory may end a session, whatever the kind of the session's provider.
_DIRECTORY_ENDS = (directory_codes.GONE, directory_codes.ORGANISATION)
_ENDS = (
    oidc_codes.REFRESH_ENDED,
    oidc_codes.REFRESH_SUBJECT,
    login_codes.MAPPING,
    login_codes.OUTSIDE_PERIMETER,
    login_codes.DEACTIVATED,
    *_DIRECTORY_ENDS,
)
# The portal's name in access.application, in the place of an application's name.
_PORTAL = "_portal"
# A message from a provider may name no known provider, or no sign-in under way.
_NOBODYS = ""
_OPINIONS = tuple((by, verdict) for by in get_args(OtherImplementation) for verdict in get_args(OpinionVerdict))
_CHALLENGES = (session_codes.REQUIRED, policy_codes.PROVIDER, session_codes.TOO_WEAK)

# 101 counts an opened tunnel.
_STATUSES = (("1xx",), ("2xx",), ("3xx",), ("4xx",), ("5xx",))
_TUNNEL_ENDS = (
    "client",
    "application",
    "signed_out",
    "expired",
    "denied",
    "idle",
    "protocol",
    "restart",
    "fault",
)

_SCIM_RESULTS = ("read", "created", "changed", "deactivated", "deleted", "refused")

_Labels = tuple[str, ...]


def zeros(apps: Sequence[str], oidc_providers: Sequence[str], saml_providers: Sequence[str]) -> Dump:
    """Returns the series at 0, for the names in the folder of gateway.yaml."""
    providers = (*oidc_providers, *saml_providers)
    answering = (*apps, _PORTAL)
    of_each: dict[str, Iterable[_Labels]] = {
        "ecluse_http_requests_total": _each(answering, _STATUSES),
        "ecluse_http_refusals_total": (
            *_codes("wire.", "limit.", "route.", "gateway.", "store.", "api.", "oidc.", "form_login.", "front."),
            *_codes("translation.", "account.", "directory.", "login.", "upstream."),
            # A path whose expressions take too long.
            (policy_codes.EXPRESSION.id,),
        ),
        "ecluse_tunnels_total": ((why,) for why in _TUNNEL_ENDS),
        "ecluse_connections_refused_total": (
            ("client",),
            ("all",),
            ("descriptors",),
            (gateway_codes.LISTEN_PROXY_SOURCE.id,),
            (gateway_codes.LISTEN_PROXY_HEADER.id,),
        ),
        "ecluse_requests_limited_total": _each(answering, (("client",), ("person",), ("all",))),
        "ecluse_descriptors_exhausted_total": (("accept",), ("upstream",)),
        "ecluse_headers_stripped_total": _each(answering, ((),)),
        "ecluse_policy_decisions_total": _each(apps, _decisions()),
        "ecluse_policy_errors_total": _each(apps, ((),)),
        "ecluse_upstream_errors_total": _each(apps, (*_codes("upstream."), (limit_codes.CONNECTIONS.id,))),
        "ecluse_text_charset_disagreements_total": _each(apps, ((),)),
        "ecluse_upstream_out_total": _each(apps, ((),)),
        "ecluse_application_sign_outs_total": _each(apps, (("told",), ("failed",), ("given_up",))),
        "ecluse_posts_total": _each(apps, (("kept",), ("refused",), ("sent",), ("returned",))),
        "ecluse_form_logins_total": (("success",), *_codes("form_login.", "store."), (upstream_codes.ADDRESS.id,)),
        "ecluse_auth_transactions_total": _each(apps, ((),)),
        "ecluse_auth_logins_total": (
            *_each(oidc_providers, _logins("oidc.")),
            *_each(saml_providers, _logins("saml.")),
            *_each((_NOBODYS,), _logins("oidc.", "saml.")),
        ),
        "ecluse_auth_refreshes_total": (
            *_each(oidc_providers, _refreshes()),
            *_each(saml_providers, _looks()),
        ),
        "ecluse_auth_provider_logouts_total": _each(providers, ((),)),
        "ecluse_account_requests_total": _each(apps, (("sent",), ("refused",))),
        "ecluse_scim_requests_total": ((result,) for result in _SCIM_RESULTS),
        "ecluse_provider_errors_total": _each((*providers, _NOBODYS), ((login_codes.PROVIDER_UNREACHABLE.id,),)),
        "ecluse_provider_looks_total": _each(providers, (("answered",), ("failed",))),
        "ecluse_saml_second_opinion_total": _OPINIONS,
        "ecluse_metadata_refreshes_total": _each(saml_providers, (("ok",), ("failed",))),
    }
    without_labels: dict[Series, float] = {
        (metric.name,): 0.0 for metric in METRICS if metric.kind == "counter" and not metric.labels
    }
    return {**without_labels, **_bounded({name: tuple(labels) for name, labels in of_each.items()})}


def _bounded(of_each: dict[str, tuple[_Labels, ...]]) -> dict[Series, float]:
    found: dict[Series, float] = {}
    for name, labels in sorted(of_each.items(), key=lambda one: len(one[1])):
        if len(found) + len(labels) <= MOST_ZEROS:
            found.update(((name, *each), 0.0) for each in labels)
    return found


def _each(names: Iterable[str], rest: Iterable[_Labels]) -> Iterator[_Labels]:
    rest = tuple(rest)
    return ((name, *labels) for name in names for labels in rest)


def _codes(*families: str) -> Iterator[_Labels]:
    return ((code.id,) for code in _of_browsers(lambda code: code.id.startswith(families)))


def _logins(*families: str) -> Iterator[_Labels]:
    yield "success", ""
    for code in _of_browsers(lambda code: code.id.startswith(("login.", "directory.", *families))):
        yield "refused", code.id


def _refreshes() -> Iterator[_Labels]:
    """Yields the outcomes of a refresh: success, an ended session, a failed try. Any fault of an ID token may end a
    session.
    """
    yield "success", ""
    said = [code for (code,) in _codes("oidc.")]
    yield from (("ended", code) for code in (*said, *(code.id for code in _ENDS)))
    away = [code for (code,) in _codes("store.", "directory.")]
    yield from (("failed", code) for code in (*said, *away, login_codes.PROVIDER_UNREACHABLE.id))


def _looks() -> Iterator[_Labels]:
    """Yields the outcomes of a refresh at a provider without tokens: the gateway repeats only the directory
    look-ups.
    """
    yield from (("ended", code.id) for code in _DIRECTORY_ENDS)
    yield from (("failed", code) for (code,) in _codes("store."))


def _decisions() -> Iterator[_Labels]:
    yield "allow", policy_codes.ALLOWED.id
    yield from (("deny", code.id) for code in _DENIALS)
    yield from (("deny", code) for (code,) in _codes(*_UNTOLD))
    yield from (("challenge", code.id) for code in _CHALLENGES)


def _of_browsers(wanted: Callable[[Code], bool]) -> Iterator[Code]:
    """Yields the codes that can end a request."""
    return (code for code in all_codes() if code.status and wanted(code))
