"""Every page but those named here: 95 % of the sentences have fewer than 25 words, none has over 40."""

import re
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
# Made from the texts of gateway/.
GENERATED = ("docs/reference/configuration.md", "docs/reference/codes.md")
# Pages that still have long sentences. A page leaves this list when it is rewritten, and none is added.
LONG = [
    "CONTRIBUTING.md", "docs/architecture.md", "docs/explanation/cost-of-rewriting.md",
    "docs/explanation/decisions.md", "docs/explanation/failures.md", "docs/explanation/more-walks.md",
    "docs/explanation/presets.md", "docs/explanation/processes.md", "docs/explanation/scale.md",
    "docs/explanation/sign-ins.md", "docs/explanation/speed-beside-others.md", "docs/explanation/speed-limits.md",
    "docs/explanation/speed.md", "docs/explanation/standing-readers.md", "docs/explanation/stores.md",
    "docs/explanation/threat-model.md", "docs/explanation/what-is-dropped.md", "docs/fr/adresses-inhabituelles.md",
    "docs/fr/adresses-internes.md", "docs/fr/changer-de-cles.md", "docs/fr/chemins-et-noms-de-fichiers.md",
    "docs/fr/comptes-d-une-application.md", "docs/fr/connaitre-les-personnes-par-un-annuaire.md",
    "docs/fr/connecter-a-aspnet.md", "docs/fr/connecter-a-un-formulaire.md", "docs/fr/conserver-les-formulaires.md",
    "docs/fr/conteneurs.md", "docs/fr/cookies-des-applications.md", "docs/fr/demander-une-connexion-plus-forte.md",
    "docs/fr/ecrire-une-condition.md", "docs/fr/envoyer-un-jeton-signe.md", "docs/fr/essayer-une-regle.md",
    "docs/fr/garder-son-nginx.md", "docs/fr/garder-son-traefik.md", "docs/fr/interroger-une-base-de-donnees.md",
    "docs/fr/laisser-appeler-des-programmes.md", "docs/fr/laisser-demander-un-compte.md",
    "docs/fr/laisser-finir-les-mandats.md", "docs/fr/limiter-les-demandes.md",
    "docs/fr/mettre-fin-aux-acces-depuis-un-annuaire.md", "docs/fr/openid-en-detail.md",
    "docs/fr/personnaliser-les-pages.md", "docs/fr/perte-du-serveur-de-sessions.md",
    "docs/fr/plusieurs-applications-sur-un-hote.md", "docs/fr/plusieurs-machines.md",
    "docs/fr/plusieurs-serveurs.md", "docs/fr/proconnect.md", "docs/fr/quitter-oauth2-proxy.md",
    "docs/fr/redemarrer-sans-coupure.md", "docs/fr/trouver-son-organisation.md",
    "docs/fr/voir-et-terminer-des-sessions.md", "docs/fr/websocket.md",
    "docs/how-to/accept-people-by-proconnect.md", "docs/how-to/accounts-of-an-application.md",
    "docs/how-to/ask-a-database.md", "docs/how-to/ask-for-a-stronger-sign-in.md", "docs/how-to/carry-websockets.md",
    "docs/how-to/change-keys.md", "docs/how-to/end-access-from-a-directory.md", "docs/how-to/keep-cookies-apart.md",
    "docs/how-to/keep-forms-across-a-sign-in.md", "docs/how-to/keep-your-nginx.md",
    "docs/how-to/keep-your-traefik.md", "docs/how-to/know-people-from-directories.md",
    "docs/how-to/let-mandates-end.md", "docs/how-to/let-people-ask-for-their-account.md",
    "docs/how-to/let-people-find-their-organisation.md", "docs/how-to/let-programs-call.md",
    "docs/how-to/limit-requests.md", "docs/how-to/make-the-pages-yours.md", "docs/how-to/move-from-oauth2-proxy.md",
    "docs/how-to/openid-in-detail.md", "docs/how-to/reach-an-application-by-a-socket.md",
    "docs/how-to/restart-without-a-gap.md", "docs/how-to/rewrite-addresses.md",
    "docs/how-to/run-it-in-containers.md", "docs/how-to/run-on-several-machines.md",
    "docs/how-to/see-and-end-sessions.md", "docs/how-to/send-a-signed-token.md",
    "docs/how-to/several-applications-on-one-host.md", "docs/how-to/several-servers.md",
    "docs/how-to/sign-in-to-aspnet.md", "docs/how-to/sign-people-in-at-a-login-form.md",
    "docs/how-to/survive-the-loss-of-a-server.md", "docs/how-to/try-a-policy.md", "docs/how-to/unusual-paths.md",
    "docs/how-to/write-a-condition.md", "docs/reference/teams.md",
]  # fmt: skip
PAGES = sorted(
    {"README.md", "CONTRIBUTING.md", *(str(path.relative_to(ROOT)) for path in ROOT.glob("docs/**/*.md"))}
    - {*GENERATED, *LONG}
)


def sentences(text: str) -> Iterator[str]:
    """A cell, an item and a title end a sentence. Code in a line is one word, a block of code none."""
    text = re.sub(r"^( *)(```|~~~).*?^\1\2|<!--.*?-->", "\n\n", text, flags=re.MULTILINE | re.DOTALL)
    text = re.sub(r"(?:^|(?<=\n\n))(?: {4}.*\n)+", "", text)
    text = re.sub(r"\]\([^)]*\)", "]", re.sub(r"`[^`]*`", "x", text))
    for block in re.split(r"\n\s*\n|\n\s*(?:[-*]|\d+\.|#+) |\|| · |\n(?=\|)", text):
        yield from re.split(r"(?<=[.!?])(?:\s?[*)»”\"])*\s+", block)


def lengths(page: str) -> list[int]:
    """Words of each sentence; fewer than four are no sentence."""
    counted = [len(re.findall(r"\w[\w'’.-]*", one)) for one in sentences((ROOT / page).read_text())]
    return [words for words in counted if words >= 4]


def are_short(found: list[int]) -> bool:
    return max(found) <= 40 and sum(words >= 25 for words in found) <= 0.05 * len(found)


@pytest.mark.parametrize("page", PAGES)
def test_sentences_are_short(page: str) -> None:
    assert are_short(lengths(page)), sorted(lengths(page))[-5:]


def test_the_pages_left_out_still_have_long_sentences() -> None:
    assert not [page for page in LONG if are_short(lengths(page))]


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("x " * 41 + "\n- x. x\n\n`a b`", ["x " * 41, "x.", "x", "x"]),
        ("a b\n\n```yaml\nc: d\n```\n\ne f", ["a b", "e f"]),
        ("1. a b\n\n   ```yaml\n   c: d\n\n   e: f\n   ```\n\n2. g", ["1.", "a b", "2.", "g"]),
        ("a b:\n\n    make c   # d e f\n    make g\n\nh", ["a b:", "h"]),
        ("<!-- make nodes -->\na b", ["a b"]),
        ("**A b.** C d. (E f.) « G h. » I", ["**A b.", "C d.", "(E f.", "« G h.", "I"]),
        ("[a b](c.md) · [d](e.md)", ["[a b]", "[d]"]),
        ("| a | b. c |\n|---|---|\n| `d e` | f |", ["a", "b.", "c", "x", "f"]),
    ],
)
def test_sentences_are_told_apart(text: str, found: list[str]) -> None:
    assert [one.strip() for one in sentences(text) if re.search(r"\w", one)] == [one.strip() for one in found]
