"""A directory's file as it is served, with the fingerprint of what it is asked by and gives."""

import hashlib
import os
from typing import Final

from gateway.config.compile.served import served
from gateway.config.schema.directory import DirectoryFile
from gateway.model.directory import Directory, FileSource, GivenAttribute, KeyPart

_FINGERPRINT_LETTERS: Final = 16


def serve_directory(model: DirectoryFile, root: str) -> Directory:
    """`root`: the policy folder, absolute."""
    source = _source(model, root)
    key = tuple(
        served(
            KeyPart,
            part,
            column=column,
            attribute=part.from_,
            transforms=tuple(part.transform),
            providers=tuple(sorted(set(part.providers or ()))),
        )
        for column, part in model.key.items()
    )
    gives = tuple(
        served(GivenAttribute, given, name=name, column=given.column or name, split=given.split or "")
        for name, given in sorted(model.gives.items())
    )
    away, last = model.away
    asked = repr((model.directory, source, key, gives, model.rows))
    return served(
        Directory,
        model,
        name=model.directory,
        fingerprint=hashlib.sha256(asked.encode()).hexdigest()[:_FINGERPRINT_LETTERS],
        source=source,
        key=key,
        gives=gives,
        away=away,
        last=last,
    )


def _source(model: DirectoryFile, root: str) -> FileSource:
    if model.csv is not None:
        path = os.path.normpath(os.path.join(root, model.csv.path))
        return served(FileSource, model.csv, path=path, form="csv")
    assert model.json_ is not None
    path = os.path.normpath(os.path.join(root, model.json_.path))
    return FileSource(path, "json")
