"""What commands say of a gateway that runs and is of another release."""

import asyncio
import json
import socket
from pathlib import Path
from typing import Any

import pytest

from gateway import __version__
from gateway.cli.answers import OtherRelease, ReloadAnswer, Restarted, SessionsAnswer, checked
from gateway.cli.main import main
from gateway.server.control import Control
from tests.walks.place import Place

SESSION = {"id": "i" * 22, "person": "p", "provider": "alpha", "tenant": "", "applications": ["one"], "created": 1}
WHOLE = {**SESSION, "expires": 3, "ends": 2}
COMMANDS = {
    "reload": ("reload", "policies"),
    "restart": ("restart", "policies"),
    "list": ("session", "list", "policies"),
    "show": ("session", "show", "i" * 22, "policies"),
    "revoke": ("session", "revoke", "--id", "i" * 22, "--yes", "policies"),
    "refresh": ("directory", "refresh", "--all", "policies"),
}
# Of whatever is asked: what gateways said before an answer was as it is, and what none says.
ODD = (
    {"verdict": "unknown", "detail": "not a command"},
    {"error": "not a question about sessions"},
    {"sessions": [SESSION], "after": ""},
    {"sessions": WHOLE, "after": ""},
    {"sessions": [WHOLE]},
    {"revoked": ["i" * 22]},
    {"process": "7"},
    {},
    [],
    None,
    7,
)


async def told(folder: Path, words: tuple[str, ...], *answers: Any) -> int:
    """The status of the command, asked of a gateway that gives these answers, the last again and again."""
    left = list(answers)

    async def answered(_: object) -> Any:
        return left.pop(0) if len(left) > 1 else left[0]

    async def no_successor(connection: socket.socket) -> None:
        raise AssertionError(connection)

    (folder / "var").mkdir(exist_ok=True)
    control = Control(folder / "var", answered, answered, no_successor)
    await control.start()
    try:
        return await asyncio.to_thread(main, words)
    finally:
        await control.stop()


@pytest.fixture
def place(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Place:
    place = Place(tmp_path)
    monkeypatch.chdir(tmp_path)
    return place


@pytest.mark.parametrize("words", COMMANDS.values(), ids=COMMANDS)
async def test_one_that_answers_as_another_release_is_said_to_be_one(
    place: Place, capsys: pytest.CaptureFixture[str], words: tuple[str, ...]
) -> None:
    for odd in ODD:
        for more in ((), ("--output", "json")):
            assert await told(place.folder, (*words, *more), odd) == 2
            heard = capsys.readouterr()
            assert heard.out == ""
            assert heard.err == (
                f"ecluse: the running gateway has another release than this command ({__version__}), and its answer "
                "cannot be read: the result is unknown. Use the command of its release, or stop the gateway and start "
                "it again\n"
            )


async def test_of_several_answers_each_is_looked_at(place: Place, capsys: pytest.CaptureFixture[str]) -> None:
    page = {"sessions": [WHOLE], "after": ""}
    assert await told(place.folder, COMMANDS["revoke"], page, {"revoked": ["i" * 22]}) == 2
    assert "has another release" in capsys.readouterr().err


async def test_what_it_says_is_wrong_stays_its_own_word(place: Place, capsys: pytest.CaptureFixture[str]) -> None:
    assert await told(place.folder, COMMANDS["list"], {"error": "store.unreachable: away"}) == 1
    assert capsys.readouterr().err == "ecluse: store.unreachable: away\n"


def test_what_is_more_than_is_known_is_no_trouble() -> None:
    checked({"verdict": "live", "revision": "r", "detail": "", "later": [1]}, ReloadAnswer)
    checked({"process": 7, "release": "9"}, Restarted)
    checked(json.loads(json.dumps({"sessions": [{**WHOLE, "later": 1}], "after": "", "later": 1})), SessionsAnswer)
    with pytest.raises(OtherRelease):
        checked({"process": True}, Restarted)
