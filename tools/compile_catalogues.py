"""Compile every gettext catalogue under gateway/ (.po) to what the program reads (.mo).

`python tools/compile_catalogues.py` writes them; `--check` writes nothing and says which are not current.
"""

import io
import sys
from pathlib import Path

from babel.messages.mofile import write_mo
from babel.messages.pofile import read_po

ROOT = Path(__file__).resolve().parent.parent


def compiled(catalogue: Path) -> bytes:
    with catalogue.open("rb") as source:
        messages = read_po(source, abort_invalid=True)
    target = io.BytesIO()
    write_mo(target, messages)
    return target.getvalue()


def stale(root: Path = ROOT) -> dict[Path, bytes]:
    """The .mo files that are missing or not what their .po says, with what they should hold."""
    wanted = {path.with_suffix(".mo"): compiled(path) for path in sorted((root / "gateway").rglob("*.po"))}
    return {path: content for path, content in wanted.items() if not path.exists() or path.read_bytes() != content}


def compile_all(root: Path = ROOT) -> None:
    for path, content in stale(root).items():
        path.write_bytes(content)


def main() -> int:
    if "--check" not in sys.argv[1:]:
        compile_all()
        return 0
    for path in (found := stale()):
        print(f"{path.relative_to(ROOT)}: not current, run `make catalogues`")
    return 1 if found else 0


if __name__ == "__main__":
    sys.exit(main())
