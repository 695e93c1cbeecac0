"""What a discovery document announces beside what sign-ins need."""

import pytest

from gateway.oidc.announcement import Announcement, announcement

NOTHING = Announcement((), (), (), (), (), back_channel=False, front_channel=False)


def test_the_optional_members_are_read() -> None:
    document: dict[str, object] = {
        "claims_supported": ["sub", "email", "email"],
        "scopes_supported": ["openid", "groups"],
        "token_endpoint_auth_methods_supported": ["client_secret_post"],
        "id_token_signing_alg_values_supported": ["ES256"],
        "code_challenge_methods_supported": ["S256"],
        "backchannel_logout_supported": True,
        "frontchannel_logout_supported": True,
    }
    expected = Announcement(
        ("sub", "email"), ("openid", "groups"), ("client_secret_post",), ("ES256",), ("S256",), True, True
    )
    assert announcement(document) == expected


@pytest.mark.parametrize(
    "value", [None, "email", 5, {}, [5, None, {}], [""], ["two words"], ["a\nb: c"], ['a"b'], ["é"], ["x" * 101]]
)
def test_what_cannot_stand_in_a_file_is_left_out(value: object) -> None:
    assert announcement({"claims_supported": value, "backchannel_logout_supported": "true"}) == NOTHING


def test_a_list_without_end_is_cut() -> None:
    assert len(announcement({"claims_supported": [f"claim{number}" for number in range(5000)]}).claims) == 200
