"""The folder that docs/how-to/try-*.md work in, and its commands run there."""

import json
import os
import shutil
import subprocess
import sys
from pathlib import Path

from deploy.demo.keys import make_all
from tests.docs.blocks import Block

ROOT = Path(__file__).parents[2]
TWINS = (
    (ROOT / "docs/how-to/try-a-policy.md", ROOT / "docs/fr/essayer-une-regle.md"),
    (ROOT / "docs/how-to/try-a-rule-in-the-shadow.md", ROOT / "docs/fr/essayer-dans-lombre.md"),
)
PAGES = tuple(page for twins in TWINS for page in twins)
_PAUL = "provider: metropole\nsubject: paul\nattributes: {uid: paul, groups: ONDE, family_name: Lebœuf}\n"
_IRIS = """\
provider: syndicat
subject: iris
attributes: {uid: iris, siret: "21590017600011"}
directories:
  communes: {schools: "0590301M"}
  elus: {mandates: [{office: adjoint, insee: "59017", start: 2020-05-25, end: 2032-03-21}]}
"""
_ADMIN = ("    allow: {group: administrateurs}\n    refusal", "    allow: {group: elus}\n    refusal")

_IGNORE = "# ecluse-ignore: EC401 the example runs on one machine, for whoever tries it there\n"


def make(folder: Path) -> None:
    """The example with its keys, paul, changed copies, and a log of 1,500 requests."""
    shutil.copytree(ROOT / "policies", folder / "policies")
    make_all(folder / "certs")
    (folder / "paul.yaml").write_text(_PAUL)
    (folder / "iris.yaml").write_text(_IRIS)
    shutil.copytree(folder / "policies", folder / "proposed")
    _change(folder / "proposed/apps/permis.yaml", *_ADMIN)
    shutil.copytree(folder / "policies", folder / "watched")
    _change(folder / "watched/apps/education/ecoles.yaml", "{shared: executif}", "{mandate: maire}")
    shutil.copytree(folder / "policies", folder / "draft")
    _change(folder / "draft/gateway.yaml", _IGNORE, "")
    paths = ["/admin/comptes"] * 3 + [f"/dossiers/{number % 40}" for number in range(1497)]
    lines = ({"event": "access", "app": "permis", "method": "GET", "path": path, "status": 200} for path in paths)
    (folder / "access.jsonl").write_text("".join(json.dumps(line) + "\n" for line in lines))


def _change(file: Path, old: str, new: str) -> None:
    text = file.read_text()
    assert old in text
    file.write_text(text.replace(old, new))


def printed(block: Block, folder: Path) -> str:
    environment = {**os.environ, "PATH": f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}"}
    told = [
        subprocess.run(command, shell=True, cwd=folder, capture_output=True, text=True, timeout=120, env=environment)
        for command in block.commands
    ]
    return "".join(one.stdout + one.stderr for one in told)
