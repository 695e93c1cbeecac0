"""The people of the demo, by provider. `intrus` is signed correctly and claims what the provider may not assert."""

from collections.abc import Mapping
from dataclasses import dataclass

METROPOLE_SIRET = "21590350100017"
DEPARTEMENT_SIRET = "22590001800014"
REGION_SIRET = "20005374200009"


@dataclass(frozen=True, slots=True)
class Account:
    """`login` is the subject too; `note` is shown beside it: what to try with this account."""

    login: str
    note: str
    claims: Mapping[str, object]


def _person(
    login: str,
    note: str,
    given: str,
    family: str,
    domain: str,
    siret: str,
    groups: list[str],
    uai: list[str],
) -> Account:
    claims = {
        "preferred_username": login,
        "given_name": given,
        "family_name": family,
        "name": f"{given} {family}",
        "email": f"{login}@{domain}",
        "email_verified": True,
        "siret": siret,
        "groups": groups,
        "uai": uai,
    }
    return Account(login, note, {name: value for name, value in claims.items() if value != []})


METROPOLE = (
    _person(
        "helene", "agente, administratrice", "Hélène", "Lebœuf-Müller", "metropole.example", METROPOLE_SIRET,
        ["ONDE", "administrateurs"], ["0590001A", "0590002B"],
    ),
    _person(
        "paul", "agent, sans droit d’administration", "Paul", "Ducrocq", "metropole.example", METROPOLE_SIRET,
        ["ONDE"], ["0590001A"],
    ),
    _person(
        "intrus", "prétend parler pour une autre organisation : refusé", "Igor", "Intrus", "prefecture.example",
        METROPOLE_SIRET, ["ONDE", "administrateurs", "prefecture"], [],
    ),
)  # fmt: skip
DEPARTEMENT = (
    _person(
        "maire", "élue du département du Nord", "Françoise", "Vandenbroucke", "departement.example", DEPARTEMENT_SIRET,
        ["elus"], [],
    ),
)  # fmt: skip

REGION = (
    _person(
        "camille", "agent de la région, connexion SAML", "Camille", "Noël", "region.example", REGION_SIRET,
        ["instructeurs"], [],
    ),
)  # fmt: skip


def _of_commune(login: str, note: str, name: str, siret: str, groups: list[str]) -> Account:
    given, _, family = name.partition(" ")
    return _person(login, note, given, family, "syndicat.example", siret, groups, [])


# Two communes that share one sign-in service, by SAML.
COMMUNES = (
    _of_commune("rose", "Roubaix, état civil", "Rose Delattre", "21590512600011", ["agents", "etat-civil"]),
    _of_commune("iris", "adjointe à Armentières", "Iris Carlier", "21590017600011", []),
)


def _of_proconnect(login: str, note: str, name: str, domain: str, siret: str) -> Account:
    """ProConnect's own claims: it knows no groups, and calls the family name usual_name."""
    given, _, family = name.partition(" ")
    claims = {
        "uid": login,
        "given_name": given,
        "usual_name": family,
        "name": name,
        "email": f"{login}@{domain}",
        "siret": siret,
    }
    return Account(login, note, claims)


_LESQUIN = "lesquin.example", "21590343600016"

# A commune, a community of communes, a syndicate and a second département.
PROCONNECT = (
    _of_proconnect("marc", "maire de Lesquin", "Marc Wibaux", *_LESQUIN),
    _of_proconnect("gilles", "maire de Lesquin jusqu’en 2020", "Gilles Masquelier", *_LESQUIN),
    _of_proconnect("parti", "a quitté Lesquin, où il était adjoint : ses accès sont fermés", "Luc Parti", *_LESQUIN),
    _of_proconnect("vera", "agente de Pévèle Carembault", "Véra Masson", "pevele.example", "20004196000010"),
    _of_proconnect("theo", "agent du syndicat des eaux", "Théo Lepers", "eaux.example", "25590012800018"),
    _of_proconnect("wael", "agent du Pas-de-Calais", "Waël Haddad", "pasdecalais.example", "22620001200012"),
)

SAML_ACCOUNTS: Mapping[str, tuple[Account, ...]] = {"region": REGION, "syndicat": COMMUNES}
ACCOUNTS: Mapping[str, tuple[Account, ...]] = {
    "metropole": METROPOLE,
    "departement": DEPARTEMENT,
    "proconnect": PROCONNECT,
}


def provider_of(login: str) -> str:
    everybody = {**ACCOUNTS, **SAML_ACCOUNTS}
    (provider,) = (name for name, people in everybody.items() if login in {account.login for account in people})
    return provider
