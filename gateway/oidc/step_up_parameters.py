"""An authorization request that asks for a stronger or a more recent sign-in, in its provider's own way."""

import json
from collections.abc import Collection, Mapping
from dataclasses import replace
from typing import Literal

from gateway.model.levels import StepUpRequest
from gateway.oidc.documents import JsonObject


def limited_to(asking: StepUpRequest, demanded: Collection[str]) -> StepUpRequest:
    """Leave out values of acr that we would not accept. `demanded`: those that the provider file accepts; if empty, it
    accepts any. For a weaker one, FranceConnect+ refuses the request; other providers return it, and we refuse that."""
    accepted = tuple(value for value in asking.acr_values if value in demanded)
    return replace(asking, acr_values=accepted) if accepted else asking


def with_step_up(
    parameters: Mapping[str, str], asking: StepUpRequest, ask: Literal["acr_values", "claims"]
) -> dict[str, str]:
    """The parameters of an authorization request, changed for this step-up (OIDC Core 3.1.2.1, 5.5.1.1).

    It replaces what the provider file asks for in each request, and is never weaker. `ask`: how the provider is asked.
    """
    changed = dict(parameters)
    if asking.max_age is not None:
        # max_age makes `auth_time` required (2), without which we could not check the age.
        changed["max_age"] = str(min(asking.max_age, int(parameters.get("max_age", asking.max_age))))
    if asking.acr_values and ask == "acr_values":
        changed["acr_values"] = " ".join(asking.acr_values)
    if asking.amr:
        # No parameter names a method (amr). The person has to sign in again, and the token shows by which method.
        # The file's own prompt is kept: some providers return a refresh token with `consent` alone.
        changed["prompt"] = " ".join(dict.fromkeys(("login", *parameters.get("prompt", "").split())))
    if ask == "claims" and (asking.acr_values or asking.amr):
        changed["claims"] = _claims(parameters.get("claims", "{}"), asking)
    return changed


def _claims(written: str, asking: StepUpRequest) -> str:
    claims: dict[str, JsonObject] = json.loads(written)
    wanted = {"acr": asking.acr_values, "amr": asking.amr}
    asked: JsonObject = {name: {"essential": True, "values": list(values)} for name, values in wanted.items() if values}
    return json.dumps(claims | {"id_token": claims.get("id_token", {}) | asked}, separators=(",", ":"))
