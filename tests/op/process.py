"""An OpenID Provider on a free port of 127.0.0.1, for as long as a `with` lasts."""

import http.client
import json
import shutil
from collections.abc import Mapping, Sequence
from functools import cache
from pathlib import Path
from typing import Self

from joserfc.jwk import ECKey, OKPKey, RSAKey

from tests.op.program import START_SECONDS, Program

SCRIPT = Path(__file__).with_name("provider.mjs")
NODE_PART = SCRIPT.parent.parent / "node_modules" / "oidc-provider"

Claims = Mapping[str, object]


@cache
def keys() -> list[dict[str, object]]:
    """Made once, for it takes a while."""
    made = (
        RSAKey.generate_key(2048, {"kid": "rsa", "use": "sig"}),
        ECKey.generate_key("P-256", {"kid": "ec", "use": "sig", "alg": "ES256"}),
        OKPKey.generate_key("Ed25519", {"kid": "ed", "use": "sig", "alg": "EdDSA"}),
    )
    return [dict(key.as_dict(private=True)) for key in made]


class OpenIdProvider(Program):
    """`clients`: registration metadata; `accounts`: login to its claims; `claims`: further scopes to their claims;
    `tls`: cert, key and ca (PEM) of a second door that asks for certificates; `levels`: login to acr and amr.
    `resources`, `only` and `deaf`: see the script.

    `issuer` is known once started. RuntimeError, with what it printed, if it does not start.
    """

    def __init__(
        self,
        clients: Sequence[Mapping[str, object]],
        accounts: Mapping[str, Claims],
        *,
        claims: Mapping[str, Sequence[str] | None] | None = None,
        features: Mapping[str, object] | None = None,
        options: Mapping[str, object] | None = None,
        tls: Mapping[str, str] | None = None,
        levels: Mapping[str, Mapping[str, object]] | None = None,
        resources: Mapping[str, object] | None = None,
        only: Sequence[str] | None = None,
        deaf: Sequence[str] = (),
        port: int = 0,
    ) -> None:
        super().__init__("oidc-provider")
        self._configuration = {
            "port": port,
            "keys": keys(),
            "clients": clients,
            "accounts": accounts,
            "claims": claims or {},
            "features": features or {},
            "options": options or {},
            "levels": levels or {},
            "deaf": deaf,
            **({"tls": tls} if tls else {}),
            **({"only": only} if only else {}),
            **({"resources": resources} if resources else {}),
        }
        self.issuer = ""

    def start(self) -> Self:
        node = shutil.which("node")
        if node is None or not NODE_PART.is_dir():
            raise RuntimeError("node or oidc-provider is not installed: run `make test` once")
        line = self._announced([node, SCRIPT, json.dumps(self._configuration)])
        self.issuer = str(json.loads(line)["issuer"])
        self._wait_for_discovery()
        return self

    def _wait_for_discovery(self) -> None:
        connection = http.client.HTTPConnection(self.issuer.removeprefix("http://"), timeout=START_SECONDS)
        connection.request("GET", "/.well-known/openid-configuration")
        document = json.load(connection.getresponse())
        connection.close()
        assert document["issuer"] == self.issuer
