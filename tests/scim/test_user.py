import pytest

from gateway.model.codes import scim_codes
from gateway.model.scim import NameAttribute
from gateway.scim.user import USER, ToldUser, UserState, compared, read_user, resource, with_value
from tests.scim.samples import ANNE, ENTRA_CREATE, OKTA_CREATE, refused, told, user


@pytest.mark.parametrize("document", [ENTRA_CREATE, OKTA_CREATE])
def test_what_directories_create_is_read(document: dict[str, object]) -> None:
    assert read_user(told(document)) == ANNE


def test_a_user_who_is_made_is_active_unless_it_says_otherwise() -> None:
    assert read_user(user(userName="anne")) == UserState("anne", None, active=True)
    assert read_user(user(userName="anne", active=None)).active
    assert not read_user(user(userName="anne", active=False)).active


def test_nobody_is_let_in_again_by_what_a_message_leaves_out() -> None:
    before = UserState("anne", "a1", active=False)
    assert read_user(user(userName="anne"), before) == UserState("anne", None, active=False)
    assert read_user(user(userName="anne", externalId="a2", active=True), before) == UserState(
        "anne", "a2", active=True
    )


@pytest.mark.parametrize(("value", "active"), [("False", False), ("false", False), ("True", True), (True, True)])
def test_entra_writes_truth_as_a_text(value: object, active: bool) -> None:
    assert with_value(ANNE, "active", value).active is active


@pytest.mark.parametrize("value", [0, 1, "", "no", " false", [], [False], {"value": False}, None, 0.0])
def test_nothing_else_is_true_or_false(value: object) -> None:
    assert refused(lambda: with_value(ANNE, "active", value))[0] is scim_codes.VALUE


@pytest.mark.parametrize("value", ["", " anne", "anne\n", "an\0ne", "a" * 257, "an\u200bne", 7, ["anne"], None])
@pytest.mark.parametrize("attribute", ["userName", "externalId"])
def test_a_name_is_a_short_text_that_can_be_seen(attribute: str, value: object) -> None:
    code, detail = refused(lambda: with_value(ANNE, attribute, value))
    assert code is scim_codes.VALUE
    assert "anne" not in detail


def test_a_user_has_a_name_and_says_what_it_is() -> None:
    assert refused(lambda: read_user(user(externalId="a1")))[0] is scim_codes.VALUE
    assert refused(lambda: read_user(user(userName=None)))[0] is scim_codes.VALUE
    assert refused(lambda: read_user(told({"userName": "anne"})))[0] is scim_codes.SYNTAX


def test_names_are_compared_as_rfc_7643_has_it() -> None:
    assert compared("userName", "Anne@Ville.example") == compared("userName", "anne@ville.EXAMPLE")
    assert compared("externalId", "a") != compared("externalId", "A")


@pytest.mark.parametrize("attribute", ["userName", "externalId"])
def test_a_name_is_the_same_one_in_both_spellings_of_its_accents(attribute: NameAttribute) -> None:
    """What a provider says comes in NFC, and a directory may write NFD: its word would be about nobody."""
    assert compared(attribute, "he\u0301le\u0300ne") == compared(attribute, "h\u00e9l\u00e8ne")
    assert ANNE.named("userName") == ANNE.user_name
    assert ANNE.named("externalId") == ANNE.external_id


def test_a_user_is_shown_with_what_is_kept_alone() -> None:
    base = "https://portail.example.org/_ecluse/scim/v2"
    assert resource(ToldUser("7", ANNE, 0, 1_800_000_000), base) == {
        "schemas": [USER],
        "id": "7",
        "externalId": ANNE.external_id,
        "userName": ANNE.user_name,
        "active": True,
        "meta": {
            "resourceType": "User",
            "created": "1970-01-01T00:00:00Z",
            "lastModified": "2027-01-15T08:00:00Z",
            "location": f"{base}/Users/7",
        },
    }
    assert "externalId" not in resource(ToldUser("7", UserState("anne", None, active=False), 0, 0), base)
