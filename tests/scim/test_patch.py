import pytest
from hypothesis import given
from hypothesis import strategies as st

from gateway.model.codes import scim_codes
from gateway.model.codes.code import Code
from gateway.scim.patch import attribute_of, patched
from gateway.scim.user import USER, UserState
from tests.scim.samples import ANNE, outcome, patch, refused, told

OFF = UserState(ANNE.user_name, ANNE.external_id, active=False)
ENTERPRISE = "urn:ietf:params:scim:schemas:extension:enterprise:2.0:User"


@pytest.mark.parametrize(
    "operation",
    [
        # Entra, with aadOptscim062020 and without
        {"op": "replace", "path": "active", "value": False},
        {"op": "Replace", "path": "active", "value": "False"},
        {"op": "Add", "path": "active", "value": "False"},
        # Okta
        {"op": "replace", "value": {"active": False}},
        {"op": "replace", "path": f"{USER}:active", "value": False},
        {"op": "replace", "value": {f"{USER}:Active": False}},
        {"OP": "REPLACE", "Path": "ACTIVE", "Value": False},
    ],
)
def test_every_form_in_which_directories_deactivate_a_person(operation: dict[str, object]) -> None:
    assert patched(patch(operation), ANNE) == OFF


def test_what_is_not_kept_is_read_past() -> None:
    operations = (
        {"op": "Replace", "path": 'emails[type eq "work"].value', "value": "anne@elsewhere.example"},
        {"op": "Add", "path": "name.familyName", "value": "Dupont"},
        {"op": "Replace", "path": f"{ENTERPRISE}:department", "value": "Voirie"},
        {"op": "add", "value": {"displayName": "Anne", "name.givenName": "A", f"{ENTERPRISE}:manager": "x"}},
        {"op": "Remove", "path": "title"},
    )
    assert patched(patch(*operations), ANNE) == ANNE
    assert patched(patch(*operations, {"op": "Replace", "path": "active", "value": "False"}), ANNE) == OFF


def test_operations_count_in_their_order_and_all_or_none() -> None:
    on = {"op": "replace", "path": "active", "value": True}
    off = {"op": "replace", "path": "active", "value": False}
    assert patched(patch(on, off), ANNE) == OFF
    assert (
        refused(lambda: patched(patch(off, {"op": "replace", "path": "activ", "value": True}), ANNE))[0]
        is scim_codes.PATH
    )


def test_names_are_changed_and_external_ids_removed() -> None:
    renamed = {"op": "Replace", "path": "userName", "value": "anne.dupont@ville.example"}
    gone = {"op": "Remove", "path": "externalId"}
    assert patched(patch(renamed, gone), ANNE) == UserState("anne.dupont@ville.example", None, active=True)


@pytest.mark.parametrize(
    ("operation", "code"),
    [
        ({"op": "replace", "path": "activ", "value": False}, scim_codes.PATH),
        ({"op": "replace", "path": "active ", "value": False}, scim_codes.PATH),
        ({"op": "replace", "path": "active.value", "value": False}, scim_codes.PATH),
        ({"op": "replace", "path": "active[value eq true]", "value": False}, scim_codes.PATH),
        ({"op": "replace", "path": "", "value": False}, scim_codes.PATH),
        ({"op": "replace", "path": ["active"], "value": False}, scim_codes.PATH),
        ({"op": "replace", "path": USER, "value": {"active": False}}, scim_codes.PATH),
        ({"op": "replace", "path": "name" * 200, "value": False}, scim_codes.PATH),
        ({"op": "replace", "value": {"activ": False}}, scim_codes.PATH),
        ({"op": "remove"}, scim_codes.PATH),
        ({"op": "remove", "value": {"active": False}}, scim_codes.PATH),
        ({"op": "replace", "path": "active"}, scim_codes.VALUE),
        ({"op": "replace", "path": "active", "value": [False]}, scim_codes.VALUE),
        ({"op": "replace", "path": "userName", "value": ""}, scim_codes.VALUE),
        ({"op": "replace", "value": False}, scim_codes.VALUE),
        ({"op": "replace"}, scim_codes.VALUE),
        ({"op": "remove", "path": "active"}, scim_codes.MUTABILITY),
        ({"op": "remove", "path": "userName"}, scim_codes.MUTABILITY),
        ({"op": "replace", "path": "id", "value": "1"}, scim_codes.MUTABILITY),
        ({"op": "replace", "path": "groups", "value": []}, scim_codes.MUTABILITY),
        ({"op": "move", "path": "active", "value": False}, scim_codes.SYNTAX),
        ({"path": "active", "value": False}, scim_codes.SYNTAX),
        ("replace", scim_codes.SYNTAX),
    ],
)
def test_what_is_not_understood_is_refused_and_never_passed_over(operation: object, code: Code) -> None:
    assert refused(lambda: patched(patch(operation), ANNE))[0] is code


@pytest.mark.parametrize("operations", [[], None, {}, [{"op": "replace", "path": "title", "value": ""}] * 101])
def test_a_patch_has_some_operations(operations: object) -> None:
    schemas = ["urn:ietf:params:scim:api:messages:2.0:PatchOp"]
    document = told({"schemas": schemas, "Operations": operations})
    assert refused(lambda: patched(document, ANNE))[0] is scim_codes.SYNTAX


def test_a_patch_says_what_it_is() -> None:
    document = told({"schemas": [USER], "Operations": [{"op": "replace", "path": "active", "value": False}]})
    assert refused(lambda: patched(document, ANNE))[0] is scim_codes.SYNTAX


@given(st.text(max_size=60) | st.from_regex(r"(urn:[a-z:0-9.]*:)?[a-zA-Z]+(\[[^]]*\])?(\.[a-z]+)?", fullmatch=True))
def test_a_path_is_of_one_attribute_or_refused(path: str) -> None:
    kept = {"username": "userName", "externalid": "externalId", "active": "active"}
    named = kept.get(path.lower().removeprefix(f"{USER}:".lower()))
    assert outcome(lambda: attribute_of(path)) in (named, scim_codes.PATH, scim_codes.MUTABILITY)


_NAMES = st.sampled_from(["active", "Active", "userName", "externalId", "title", f"{USER}:active", "activ", "id"])
_VALUES = st.sampled_from([True, False, "False", "true", "anne", None, [], {}])
_OPERATION = st.fixed_dictionaries(
    {"op": st.sampled_from(["add", "Replace", "remove", "x"])}, optional={"path": _NAMES, "value": _VALUES}
)


@given(st.lists(_OPERATION, min_size=1, max_size=5))
def test_only_a_message_that_says_so_makes_a_person_active(operations: list[dict[str, object]]) -> None:
    after = outcome(lambda: patched(patch(*operations), OFF))
    says_so = [one for one in operations if str(one.get("value")).lower() == "true"]
    assert isinstance(after, Code) or not after.active or says_so
