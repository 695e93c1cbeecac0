"""A directory that tells the schools of a commune, as its file would have it compiled."""

from dataclasses import replace
from pathlib import Path
from typing import Any

from gateway.model.directory import Directory, DirectoryFinding, FileSource, GivenAttribute, KeyPart
from gateway.model.identity import Identity

LILLE, ROUBAIX = "21590350100017", "21590512600011"
TABLE = f"siret,uai,label\n{LILLE},0590001A,Lille\n{ROUBAIX},0590002B,Roubaix\n"


def directory(
    path: Path | str, *, form: Any = "csv", delimiter: str = ",", encoding: Any = "utf-8", **changes: Any
) -> Directory:
    source = FileSource(str(path), form, delimiter, encoding)
    key = (KeyPart("siret", "tenant", providers=("alpha",)),)
    gives = (GivenAttribute("uai", "uai", many=True), GivenAttribute("commune", "label"))
    return replace(Directory("communes", "f1", source, key, gives, "one", "refuse", 0, 2.0), **changes)


class Kept:
    """directories.lookups.KeptFindings."""

    def __init__(self) -> None:
        self.findings: dict[tuple[str, str, str], DirectoryFinding] = {}

    async def keep(self, directory: Directory, key: str, finding: DirectoryFinding) -> None:
        self.findings[directory.name, directory.fingerprint, key] = finding

    async def read(self, directory: Directory, key: str) -> DirectoryFinding | None:
        return self.findings.get((directory.name, directory.fingerprint, key))


def somebody(provider: str = "alpha") -> Identity:
    return Identity(provider, f"https://{provider}.example", "s-1", {"uid": ("alice",)})
