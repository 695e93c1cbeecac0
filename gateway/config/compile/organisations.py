"""A file that names a table of organisations as it is served."""

import os

from gateway.config.compile.served import served
from gateway.config.schema.organisations import OrganisationsFile
from gateway.model.directory import FileSource
from gateway.model.organisations import OrganisationTable


def serve_organisations(model: OrganisationsFile, root: str) -> OrganisationTable:
    """`root`: the policy folder, absolute."""
    path = os.path.normpath(os.path.join(root, model.csv.path))
    source = served(FileSource, model.csv, path=path, form="csv")
    return OrganisationTable(model.organisations, source, model.credit or "", model.as_of or "")
