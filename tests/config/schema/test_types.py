import pytest
from pydantic import TypeAdapter, ValidationError

from gateway.config.schema.scalars import Wrong
from gateway.config.schema.types import Maybe, Seconds, Strict, Version, checked
from gateway.model.codes import policy_codes
from gateway.model.errors import GatewayError


class Sample(Strict):
    version: Version
    wait: Maybe[Seconds] = None


def errors(value: object) -> list[tuple[str, tuple[int | str, ...]]]:
    with pytest.raises(ValidationError) as found:
        Sample.model_validate(value)
    return [(error["type"], error["loc"]) for error in found.value.errors()]


def test_a_model_takes_what_it_knows_as_it_is_written_and_keeps_it() -> None:
    sample = Sample.model_validate({"version": 1, "wait": "5s"})
    assert sample.wait == 5.0
    assert Sample.model_validate({"version": 1}).wait is None
    with pytest.raises(ValidationError, match="frozen"):
        sample.wait = 7.0
    assert errors({"version": 1, "weight": "5s"}) == [("extra_forbidden", ("weight",))]
    assert errors({"version": 1, "wait": None}) == [("wrong", ("wait",))]


@pytest.mark.parametrize("value", [True, 1.0, "1", 2, None])
def test_the_version_is_the_number_one(value: object) -> None:
    assert errors({"version": value}) == [("wrong", ("version",))]


@pytest.mark.parametrize("error", [Wrong("no", "yes"), GatewayError(policy_codes.PATTERN, "no")])
def test_what_the_small_grammars_and_the_pure_cores_refuse_is_collected(error: Exception) -> None:
    from typing import Annotated

    from pydantic import AfterValidator

    def refuse(value: str) -> str:
        raise error

    with pytest.raises(ValidationError) as found:
        TypeAdapter(Annotated[str, AfterValidator(checked(refuse))]).validate_python("x")
    (detail,) = found.value.errors()
    assert (detail["type"], detail["msg"]) == ("wrong", "no")
    assert detail["ctx"]["hint"] == ("yes" if isinstance(error, Wrong) else "")
