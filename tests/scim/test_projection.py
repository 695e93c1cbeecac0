import pytest

from gateway.model.codes import scim_codes
from gateway.scim.projection import WHOLE, Projection, projection_of, read_projection
from gateway.scim.user import USER, ToldUser, resource
from tests.scim.samples import ANNE, refused

SHOWN = resource(ToldUser("7", ANNE, 1_800_000_000, 1_800_000_001), "https://portail.example.org/_ecluse/scim/v2")


def names(projection: Projection) -> list[str]:
    return list(projection.of(SHOWN))


def test_all_is_shown_where_nothing_is_said() -> None:
    assert read_projection({"filter": "x"}) == WHOLE
    assert WHOLE.of(SHOWN) == SHOWN


@pytest.mark.parametrize(
    "asked", ["userName", "USERNAME", f"{USER}:userName", " userName ,photos", "userName,id,schemas"]
)
def test_only_what_is_wanted_is_shown_and_what_says_whose_it_is(asked: str) -> None:
    assert names(read_projection({"attributes": asked})) == ["schemas", "id", "userName"]


@pytest.mark.parametrize(
    ("asked", "left"),
    [
        ("active,externalId", ["schemas", "id", "userName", "meta"]),
        (f"{USER}:userName,members", ["schemas", "id", "externalId", "active", "meta"]),
        ("id,schemas,meta", ["schemas", "id", "externalId", "userName", "active"]),
    ],
)
def test_or_all_but_what_is_unwanted_and_these_are_shown_all_the_same(asked: str, left: list[str]) -> None:
    assert names(read_projection({"excludedAttributes": asked})) == left


def test_a_part_of_an_attribute_is_wanted_or_unwanted_by_itself() -> None:
    meta = SHOWN["meta"]
    assert isinstance(meta, dict)
    wanted = read_projection({"attributes": "meta.created"}).of(SHOWN)
    assert wanted == {"schemas": SHOWN["schemas"], "id": "7", "meta": {"created": meta["created"]}}
    unwanted = read_projection({"excludedAttributes": "meta.created"}).of(SHOWN)
    assert unwanted["meta"] == {name: value for name, value in meta.items() if name != "created"}
    assert "meta" not in read_projection({"attributes": "meta.nothing"}).of(SHOWN)


@pytest.mark.parametrize(
    "parameters",
    [{"attributes": "userName", "excludedAttributes": "active"}, {"attributes": ",".join("a" * 65)}],
)
def test_both_and_too_many_are_refused(parameters: dict[str, str]) -> None:
    assert refused(lambda: read_projection(parameters))[0] is scim_codes.VALUE


def test_nothing_wanted_is_not_all() -> None:
    assert names(projection_of([], None)) == ["schemas", "id"]
