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
        "helene", "agent, administratrice", "Hélène", "Lebœuf-Müller", "metropole.example", METROPOLE_SIRET,
        ["ONDE", "administrateurs"], ["0590001A", "0590002B"],
    ),
    _person(
        "paul", "agent, sans droit d'administration", "Paul", "Ducrocq", "metropole.example", METROPOLE_SIRET,
        ["ONDE"], ["0590001A"],
    ),
    _person(
        "intrus", "prétend parler pour une autre organisation : refusé", "Igor", "Intrus", "prefecture.example",
        METROPOLE_SIRET, ["ONDE", "administrateurs", "prefecture"], [],
    ),
)  # fmt: skip
DEPARTEMENT = (
    _person(
        "maire", "élue du département", "Françoise", "Vandenbroucke", "departement.example", DEPARTEMENT_SIRET,
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


# Six communes that share one sign-in service.
COMMUNES = (
    _of_commune("rose", "Roubaix, état civil", "Rose Delattre", "21590512600011", ["agents", "etat-civil"]),
    _of_commune("marc", "maire de Lesquin", "Marc Wibaux", "21590343600016", []),
    _of_commune("iris", "adjointe à Armentières", "Iris Carlier", "21590017600011", []),
    _of_commune("vera", "agente de Villeneuve-d'Ascq", "Véra Masson", "21590009300018", ["agents"]),
    _of_commune("theo", "agent de Tourcoing", "Théo Lepers", "21590599300014", ["agents"]),
    _of_commune("wael", "Wambrechies, état civil", "Waël Haddad", "21590636300019", ["etat-civil"]),
    _of_commune("gilles", "maire de Wambrechies jusqu'en 2020", "Gilles Masquelier", "21590636300019", []),
    _of_commune(
        "parti", "a quitté Lesquin, où il était adjoint : ses accès sont fermés", "Luc Parti", "21590343600016", [],
    ),
)  # fmt: skip

SAML_ACCOUNTS: Mapping[str, tuple[Account, ...]] = {"region": REGION}
ACCOUNTS: Mapping[str, tuple[Account, ...]] = {
    "metropole": METROPOLE,
    "departement": DEPARTEMENT,
    "syndicat": COMMUNES,
}
