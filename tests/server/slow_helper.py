"""The compiling process, which comes to no end with a file that says where: when it is read, or when it is checked."""

import sys
from collections.abc import Iterator
from typing import Any

from gateway.config.check import folder
from gateway.config.schema import load
from gateway.trial.compile_process import main

HANGS = {"read": "# stands still when it is read\n", "checked": "# stands still when it is checked\n"}

_read, _checked = load.read_document, folder.check_app


def _read_for_ever(file: str, content: bytes) -> Any:
    while content.endswith(HANGS["read"].encode()):
        pass
    return _read(file, content)


def _checked_for_ever(loaded: Any, *others: Any) -> Iterator[Any]:
    document = loaded.document
    while HANGS["checked"].strip() in (document.source(document.lines - 1), document.source(document.lines)):
        pass
    return _checked(loaded, *others)


if __name__ == "__main__":
    load.read_document, folder.check_app = _read_for_ever, _checked_for_ever
    sys.exit(main(float(sys.argv[1]), sys.argv[2]))
