import pytest
from pydantic import ValidationError

from gateway.config.messages import known_keys, problem_of
from gateway.config.problems import did_you_mean
from gateway.config.schema import AppFile, GatewayFile, ProviderFile
from gateway.config.yaml_reader import read_document


def test_the_known_keys_of_a_place_come_from_the_model() -> None:
    assert {"app", "hosts", "access"} < known_keys(AppFile, ())
    assert known_keys(AppFile, ("access", 3)) == {"path", "methods", "allow", "deny", "refusal", "shadow"}
    assert known_keys(AppFile, ("translate", "headers", "X-Any")) == {
        "from",
        "value",
        "join",
        "encoding",
        "unencodable",
    }
    assert known_keys(AppFile, ("access", 0, "allow", "any", 1, "claim")) == {
        "name",
        "equals",
        "in",
        "suffix",
        "matches",
        "exists",
    }
    assert known_keys(GatewayFile, ("listen", 0, "tls")) == {"certificate", "key"}
    assert known_keys(ProviderFile, ("attributes", "uid")) == set()
    assert known_keys(AppFile, ("none", 7)) == set()


def test_a_suggestion_is_made_where_something_is_near() -> None:
    assert did_you_mean("alow", ["allow", "deny"]) == "did you mean allow?"
    assert did_you_mean("zzz", ["allow", "deny"]) == ""
    assert did_you_mean(7, []) == ""


@pytest.mark.parametrize("key", ["=group", "[key]", "=", "a.b", "é"])
def test_a_key_that_looks_like_what_pydantic_adds_is_found(key: str) -> None:
    document, _ = read_document("x.yaml", f'version: 1\n"{key}": 2\n'.encode())
    with pytest.raises(ValidationError) as error:
        AppFile.model_validate(document.data)
    found = [problem_of(document, AppFile, detail) for detail in error.value.errors()]
    unknown = [problem for problem in found if problem.message == "unknown key"]
    assert [(str(problem.place), problem.key) for problem in unknown] == [("x.yaml:2:1", key)]
