"""An authorization request that asks for a stronger or a more recent sign-in, in its provider's own way."""

import json
from collections.abc import Collection, Mapping
from dataclasses import replace
from typing import Literal

from gateway.model.levels import StepUpRequest
from gateway.oidc.documents import JsonObject


def limited_to(asking: StepUpRequest, demanded: Collection[str]) -> StepUpRequest:
    """`demanded`: the only values of acr that the provider file accepts, none where it accepts any. Asked for a weaker
    one, a provider would give it (FranceConnect+ refuses the request), and the answer would be refused."""
    accepted = tuple(value for value in asking.acr_values if value in demanded)
    return replace(asking, acr_values=accepted) if accepted else asking


def with_step_up(
    parameters: Mapping[str, str], asking: StepUpRequest, ask: Literal["acr_values", "claims"]
) -> dict[str, str]:
    """OIDC Core 3.1.2.1, 5.5.1.1. What is asked for once goes before what the provider file asks for each time, and
    never below it."""
    changed = dict(parameters)
    if asking.max_age is not None:
        # Makes `auth_time` required (2), without which nobody could tell.
        changed["max_age"] = str(min(asking.max_age, int(parameters.get("max_age", asking.max_age))))
    if asking.acr_values and ask == "acr_values":
        changed["acr_values"] = " ".join(asking.acr_values)
    if asking.amr:
        # No parameter names a method: the person is asked anew, and the answer is looked at.
        # With what the file asks for each time: some providers give a refresh token for `consent` alone.
        changed["prompt"] = " ".join(dict.fromkeys(("login", *parameters.get("prompt", "").split())))
    if ask == "claims" and (asking.acr_values or asking.amr):
        changed["claims"] = _claims(parameters.get("claims", "{}"), asking)
    return changed


def _claims(written: str, asking: StepUpRequest) -> str:
    claims: dict[str, JsonObject] = json.loads(written)
    wanted = {"acr": asking.acr_values, "amr": asking.amr}
    asked: JsonObject = {name: {"essential": True, "values": list(values)} for name, values in wanted.items() if values}
    return json.dumps(claims | {"id_token": claims.get("id_token", {}) | asked}, separators=(",", ":"))
