# ruff: noqa: E501 - a case is a line
"""A directory's file against the providers, the others of its kind, and the applications that list it."""

import sys

import pytest

from tests.config.samples import BASE, METROPOLE, problems

COMMUNES = """\
version: 1
directory: communes
csv: {path: ../communes.csv}
key: {siret: {from: tenant, providers: [metropole]}}
gives: {commune: {}}
"""
AUTRE = METROPOLE.replace("provider: metropole", "provider: autre").replace(":9400", ":9499")
PERMIS = BASE["apps/permis.yaml"]


def found(text: str, **more: str) -> list[str]:
    return problems({"directories/communes.yaml": text, **more})


def test_a_good_one_has_no_problem() -> None:
    assert found(COMMUNES) == []
    assert found(COMMUNES.replace("csv: {path: ../communes.csv}", "json: {path: x.json}")) == []


@pytest.mark.parametrize(
    ("part", "instead", "said"),
    [
        (", providers: [metropole]", "", "1:1: key.siret does not say whose word is taken for tenant: a second provider could assert the same value (add providers: [...] to it, or a column for `from: issuer`)"),
        ("[metropole]", "[metropol]", "4:41: key.siret.providers[0]: no file in providers/ has this name (did you mean metropole?)"),
        ("from: tenant", "from: matricule", "4:44: key.siret.providers[0]: metropole maps no attribute matricule (did you mean mail?)"),
        ("from: tenant", "from: Tenant", "4:21: key.siret.from: an attribute's name begins with a-z and goes on with a-z, 0-9 and _, at most 64"),
        ("from: tenant", "from: uid, transform: [rot13]", "4:38: key.siret.transform[0]: this must be one of lower, upper, siren, mail_domain"),
        ("commune: {}", "uai: {}", "5:9: gives.uai: metropole has an attribute uai too, and this file does not say whose word counts (add wins: directory or wins: provider, or give it another name)"),
        ("commune: {}", "commune: {wins: directory}", "5:25: gives.commune.wins: no provider of its key has an attribute commune: this has no effect (leave it out)"),
        ("commune: {}", "tenant: {}", "5:9: gives.tenant: tenant is the gateway's own name (choose another name for this attribute)"),
        ("commune: {}", "account: {}", "5:9: gives.account: account is the gateway's own name (choose another name for this attribute)"),
        ("commune: {}", "commune: {split: ','}", "5:18: gives.commune: a cell is split into several values, and one is meant (add many: true)"),
        ("csv:", "away: last\ncsv:", "3:7: away: this is refuse, without, or {last: 24h}"),
        ("csv:", "away: {last: 365d}\ncsv:", "3:7: away: this is at most 90d"),
        ("csv:", "timeout: 1m\ncsv:", "3:10: timeout: this is at most 10s: a person waits for it"),
        ("csv:", "json: {path: y}\ncsv:", "1:1: a directory is one source (write one of csv, json, ldap, http, postgresql, sqlite)"),
        ("csv: {path: ../communes.csv}", "csv: {path: x, delimiter: ab}", '3:27: csv.delimiter: cells are separated by one character (such as "," or ";"; a tab is "\\t")'),
    ],
)  # fmt: skip
def test_what_is_wrong_is_told_at_its_place(part: str, instead: str, said: str) -> None:
    assert part in COMMUNES
    assert f"policies/directories/communes.yaml:{said}" in found(COMMUNES.replace(part, instead))


@pytest.mark.parametrize("more", ["many: true", "type: number"])
def test_a_secret_is_one_text(more: str) -> None:
    said = "a secret is one text, and no provider's word is beside it (leave out type, many and wins)"
    assert found(COMMUNES.replace("{}", f"{{secret: true, {more}}}")) == [
        f"policies/directories/communes.yaml:5:18: gives.commune: {said}"
    ]


SECRET = COMMUNES.replace("{commune: {}}", "{commune: {}, grr: {secret: true}}")
LISTED = PERMIS.replace("translate:\n", "directories: [communes]\ntranslate:\n")
BASIC = LISTED.replace("access:", "  basic: {account: {from: uid}, password_from: grr}\naccess:")


def test_a_secret_goes_to_the_application_whose_file_sends_it() -> None:
    assert found(SECRET, **{"apps/permis.yaml": BASIC}) == []


@pytest.mark.parametrize(
    ("directory", "app", "said"),
    [
        (COMMUNES, BASIC, "translate.basic.password_from: no directory that this application lists gives a secret of this name (in the directory's file: gives: {grr: {secret: true}})"),
        (SECRET, BASIC.replace("from: grr", "from: gr"), "translate.basic.password_from: no directory that this application lists gives a secret of this name (did you mean grr?)"),
        (SECRET, BASIC.replace("from: grr", "from: commune"), "translate.basic.password_from: no directory that this application lists gives a secret of this name (in the directory's file: gives: {commune: {secret: true}})"),
        (SECRET, BASIC.replace("directories: [communes]\n", ""), "translate.basic.password_from: no directory that this application lists gives a secret of this name (in the directory's file: gives: {grr: {secret: true}})"),
        (SECRET, LISTED.replace("headers:\n", "headers:\n    X-G: {from: grr}\n"), "translate.headers.X-G.from: no provider of this application maps an attribute grr (write grr: under attributes of a provider's file)"),
        (SECRET, LISTED.replace("headers:\n", "headers:\n    X-G: {from: 'secret:grr'}\n"), "translate.headers.X-G.from: an attribute's name begins with a-z and goes on with a-z, 0-9 and _, at most 64"),
        (SECRET, LISTED.replace("access:", "access:\n  - path: /x\n    allow: {claim: {name: grr, exists: true}}"), "access[0].allow.claim.name: no provider of this application maps an attribute grr (write grr: under attributes of a provider's file)"),
        (SECRET, BASIC.replace("password_from: grr", "password_from: grr, password: {file: x}"), "translate.basic: the secret comes from one place (write password: {file: path} or password_from: NAME)"),
        (SECRET, BASIC.replace("{from: uid}, pass", "{value: svc}, pass"), "translate.basic: one account has one secret (write password: {file: path}, or account: {from: attribute})"),
    ],
)  # fmt: skip
def test_a_secret_goes_nowhere_else(directory: str, app: str, said: str) -> None:
    assert app != LISTED
    assert [one.split(": ", 1)[1] for one in found(directory, **{"apps/permis.yaml": app})] == [said]


MANDATE = "mandates: {type: mandates, mandate: {office: f, siren: s, start: d, end: e, zone: Europe/Paris}}"


@pytest.mark.parametrize(
    ("part", "instead", "said"),
    [
        ("siren: s, ", "", "an organisation is named in one way (write siren: COLUMN, siret: COLUMN or insee: COLUMN)"),
        ("siren: s", "siren: s, insee: i", "an organisation is named in one way (write siren: COLUMN, siret: COLUMN or insee: COLUMN)"),
        (", zone: Europe/Paris", "", "no SIREN or SIRET says where midnight is (write zone: Europe/Paris where all are there, or zone_column: COLUMN)"),
        ("zone: ", "zone_column: z, zone: ", "its time zone is said twice (write zone or zone_column)"),
        ("Europe/Paris", "Paris", "gives.mandates.mandate.zone: Paris is not a time zone that this machine knows (Europe/Paris, Indian/Reunion)"),
        ("type: mandates, ", "", "the type mandates and the columns of a mandate go together (write {type: mandates, mandate: {...}})"),
        ("type: mandates, ", "type: mandates, many: true, ", "a mandate has the columns that `mandate` names, and a person may have several (leave out column, many and split)"),
        ("mandates: {type", "mandats: {type", "gives.mandats: rules look for mandates under the name mandates (call it mandates)"),
        ("mandates: {type", "mandate_organisations: {}, mandates: {type", "mandate_organisations is the gateway's own name (choose another name for this attribute)"),
        ("end: e, ", "", "gives.mandates.mandate.end: this key is missing"),
    ],
)  # fmt: skip
def test_what_is_wrong_with_mandates_is_told(part: str, instead: str, said: str) -> None:
    good = COMMUNES.replace("commune: {}", MANDATE)
    assert found(good) == []
    assert found(good.replace("siren: s", "insee: s").replace(", zone: Europe/Paris", "")) == []
    assert part in good
    problems_told = found(good.replace(part, instead))
    assert any(said in one for one in problems_told), problems_told


def test_a_rule_may_ask_of_which_organisation_a_mandate_is_where_a_directory_says_so() -> None:
    rule = "{path: /**, allow: {mandate: {office: maire, of: tenant}}}"
    app = PERMIS.replace("{path: /**, allow: signed_in}", rule)
    assert rule in app
    listed = {"apps/permis.yaml": app + "directories: [communes]\n"}
    assert found(COMMUNES.replace("commune: {}", MANDATE), **listed) == []
    (said,) = found(COMMUNES.replace("commune: {}", "mandates: {many: true}"), **listed)
    assert "no directory of this application says of which organisation a mandate is" in said


def test_a_key_with_the_issuer_needs_no_list() -> None:
    key = "key: {iss: {from: issuer}, sub: {from: subject}}"
    assert found(COMMUNES.replace("key: {siret: {from: tenant, providers: [metropole]}}", key)) == []


LDAP = COMMUNES.replace("csv: {path: ../communes.csv}", "ldap: {servers: [ldaps://ldap.example], base: dc=example}")


@pytest.mark.parametrize(
    ("part", "instead", "said"),
    [
        ("ldaps://ldap.example", "ldap.example", "3:18: ldap.servers[0]: a server is written ldaps://name, or with a port behind it (ldaps://ldap.example.org)"),
        ("ldaps://ldap.example", "ldaps://ldap.example/dc=x", "3:18: ldap.servers[0]: a server is written"),
        ("ldaps://ldap.example", "ldaps://me@ldap.example", "3:18: ldap.servers[0]: a server is written"),
        ("ldaps://ldap.example", "ldap://ldap.example", "3:18: ldap.servers[0]: what is known of people, and our password, would go in the clear (ldaps://, or start_tls: true)"),
        ("base:", "start_tls: true, base:", "3:7: ldap: ldaps:// is TLS from the beginning"),
        ("base:", "bind: {dn: cn=x}, base:", "3:47: ldap.bind: one way to bind is written here"),
        ("base:", "bind: {dn: cn=x, password: secret}, base:", "3:68: ldap.bind.password: a secret is not written into this file"),
        ("base:", "filter: '(uid=x)(uid=y)', base:", "3:49: ldap.filter: this is no filter in parentheses"),
        ("base:", "filter: 'uid=x', base:", "3:49: ldap.filter: this is no filter in parentheses"),
        ("base:", "filter: '(uid=x))(', base:", "3:49: ldap.filter: this is no filter in parentheses"),
        ("siret:", "'siret)(x':", "1:1: siret)(x is no name of an attribute in LDAP"),
        ("{commune: {}}", "{commune: {column: 'a b'}}", "1:1: a b is no name of an attribute in LDAP"),
        ("gives: {", "away: {last: 1h}\ngives: {word: {secret: true}, ", "1:1: what it said last would be kept for everybody, and word is a secret"),
    ],
)  # fmt: skip
def test_what_is_wrong_with_a_server_of_ldap_is_told_at_its_place(part: str, instead: str, said: str) -> None:
    assert part in LDAP
    strict = {"gateway.yaml": BASE["gateway.yaml"].replace("development: true", "development: false")}
    told = found(LDAP.replace(part, instead), **strict)
    assert any(line.startswith(f"policies/directories/communes.yaml:{said}") for line in told), told


HTTP = COMMUNES.replace(
    "csv: {path: ../communes.csv}", "http: {url: 'https://api.example/{siret}', addresses: [10.0.0.0/8]}"
)


@pytest.mark.parametrize(
    ("part", "instead", "said"),
    [
        ("https://api.example/{siret}", "https://api.example/", "1:1: with GET, the key is in its address: {siret} (each part once, by its name)"),
        ("https://api.example/{siret}", "https://api.example/{siret}/{uid}", "1:1: with GET, the key is in its address"),
        ("addresses:", "method: POST, addresses:", "1:1: with POST, the key is in the body, and no part of the address"),
        ("https://api.example/{siret}", "https://{siret}/", "3:13: http.url: this is no address with the key"),
        ("https://api.example/{siret}", "https://me@api.example/{siret}", "3:13: http.url: this is no address with the key"),
        ("https:", "http:", "3:13: http.url: what is known of people would go in the clear (https://)"),
        ("addresses: [10.0.0.0/8]", "addresses: []", "3:"),
        (", addresses: [10.0.0.0/8]", "", "3:"),
        ("addresses:", "rows: results, addresses:", "3:50: http.rows: a JSON Pointer begins with / (RFC 6901)"),
        ("addresses:", "token: secret, addresses:", "3:51: http.token: a secret is not written into this file"),
        ("addresses:", "oauth: {token_url: 'https://a.example/t', client_id: e, client_secret: s}, addresses:", "3:115: http.oauth.client_secret: a secret is not written into this file"),
        ("addresses:", "oauth: {token_url: 'http://a.example/t', client_id: e, client_secret: {file: s}}, addresses:", "3:63: http.oauth.token_url: our secret would go in the clear (https://)"),
        ("addresses:", "oauth: {token_url: 'https://a.example/{siret}', client_id: e, client_secret: {file: s}}, addresses:", "3:63: http.oauth.token_url: this is no address of a token endpoint"),
        ("addresses:", "token: {file: t}, oauth: {token_url: 'https://a.example/t', client_id: e, client_secret: {file: s}}, addresses:", "3:7: http: a token is written here, and fetched too"),
    ],
)  # fmt: skip
def test_what_is_wrong_with_a_server_of_http_is_told_at_its_place(part: str, instead: str, said: str) -> None:
    assert part in HTTP
    strict = {"gateway.yaml": BASE["gateway.yaml"].replace("development: true", "development: false")}
    assert found(HTTP) == []
    told = found(HTTP.replace(part, instead), **strict)
    assert any(line.startswith(f"policies/directories/communes.yaml:{said}") for line in told), told


BY_SIRET = "SELECT siret, commune FROM communes WHERE siret = :siret"
POSTGRESQL = COMMUNES.replace(
    "csv: {path: ../communes.csv}",
    f"postgresql: {{host: db.example, database: people, user: ecluse, select: '{BY_SIRET}'}}",
)
SQLITE = COMMUNES.replace("csv: {path: ../communes.csv}", f"sqlite: {{path: x.db, select: '{BY_SIRET}'}}")


@pytest.mark.parametrize(
    ("part", "instead", "said"),
    [
        ("db.example", "'db.example,other'", "3:20: postgresql.host: this is one name or address, or the folder of a socket (db.example.org, or /run/postgresql)"),
        ("db.example", "10.0.0.1/x", "3:20: postgresql.host: this is one name or address"),
        ("user: ecluse", "user: ecluse, password: secret", "3:74: postgresql.password: a secret is not written into this file"),
        ("user: ecluse", "user: ecluse, tls: false", "3:69: postgresql.tls: what is known of people, and our password, would go in the clear (leave tls out)"),
        ("SELECT siret", "DELETE siret", "3:72: postgresql.select: this is no SELECT (SELECT uid, office FROM staff WHERE uid = :uid)"),
        (":siret", ":siret; SELECT 1", "3:72: postgresql.select: the sign ; is none of this SELECT's (values stand as :column, and nothing else)"),
        (":siret", "?", "3:72: postgresql.select: the sign ?"),
        ("siret = :siret", "siret = :uid", "1:1: the SELECT asks by :siret, and by nothing else (each part of the key, by its name)"),
        ("siret = :siret", "siret = :siret AND uid = :uid", "1:1: the SELECT asks by :siret"),
        ("siret = :siret", "siret = 1", "1:1: the SELECT asks by :siret"),
        ("{siret: {from", "{'code siret': {from", "1:1: no placeholder can be called :code siret"),
    ],
)  # fmt: skip
def test_what_is_wrong_with_a_database_is_told_at_its_place(part: str, instead: str, said: str) -> None:
    assert part in POSTGRESQL
    strict = {"gateway.yaml": BASE["gateway.yaml"].replace("development: true", "development: false")}
    assert found(POSTGRESQL) == found(SQLITE) == []
    on_this_machine = found(POSTGRESQL.replace("host: db.example", "host: /run/postgresql, tls: false"), **strict)
    assert not any("communes.yaml" in line for line in on_this_machine)
    told = found(POSTGRESQL.replace(part, instead), **strict)
    assert any(line.startswith(f"policies/directories/communes.yaml:{said}") for line in told), told


def test_a_name_in_double_quotes_that_sqlite_may_read_as_a_text_is_refused() -> None:
    assert found(SQLITE.replace("SELECT siret, commune", "SELECT [siret], commune")) == []
    (told,) = found(SQLITE.replace("SELECT siret, commune", 'SELECT siret, "commune"'))
    assert 'sqlite.select: SQLite reads "name" as a text where there is no such column ([name])' in told
    assert found(POSTGRESQL.replace("SELECT siret, commune", 'SELECT siret, "commune"')) == []


@pytest.mark.parametrize(
    ("text", "extra", "module"), [(LDAP, "ldap", "ldap"), (POSTGRESQL, "postgresql", "psycopg")], ids=["ldap", "sql"]
)
def test_a_server_that_needs_an_extra_says_which(
    text: str, extra: str, module: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert found(text) == []
    monkeypatch.setitem(sys.modules, module, None)
    (said,) = found(text)
    assert f"{extra}: this needs the extra {extra}, which is not installed" in said


def test_a_directory_may_decide_what_a_provider_says_whose_word_its_key_does_not_take() -> None:
    decides = COMMUNES.replace("commune: {}", "commune: {wins: directory}")
    says_so = AUTRE.replace("attributes:\n", "attributes:\n  commune: commune\n")
    assert says_so != AUTRE
    assert found(decides, **{"providers/autre.yaml": says_so}) == []
    (said,) = found(decides.replace("wins: directory", "wins: provider"), **{"providers/autre.yaml": says_so})
    assert "this has no effect" in said


def test_two_directories_give_one_person_one_word() -> None:
    other = COMMUNES.replace("directory: communes", "directory: autres")
    (said,) = found(COMMUNES, **{"directories/x.yaml": other})
    assert said.startswith(
        "policies/directories/x.yaml:5:9: gives.commune: another directory gives commune to people of metropole too"
    )
    apart = {"providers/autre.yaml": AUTRE, "directories/x.yaml": other.replace("[metropole]", "[autre]")}
    assert found(COMMUNES, **apart) == []
    (same, *_) = found(COMMUNES, **{"directories/x.yaml": COMMUNES})
    assert "two files name this directory" in same


def test_an_application_lists_what_it_listens_to() -> None:
    listing = PERMIS.replace("providers: [metropole]", "providers: [metropole]\ndirectories: [communes]")
    told = listing.replace("{from: uid}", "{from: commune}")
    assert found(COMMUNES, **{"apps/permis.yaml": told}) == []
    (said,) = found(COMMUNES, **{"apps/permis.yaml": PERMIS.replace("{from: uid}", "{from: commune}")})
    assert "no provider of this application maps an attribute commune" in said
    (said,) = found(COMMUNES, **{"apps/permis.yaml": listing.replace("[communes]", "[commune]")})
    assert "directories[0]: no file in directories/ has this name (did you mean communes?)" in said
    of_another = COMMUNES.replace("[metropole]", "[autre]")
    (said,) = found(of_another, **{"apps/permis.yaml": listing, "providers/autre.yaml": AUTRE})
    assert "directories[0]: communes takes the word of none of this application's providers" in said


def test_a_team_lists_only_the_directories_of_its_fence() -> None:
    fence = "{hosts: [permis.localhost], providers: [metropole], upstreams: [127.0.0.1], headers: [X-Remote-User]%s}"
    listing = PERMIS.replace("providers: [metropole]", "providers: [metropole]\ndirectories: [communes]")
    files = {"apps/permis.yaml": None, "apps/x/permis.yaml": listing, "directories/communes.yaml": COMMUNES}
    within = f"teams: {{x: {fence % ', directories: [communes]'}}}\n"
    beyond = f"teams: {{x: {fence % ''}}}\n"
    assert problems({**files, "gateway.yaml": BASE["gateway.yaml"] + within}) == []
    (said,) = problems({**files, "gateway.yaml": BASE["gateway.yaml"] + beyond})
    assert "directories[0]: team x may not use the directory communes" in said
