"""Unix sockets of applications that are no team's, held against the folders that gateway.yaml lists for them. Those of
teams: teams.py. What is at the end of the way is judged when it is connected to: gateway/ops/unix_sockets.py."""

from collections.abc import Iterator

from gateway.config.folder.files import team_of
from gateway.config.problems import Problem
from gateway.config.schema.load import Folder
from gateway.wire.fences import folder_of


def check_sockets(folder: Folder) -> Iterator[Problem]:
    if folder.gateway_file is None:
        return
    for app in (*folder.apps, *folder.shadows):
        path = None if app.model is None else app.model.upstream.socket
        if path is None or team_of(app.path) or folder_of(path, folder.gateway_file.sockets) is not None:
            continue
        message = f"{path} is in no folder that gateway.yaml lists for sockets of applications"
        yield app.document.problem(("upstream", "socket"), message, "add its folder to sockets of gateway.yaml")
