"""N reads N-1, of what is kept beside sessions and sign-ins: each form of a ticket as it was first written.

`python -m tests.stores.test_recorded_forms` adds what a form has become under a line of its own. Those that stand there
stay as they are.
"""

import json
from base64 import b64decode, b64encode
from pathlib import Path
from typing import Any

import pytest

from gateway.formlogin.spec import ApplicationSession
from gateway.model.directory import DirectoryFinding
from gateway.model.kept_post import KeptFile, KeptPost
from gateway.model.mandate import TermOfOffice
from gateway.model.ports import Page
from gateway.model.session import Tokens
from gateway.model.transaction import HandOver, ParkedSignIn, WaitedPage
from gateway.stores import codec
from gateway.stores.applications import counting_key
from gateway.stores.applications.counting_key import Counting
from gateway.stores.people import told_forms
from gateway.stores.people.told_forms import KeptUser, SeenPerson
from tests.stores.record import (
    LOGIN,
    NAME_ID,
    PARKED,
    RESPONSE,
    SAML_LOGIN,
    SAML_LOGOUT,
    SIGN_OUT,
    TRANSACTION,
    plain,
)
from tests.stores.samples import JEANNE, NOW, PERMIS, browser
from tests.stores.test_recorded import within

FILE = Path(__file__).with_name("recorded_forms.json")

TERM = TermOfOffice("maire", "215903501", "2020-05-25", "2026-03-29", "Europe/Paris")
BINDING = browser("binding")
KEPT = KeptFile("0123", b"\xe9secret", "k1", b"person", 3, b"tenant")
SAMPLES: dict[str, Any] = {
    "transaction": TRANSACTION,
    "login": LOGIN,
    "response": RESPONSE,
    "sign_out": SIGN_OUT,
    "saml_login": SAML_LOGIN,
    "saml_parked": PARKED,
    "parked_sign_in": ParkedSignIn(
        "metropole", JEANNE, NOW, "id", BINDING, "sid", "id.token", NAME_ID, Tokens("r", NOW, 2), NOW + 60
    ),
    "saml_logout": SAML_LOGOUT,
    "waited": WaitedPage(BINDING, Page(303, ((b"Location", b"/\xe9"),), b"\xff")),
    "handover": HandOver("permis", PERMIS, "/é", BINDING, "id", bytes(range(32)), "metropole", NOW),
    "application_session": ApplicationSession("f1", "hélène", b"SID=\xe9; b="),
    "last_finding": DirectoryFinding("elus", "f1", "found", {"uai": ("1",)}, frozenset({"x"}), NOW, (TERM,)),
    "told_user": KeptUser("7", "hélène", "a1", NOW, NOW + 60),
    "told_name": "7",
    "seen_person": SeenPerson("https://op.example", "é"),
    "seen_as": ("hélène", "h.durand"),
    "counting_key": Counting(bytes(range(32)), NOW, NOW + 60),
    "kept_post": KeptPost("permis", PERMIS, "/depot", "text/plain", BINDING, NOW, NOW + 60, KEPT),
}
FORMS = {
    form.kind: form
    for module in (codec, counting_key, told_forms)
    for form in vars(module).values()
    if isinstance(form, codec.Form)
}
RECORDED: dict[str, list[str]] = json.loads(FILE.read_text()) if FILE.exists() else {}


def test_every_form_is_recorded() -> None:
    assert set(RECORDED) == set(SAMPLES) == set(FORMS)
    assert not [kind for kind in SAMPLES if written(kind) not in RECORDED[kind]], "python -m " + __name__


@pytest.mark.parametrize(("kind", "said"), [(kind, said) for kind, every in RECORDED.items() for said in every])
def test_what_was_written_is_read(kind: str, said: str) -> None:
    sample = SAMPLES[kind]
    found = FORMS[kind].read(b64decode(said))
    assert within(plain(found), plain(sample))


def written(kind: str) -> str:
    return b64encode(FORMS[kind].write(SAMPLES[kind])).decode()


if __name__ == "__main__":
    kept = {kind: list(dict.fromkeys([*RECORDED.get(kind, []), written(kind)])) for kind in SAMPLES}
    FILE.write_text(json.dumps(kept, indent=1) + "\n")
