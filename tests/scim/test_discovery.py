import json

from gateway.scim.discovery import resource_type, resource_types, schemas, service_provider_config, user_schema
from gateway.scim.user import USER

BASE = "https://portail.example.org/_ecluse/scim/v2"


def test_only_what_is_done_is_said_to_be_supported() -> None:
    config = service_provider_config(BASE)
    # RFC 7643 5: every one of these is required
    done = {name: config[name]["supported"] for name in ("patch", "bulk", "filter", "changePassword", "sort", "etag")}  # type: ignore[index]
    assert [name for name, supported in done.items() if supported] == ["patch", "filter"]


def test_the_one_kind_of_resource_is_the_user() -> None:
    listed = resource_types(BASE)
    assert listed["Resources"] == [resource_type(BASE)]
    assert resource_type(BASE)["schema"] == USER
    assert schemas(BASE)["Resources"] == [user_schema(BASE)]
    assert user_schema(BASE)["id"] == USER


def test_the_schema_names_what_is_kept() -> None:
    names = [attribute["name"] for attribute in user_schema(BASE)["attributes"]]  # type: ignore[attr-defined]
    assert names == ["userName", "externalId", "active"]


def test_all_of_it_is_json_and_says_where_it_is() -> None:
    for document in (service_provider_config(BASE), resource_type(BASE), user_schema(BASE)):
        assert json.loads(json.dumps(document))["meta"]["location"].startswith(f"{BASE}/")
