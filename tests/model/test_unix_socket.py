import pytest

from gateway.model.unix_socket import UnixSocket


@pytest.mark.parametrize(
    ("folder", "path"), [("/run/apps", "/run/apps/rh/a.sock"), ("/run/apps/", "/run/apps/rh/a.sock")]
)
def test_its_path(folder: str, path: str) -> None:
    assert UnixSocket(folder, ("rh", "a.sock")).path == path
