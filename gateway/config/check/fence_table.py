"""Every key of an app file, and why a team cannot reach beyond its fence by it.

A test holds this against the schema: a new key enters this table in its own commit.
"""

from collections.abc import Mapping
from typing import Final, NamedTuple


class Bound(NamedTuple):
    """`by`: the key of `teams.NAME` that bounds it, or empty. `why`: how it is bounded, or why it affects nobody
    else."""

    by: str
    why: str


_OWN_READING: Final = "How the team's own application reads paths, on its own hosts."
_OWN_SEAT: Final = "Only shorter than the provider's file and the session say, on its own hosts."
_OWN_COOKIE: Final = "Sent to browsers by its own hosts, which no other host's cookies are told by."
_FORM: Final = "The form of a value that it may be told."
_RULE: Final = "Of its own hosts' paths; a rule asks and tells nothing elsewhere."

KEYS: Final[Mapping[str, Bound]] = {
    "version": Bound("", "It says nothing else."),
    "app": Bound("", "A name that is taken is refused to the team, also one that another team's file is served under."),
    "shadow": Bound("hosts", "A shadow has the hosts of the live file, which is the team's own, and decides nothing."),
    "hosts[]": Bound("hosts", "Listed one by one, or by a wildcard of one label."),
    "public.scheme": Bound("hosts", "Of addresses of its own hosts; `http` is for development alone."),
    "public.port": Bound("hosts", "Of addresses of its own hosts."),
    "upstream.url": Bound("upstreams", "Judged on the address, at every connect; what is an address already, at load."),
    "upstream.timeout": Bound("", "For its own requests; `timeouts.total` of gateway.yaml ends them all."),
    "upstream.host": Bound("upstreams", "`keep`, a host of the fence, or a name of its upstreams: it may choose one of "
                           "several applications of one server."),
    "upstream.ca": Bound("secrets", "A file below these folders, which the key of another cannot be."),
    "providers[]": Bound("providers", "Listed one by one."),
    "paths.parameters[]": Bound("", _OWN_READING),
    "paths.case": Bound("", _OWN_READING),
    "paths.merge_slashes": Bound("", _OWN_READING),
    "paths.encoding": Bound("", _OWN_READING),
    "paths.escaped[]": Bound("", _OWN_READING),
    "paths.windows": Bound("", _OWN_READING),
    "paths.cookieless": Bound("", _OWN_READING),
    "paths.mangled": Bound("", _OWN_READING),
    "method_override": Bound("hosts", "Of requests to its own hosts: the rules decide on the method that is named."),
    "responses.cache": Bound("", "Of answers of its own hosts, to browsers and caches that asked for them."),
    "responses.clear_site_data": Bound("hosts", "Refused in a team's file: it clears cookies of the whole domain."),
    "responses.end_hsts": Bound("hosts", "What a browser knows of one of its own hosts; no other host's is touched."),
    "responses.front_orders": Bound("hosts", "Refused in a team's file: a front has files and locations of all hosts."),
    "responses.banners": Bound("", "Lines of its own answers, which are left out."),
    "responses.add.*": Bound("hosts", "Of answers of its own hosts; none of these names reaches another host."),
    "responses.replace.*": Bound("hosts", "Likewise."),
    "rewrite.headers": Bound("hosts", "In its own answers, to the public address of the host that was asked."),
    "rewrite.bodies": Bound("hosts", "Its own answers, in constant memory; what seeks costs its own requests."),
    "rewrite.texts.*": Bound("hosts", "Of its own answers."),
    "rewrite.internal[]": Bound("hosts", "Addresses that stand in its own answers; nothing is connected to."),
    "rewrite.same_site": Bound("hosts", _OWN_COOKIE),
    "limits.body": Bound("", "Bodies stream: a large one costs its own application, and no more memory here."),
    "session.idle": Bound("", _OWN_SEAT),
    "session.absolute": Bound("", _OWN_SEAT),
    "session.then": Bound("providers", "Asks the person's own provider, which it lists, anew."),
    "session.streams": Bound("", "Moves the idle limit as its own requests do, never the absolute one."),
    "logout.scope": Bound("providers", "What happens when the person signs out, at the provider they came from."),
    "logout.cookies[]": Bound("hosts", _OWN_COOKIE),
    "logout.cookie_paths[]": Bound("hosts", _OWN_COOKIE),
    "logout.url": Bound("upstreams", "A path at its own upstream, by the same check at every connect."),
    "logout.login": Bound("headers", "One of what translate tells the application, sent to its own upstream."),
    "logout.links[]": Bound("hosts", "Paths of its own hosts."),
    "api.providers[]": Bound("providers", "Of those that it lists; what tokens have to be, the provider's file says."),
    "api.paths[]": Bound("hosts", "Paths of its own hosts."),
    "api.opaque.*.header": Bound("providers", "Which of those that it lists is asked about a token that says nothing."),
    "api.opaque.*.value": Bound("providers", "Likewise."),
    "api.opaque.*.paths[]": Bound("providers", "Likewise."),
    "api.forward": Bound("upstreams", "The token that the caller sent to its own host, to its own upstream."),
    "translate.encoding": Bound("", _FORM),
    "translate.unencodable": Bound("", _FORM),
    "translate.headers.*": Bound("headers", "Listed one by one, in whatever spelling."),
    "translate.cookies.*": Bound("cookies", "Listed one by one."),
    "translate.headers.*.from": Bound("attributes", "Where listed; of people who sign in with its own providers."),
    "translate.cookies.*.from": Bound("attributes", "As of headers."),
    "translate.headers.*.value": Bound("secrets", "A text, or a file below these folders: in a header that it may use, "
                                       "to its own upstream."),
    "translate.cookies.*.value": Bound("secrets", "As of headers."),
    "translate.headers.*.join": Bound("", _FORM),
    "translate.cookies.*.join": Bound("", _FORM),
    "translate.headers.*.encoding": Bound("", _FORM),
    "translate.cookies.*.encoding": Bound("", _FORM),
    "translate.headers.*.unencodable": Bound("", _FORM),
    "translate.cookies.*.unencodable": Bound("", _FORM),
    "translate.basic.account.from": Bound("attributes", "As of headers; `Authorization` is in its headers."),
    "translate.basic.account.value": Bound("headers", "`Authorization` is in its headers."),
    "translate.basic.password": Bound("secrets", "A file below these folders, sent to its own upstream."),
    "translate.basic.encoding": Bound("", _FORM),
    "translate.jwt.header": Bound("headers", "Listed one by one, in whatever spelling."),
    "translate.jwt.cookie": Bound("cookies", "Listed one by one."),
    "translate.jwt.audience": Bound("hosts", "Its own name, or an address of its own hosts, and no other's."),
    "translate.jwt.algorithm": Bound("", "Of those that gateway.yaml has a key for."),
    "translate.jwt.life": Bound("", "An hour at most, and never beyond the session."),
    "translate.jwt.claims.*.from": Bound("attributes", "As of headers."),
    "translate.jwt.claims.*.value": Bound("", "Said to its own application alone, under the audience of no other."),
    "translate.jwt.claims.*.list": Bound("", _FORM),
    "translate.sealed.header": Bound("headers", "Listed one by one, in whatever spelling."),
    "translate.sealed.cookie": Bound("cookies", "Listed one by one."),
    "translate.sealed.audience": Bound("hosts", "Its own name, or an address of its own hosts, and no other's."),
    "translate.sealed.algorithm": Bound("", _FORM),
    "translate.sealed.key": Bound("secrets", "A file below these folders, under which its own application is told."),
    "translate.sealed.life": Bound("", "An hour at most, and never beyond the session."),
    "translate.sealed.claims.*.from": Bound("attributes", "As of headers."),
    "translate.sealed.claims.*.value": Bound("", "Said to its own application alone, under the audience of no other."),
    "translate.sealed.claims.*.list": Bound("", _FORM),
    "access[].path": Bound("hosts", _RULE + " Expressions are RE2: their time is linear."),
    "access[].methods[]": Bound("hosts", _RULE),
    "access[].allow": Bound("hosts", _RULE),
    "access[].deny": Bound("hosts", _RULE),
    "access[].refusal": Bound("hosts", "A text, shown as text on its own hosts."),
    "access[].shadow": Bound("hosts", "Decides nothing."),
}  # fmt: skip

_PERSON: Final = "Asks what the person's provider said; nothing of it is sent anywhere."
_REQUEST: Final = "Asks the request to its own hosts."

CONDITIONS: Final[Mapping[str, Bound]] = {
    "anyone": Bound("hosts", _RULE),
    "signed_in": Bound("providers", "With one of its own providers."),
    "group": Bound("providers", _PERSON),
    "claim": Bound("providers", _PERSON),
    "user": Bound("providers", _PERSON),
    "provider": Bound("providers", _PERSON),
    "tenant": Bound("providers", _PERSON + " Lists of lists/ are everybody's to name."),
    "mandate": Bound("providers", _PERSON),
    "acr_min": Bound("providers", _PERSON),
    "amr": Bound("providers", _PERSON),
    "max_age": Bound("providers", _PERSON),
    "network": Bound("", _REQUEST),
    "method": Bound("", _REQUEST),
    "header": Bound("", _REQUEST),
    "query": Bound("", _REQUEST),
    "time": Bound("", "Asks the clock."),
    "shared": Bound("", "Conditions of shared/ are everybody's to name; no team writes there."),
    "when": Bound("", "CEL: no loops but over a value's own entries, no clock, no network, 4,000 characters."),
    "any": Bound("", "Of conditions of this table."),
    "all": Bound("", "Of conditions of this table."),
    "not": Bound("", "Of a condition of this table."),
}
