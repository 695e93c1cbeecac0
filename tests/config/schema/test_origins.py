from gateway.config.schema.load import load
from gateway.config.schema.origins import effective
from tests.config.samples import sample_files

FILE = """\
version: 1
provider: metropole
preset: proconnect-integration
oidc:
  client_id: ecluse
  client_secret: INLINE
  client_keys: [{key: {file: a}}, {key: INLINE}]
  request:
    claims: {id_token: {acr: {essential: true, values: [eidas2]}}}
session: {idle: 15m}
"""


def rows(text: str) -> dict[str, tuple[str, str]]:
    folder, problems = load(sample_files({"providers/metropole.yaml": text}))
    assert problems == []
    return {row.key: (row.value, row.origin) for row in effective(folder.providers[0])}


def test_each_value_says_where_it_comes_from() -> None:
    told = rows(FILE)
    assert told["oidc.client_id"] == ("ecluse", "policies/providers/metropole.yaml:5")
    assert told["oidc.issuer"] == ("https://fca.integ01.dev-agentconnect.fr/api/v2", "preset proconnect-integration")
    assert told["oidc.algorithms"] == ("[RS256]", "preset proconnect")
    assert told["oidc.request.claims.id_token.amr"] == ("{}", "preset proconnect")
    assert told["oidc.request.claims.id_token.acr.values"] == ("[eidas2]", "policies/providers/metropole.yaml:9")
    assert told["session.idle"] == ("15m", "policies/providers/metropole.yaml:10")
    assert told["session.absolute"] == ("12h", "preset proconnect")
    assert told["skew"] == ("1m", "default")
    assert told["oidc.private_addresses"] == ("false", "default")


def test_what_is_neither_said_nor_has_a_default_is_left_out() -> None:
    assert not {"oidc.ca", "oidc.encryption", "asserts.siret", "oidc.request.prompt"} & rows(FILE).keys()


def test_a_secret_that_development_writes_into_the_file_stays_there() -> None:
    told = rows(FILE)
    assert told["oidc.client_secret"][0] == "(not shown)"
    assert told["oidc.client_keys"][0] == "[{key: {file: a}}, {key: (not shown)}]"
    assert "INLINE" not in str(told)


def test_a_file_without_a_preset() -> None:
    told = rows(
        FILE.replace("preset: proconnect-integration", "label: {fr: a, en: b}").replace(
            "  client_id", "  issuer: https://a.example\n  client_id"
        )
    )
    assert told["label.fr"] == ("a", "policies/providers/metropole.yaml:3")
    assert told["oidc.algorithms"] == ("[RS256]", "default")
