from typing import cast

import pytest
from joserfc.jws import JWSRegistry

from gateway.oidc.algorithms import ALGORITHMS, OF_PUBLIC_KEYS, Algorithm


@pytest.mark.parametrize("name", ["none", "None", "nOnE", "", "HS384", "HS512", "RSA1_5", "ES256K", "RS1"])
def test_no_provider_can_be_pinned_to_an_algorithm_that_proves_nothing(name: str) -> None:
    assert name not in ALGORITHMS


def test_no_published_key_is_one_for_a_mac() -> None:
    assert frozenset(ALGORITHMS) - OF_PUBLIC_KEYS == {"HS256"}


def test_each_algorithm_has_a_model_that_takes_its_keys_only() -> None:
    for name, algorithm in ALGORITHMS.items():
        model = JWSRegistry.algorithms[algorithm.model]
        expected = {"RSA": "RSA", "Ed25519": "OKP", "secret": "oct"}.get(algorithm.kind, "EC")
        assert model.key_type == expected
        assert algorithm.name == name


def test_the_table_cannot_be_added_to() -> None:
    with pytest.raises(TypeError):
        cast(dict[str, Algorithm], ALGORITHMS)["none"] = ALGORITHMS["RS256"]
