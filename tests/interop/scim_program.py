"""Clients of SCIM that others have written: python tests/interop/scim_program.py URL TOKEN WHAT [NAME], in an
environment of their own. Prints one JSON value.

`check`: what scim2-tester says, a list of [status, check, what it was about]. `probe`: what scim-sanity says, in its
own form. `life`: a user from creation to deletion by scim2-client, as that client understood each answer. `deactivate`,
`activate`: the user of this name, by a PATCH.
"""

import json
import socket
import sys
from collections.abc import Callable
from typing import Any

from httpx2 import Client
from scim2_client.engines.httpx2 import SyncSCIMClient
from scim2_models import PatchOp, PatchOperation, Path, ResponseParameters, SCIMException, SearchRequest
from scim2_tester import check_server
from scim_sanity.cli import main as sanity

_ask = socket.getaddrinfo
# RFC 6761 6.3: names below `localhost` are this machine, whatever its resolver has of them.
socket.getaddrinfo = lambda host, *rest, **named: _ask(
    "127.0.0.1" if str(host).endswith(".localhost") else host, *rest, **named
)


def checked(client: SyncSCIMClient) -> list[list[str]]:
    return [[one.status.name, one.title or "", str(one.reason or "")] for one in check_server(client)]


def error_of(step: Callable[[], object]) -> list[Any]:
    try:
        return ["no error", repr(step())]
    except SCIMException as error:
        found = error.to_error()
        return [found.status, found.scim_type]


def with_active(client: SyncSCIMClient, name: str, *, active: bool) -> bool | None:
    user_model = client.get_resource_model("User")
    found = client.query(user_model, query_parameters=SearchRequest(filter=f'userName eq "{name}"'))
    operation = PatchOperation(op=PatchOperation.Op.replace_, path="active", value=active)
    changed = client.modify(user_model, found.resources[0].id, PatchOp[user_model](operations=[operation]))
    return changed.active


def life(client: SyncSCIMClient) -> dict[str, object]:
    user_model = client.get_resource_model("User")
    made = client.create(user_model(user_name="Anne@ville.example", external_id="a-1", active=True))
    again = client.query(user_model, made.id)

    def found(**asked: Any) -> list[Any]:
        page = client.query(user_model, query_parameters=SearchRequest(**asked))
        return [page.total_results, [one.user_name for one in page.resources or []]]

    told: dict[str, object] = {
        "made": [made.user_name, made.external_id, made.active],
        "read again": again == made,
        "by userName": found(filter='userName eq "anne@VILLE.example"'),
        "by externalId": found(filter='externalId eq "a-1"'),
        "by another": found(filter='externalId eq "A-1"'),
        "a page": found(start_index=1, count=0),
    }
    searched = client.search(SearchRequest(filter='externalId eq "a-1"', attributes=["userName"]))
    told["searched"] = [searched.total_results, searched.resources[0].model_dump()]
    part = client.query(user_model, made.id, query_parameters=ResponseParameters(excluded_attributes=[Path("active")]))
    told["without active"] = part.model_dump()
    told["errors"] = {
        "a second one": error_of(lambda: client.create(user_model(user_name="ANNE@ville.example", active=True))),
        "a filter": error_of(lambda: found(filter='userName co "anne"')),
        "nobody": error_of(lambda: client.query(user_model, "999999")),
    }
    made.user_name = "anne.durand@ville.example"
    told["replaced"] = [one := client.replace(made).user_name, one == client.query(user_model, made.id).user_name]
    client.delete(user_model, made.id)
    told["errors"]["deleted"] = error_of(lambda: client.query(user_model, made.id))
    return told


def main() -> None:
    url, token, what, *rest = sys.argv[1:]
    if what == "probe":
        sanity(["probe", url, "--token", token, "--resource", "User", "--json-output", "--i-accept-side-effects"])
    with Client(base_url=url, headers={"Authorization": f"Bearer {token}"}, timeout=60) as http:
        client = SyncSCIMClient(http, raise_scim_errors=True)
        if what == "check":
            found: object = checked(SyncSCIMClient(http))
        else:
            client.discover()
            found = life(client) if what == "life" else with_active(client, rest[0], active=what == "activate")
    print(json.dumps(found, default=str))


if __name__ == "__main__":
    main()
