"""What tools say of a person at an application that has a login form: they send nothing."""

from gateway.trial.request import circumstances_of, parse_request
from gateway.trial.trial import Tried, try_request
from tests.config.samples import PERMIS, sample_snapshot
from tests.trial.samples import NOW, person

FORM = (
    "form_login: {trusted: {from: uid, secret: {file: grr}}, steps: [{page: /a, fields: {u: login, p: secret}}], "
    "signed_in: [{location: /in}], cookies: [GRRSESSID]}\n"
)


def tried(**attributes: tuple[str, ...]) -> Tried:
    snapshot = sample_snapshot({"apps/permis.yaml": PERMIS + FORM}, {"file:grr": b"un secret"})
    asked = parse_request("GET http://permis.localhost/dossiers")
    return try_request(snapshot, asked, person(**attributes), circumstances_of(NOW, None, {}, None))


def test_the_account_is_told_and_no_secret() -> None:
    said = tried(uid=("helene",))
    assert said.cookies["GRRSESSID"] == "(signed in as helene, by form_login)"
    assert "un secret" not in repr(said)


def test_it_is_told_why_somebody_has_no_account() -> None:
    said = tried()
    assert "GRRSESSID" not in said.cookies
    assert said.unsent["GRRSESSID"] == "form_login.account: this person has no uid"
