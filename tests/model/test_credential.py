from gateway.model.codes import policy_codes
from gateway.model.credential import Credential, NoCredential


def test_the_secret_is_in_no_representation() -> None:
    credential = Credential("helene", "s3cret-de-grr")
    assert "helene" in repr(credential)
    assert all(
        "s3cret" not in shown for shown in (repr(credential), str(credential), f"{credential!r}", f"{[credential]}")
    )


def test_where_nothing_is_known_the_page_and_the_operator_are_told_why() -> None:
    assert NoCredential(policy_codes.NOT_ALLOWED, "no uid") == NoCredential(policy_codes.NOT_ALLOWED, "no uid")
