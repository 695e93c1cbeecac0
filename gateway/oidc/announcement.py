"""OpenID Connect Discovery 3: optional members of a discovery document, from which a first provider file is drafted.

No sign-in depends on these members. A member of a wrong type counts as missing, and a value that cannot be written into
a file is left out.
"""

import re
from dataclasses import dataclass

from gateway.oidc.documents import JsonObject

_MOST = 200
# Names of claims, scopes, algorithms and methods: printable ASCII without blanks, quotes and backslashes.
_NAME = re.compile(r"[!#-&(-\[\]-~]{1,100}")


@dataclass(frozen=True, slots=True)
class Announcement:
    """Empty tuples: the document does not say.

    `client_authentication`: the methods at the token endpoint.
    `algorithms`: the signatures of ID tokens.
    `back_channel`, `front_channel`: the provider can tell the gateway that a person signed out.
    """

    claims: tuple[str, ...]
    scopes: tuple[str, ...]
    client_authentication: tuple[str, ...]
    algorithms: tuple[str, ...]
    challenges: tuple[str, ...]
    back_channel: bool
    front_channel: bool


def announcement(document: JsonObject) -> Announcement:
    return Announcement(
        claims=_names(document, "claims_supported"),
        scopes=_names(document, "scopes_supported"),
        client_authentication=_names(document, "token_endpoint_auth_methods_supported"),
        algorithms=_names(document, "id_token_signing_alg_values_supported"),
        # RFC 8414 2
        challenges=_names(document, "code_challenge_methods_supported"),
        # Back-Channel Logout 2.1, Front-Channel Logout 3
        back_channel=document.get("backchannel_logout_supported") is True,
        front_channel=document.get("frontchannel_logout_supported") is True,
    )


def _names(document: JsonObject, member: str) -> tuple[str, ...]:
    value = document.get(member)
    if not isinstance(value, list):
        return ()
    names = (name for name in value if isinstance(name, str) and _NAME.fullmatch(name))
    return tuple(dict.fromkeys(names))[:_MOST]
