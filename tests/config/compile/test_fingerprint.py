from pathlib import Path

import pytest

from gateway.config.compile.process import fingerprint
from tests.walks.place import Place


@pytest.fixture
def place(tmp_path: Path) -> Place:
    place = Place(tmp_path)
    place.write_provider("alpha", "http://127.0.0.1:1/alpha")
    place.write_app("one", "one.localhost")
    return place


def test_the_same_bytes_are_no_change(place: Place) -> None:
    before = fingerprint(place.policies)
    place.write("apps/one.yaml", place.read("apps/one.yaml"))
    assert fingerprint(place.policies) == before


def test_a_file_a_secret_and_a_new_file_are_changes(place: Place) -> None:
    seen = [fingerprint(place.policies)]
    place.write("apps/one.yaml", place.read("apps/one.yaml") + "# more\n")
    seen.append(fingerprint(place.policies))
    (place.folder / "certs/store.key").write_text("fedcba9876543210" * 4)
    seen.append(fingerprint(place.policies))
    place.write_app("two", "two.localhost")
    seen.append(fingerprint(place.policies))
    (place.policies / "apps/two.yaml").unlink()
    assert len(set(seen)) == 4
    assert fingerprint(place.policies) == seen[2]


def test_a_folder_that_is_gone_is_a_change_and_no_fault(place: Place) -> None:
    before = fingerprint(place.policies)
    place.policies.rename(place.folder / "elsewhere")
    assert fingerprint(place.policies) != before
