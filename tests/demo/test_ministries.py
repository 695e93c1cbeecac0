"""The applications of three ministries, called directly."""

from collections.abc import Callable, Iterable
from wsgiref.types import WSGIEnvironment
from wsgiref.util import setup_testing_defaults

import pytest

from deploy.demo.ministries import MINISTRIES, application
from deploy.demo.place import USUAL


def asked(name: str, path: str = "/", method: str = "GET", **received: str) -> tuple[str, str]:
    environ: WSGIEnvironment = {"PATH_INFO": path, "REQUEST_METHOD": method, **received}
    setup_testing_defaults(environ)
    said: list[str] = []

    def start_response(status: str, *_: object) -> Callable[[bytes], object]:
        said.append(status)
        return lambda _: None

    body: Iterable[bytes] = application(MINISTRIES[name], environ, start_response)
    return said[0], b"".join(body).decode()


@pytest.mark.parametrize("name", MINISTRIES)
def test_every_page_of_its_menu_is_there_and_its_form_is_taken(name: str) -> None:
    assert getattr(USUAL, name)
    for path in MINISTRIES[name].pages:
        status, text = asked(name, path)
        assert (status, f'href="{path}"' in text or path.startswith("/api/")) == ("200 OK", True)
    status, text = asked(name, MINISTRIES[name].form[0], "POST")
    assert (status, "C’est enregistré." in text) == ("200 OK", True)
    assert asked(name, "/elsewhere")[0] == asked(name, "/", "POST")[0] == "404 Not Found"


def test_it_believes_what_the_headers_say_and_shows_it_as_text() -> None:
    _, text = asked("ecoles", HTTP_X_REMOTE_USER="Zoé <b>".encode().decode("latin-1"), HTTP_X_SIRET="21590512600011")
    assert "Bonjour Zoé &lt;b&gt;." in text
    assert "21590512600011" in text
    assert "Personne n’est annoncé." in asked("avis")[1]
