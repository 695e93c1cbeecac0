import ast
import re
from pathlib import Path
from typing import get_args

import gateway
from gateway.model.events import EVENTS, Level


def test_each_id_is_there_once_and_says_what_it_means() -> None:
    for id, event in EVENTS.items():
        assert event.id == id
        assert re.fullmatch(r"[a-z_]+(\.[a-z_]+)*", id)
        assert event.level in get_args(Level)
        assert event.meaning.endswith(".")
    source = Path(gateway.__file__).with_name("model").joinpath("events.py").read_text()
    assert len(re.findall(r"^    Event\(", source, re.MULTILINE)) == len(EVENTS)


def test_every_event_that_is_written_anywhere_is_in_the_table() -> None:
    unknown = []
    for path in Path(gateway.__file__).parent.rglob("*.py"):
        for node in ast.walk(ast.parse(path.read_bytes())):
            match node:
                case ast.Call(func=ast.Attribute(attr="event"), args=[ast.Constant(value=str(id)), *_]) if (
                    id not in EVENTS
                ):
                    unknown.append(f"{path.name}:{node.lineno}: {id}")
    assert not unknown
