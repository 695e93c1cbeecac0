"""Every page of ours as people meet it, by name: what the pictures show and what axe-core reads."""

from dataclasses import replace

from gateway.accounts.request import AccountRequest, NewRequest, RequestRefusal
from gateway.model.account import AccountHolder
from gateway.model.codes.code import Code
from gateway.model.codes.table import all_codes
from gateway.model.kept_post import KeptFile, KeptPost
from gateway.model.ports import Page, Reader
from gateway.model.theme import Accessibility, FooterLinks, ShownText, Theme
from gateway.portal.http.choices import (
    AwayProvider,
    Choice,
    NamedOrganisation,
    OrganisationChoices,
    OrganisationLine,
    ProviderChoices,
    StepUp,
)
from gateway.portal.http.lines import (
    AccountLine,
    AskedAccess,
    HomeLine,
    Offered,
    OfferedApplication,
    OtherAccount,
    SessionLine,
)
from gateway.portal.http.pages import Pages

# Friday 27 November 2026, a little after three in the afternoon in Paris.
NOW = 1_795_788_420
_LOGO = (
    b'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 64 64"><rect width="64" height="64" rx="10" fill="#0b5c6b"/>'
    b'<path d="M12 44V22l20-10 20 10v22z" fill="#fff"/></svg>'
)
THEME = Theme(
    name={"fr": "Portail des collectivités", "en": "Portal of the local authorities"},
    logo=_LOGO,
    help={
        "fr": "Besoin d’aide ? Appelez l’assistance de votre collectivité au 03 20 00 00 00.",
        "en": "Need help? Call your local authority's support: 03 20 00 00 00.",
    },
    links=FooterLinks(
        legal={"": "https://www.exemple.fr/mentions"}, data_protection={"": "https://www.exemple.fr/rgpd"}
    ),
    accessibility=Accessibility("partial", {"": "https://www.exemple.fr/accessibilite"}),
)
_PERMIS = {"fr": "Permis de construire", "en": "Building permits"}
_CHALLENGE = "https://permis.exemple.fr/_ecluse/login?to=/"
_ANOTHER = OtherAccount(f"{_CHALLENGE}&other_account=1", f"{_CHALLENGE}&other_account=organisation")
_AT_HOME = OtherAccount("/?other_account=1", "/?other_account=organisation")
_SHOWN = (
    *("wire.host", "route.reserved", "session.required", "session.none", "session.form_not_sent", "policy.not_allowed"),
    "session.limit",
    *(
        "policy.provider",
        "translation.budget",
        "store.unreachable",
        "upstream.timeout",
        "upstream.connect",
        "gateway.fault",
    ),
    *("login.transaction_gone", "login.loop", "login.other_browser", "login.provider_refused", "login.provider_busy"),
    *("login.provider_interaction", "login.provider_fault", "login.provider_unreachable", "login.too_weak"),
    *("login.not_fresh", "login.outside_perimeter", "login.mapping", "oidc.id_token.expired", "saml.metadata.expired"),
    *(
        "saml.signature",
        "saml.no_authn_context",
        "form_login.account",
        "account.missing",
        "account.ask",
        "session.form_gone",
        "directory.away",
    ),
)


def shown_pages(pages: Pages, language: str) -> dict[str, Page]:
    """`pages`: in the theme above where it is to be seen."""
    reader = Reader(language, _PERMIS, "helene.leboeuf@metropole.example", "address")
    nobody = replace(reader, account="")
    errors = {
        f"error-{name}": pages.render(
            _code(name), kind="html", reader=nobody, reference="0190f2a4c8e37b12", login_url=_CHALLENGE
        )
        for name in _SHOWN
    }
    return {**_sign_in(pages, nobody), **_signed_in(pages, reader), **_signed_out(pages, nobody), **errors}


def _asked(pages: Pages, reader: Reader) -> dict[str, Page]:
    """For an account of an application."""
    who = AccountHolder("permis", "https://idp.example", "uid=hleboeuf")
    waits = AccountRequest("7KQM2F9R", NewRequest(who, "hleboeuf"), NOW - 90_000, NOW + 2_500_000)
    refusal = RequestRefusal(NOW, {"fr": "Adressez-vous à votre mairie.", "en": "Ask at your town hall."})
    ask = (("fr", "Écrivez à permis@exemple.fr."), ("en", "Write to permis@exemple.fr."))
    about = AskedAccess("permis.exemple.fr", "/", "0123", None, False, ask, "", _ANOTHER)
    long = {"refused": _code("account.text"), "reference": "0190f2a4c8e37b12"}
    return {
        "account-ask": pages.account_request(reader, about),
        "account-ask-long": pages.account_request(reader, replace(about, text="un mot " * 80), **long),
        "account-ask-sent": pages.account_request(reader, replace(about, found=waits, sent=True)),
        "account-ask-waits": pages.account_request(reader, replace(about, found=waits)),
        "account-ask-refused": pages.account_request(reader, replace(about, found=replace(waits, refusal=refusal))),
    }


def _away(other_ways: tuple[Choice, ...], chooser: str) -> AwayProvider:
    return AwayProvider("Métropole du Nord", {}, "/_ecluse/login?all_the_same=1", other_ways, chooser)


def _sign_in(pages: Pages, reader: Reader) -> dict[str, Page]:
    return {
        "chooser": pages.chooser(reader, ProviderChoices(_ways())),
        "chooser-near": pages.chooser(
            reader,
            ProviderChoices(_ways()[1:], near=_ways()[:1], discovery="/_ecluse/saml/discover?t=1"),
        ),
        "chooser-again": pages.chooser(reader, ProviderChoices(_ways()[1:], remembered=_ways()[0], kept=("t", "1"))),
        "away": pages.away(reader, _away(_ways()[1:2], "/c"), reference="0190f2a4c8e37b12"),
        "away-alone": pages.away(reader, _away((), ""), reference="0190f2a4c8e37b12"),
        "acting": pages.acting(
            reader, "c" * 43, [NamedOrganisation("21590350100017", "Lille"), NamedOrganisation("19590123400017", "")]
        ),
        **{f"organisations-{name}": pages.organisations(reader, one) for name, one in organisation_choices().items()},
        "step-up": pages.step_up(reader, StepUp(_ways()[0], "eidas2", False, None, "https://permis.exemple.fr/")),
        "step-up-recent": pages.step_up(reader, StepUp(_ways()[0], "", False, 600, "https://permis.exemple.fr/")),
        "onward": pages.onward(reader, "https://idp.example/slo?SAMLRequest=x&Signature=y"),
        "post": pages.post(reader, "https://op/end?a=1", [("state", '<>"')], portal_url="https://p"),
        "waiting": pages.waiting(reader, "https://portal/_ecluse/wait?id=x&shown=1", _ways()[0]),
        "waiting-for-us": pages.waiting(reader, "https://portal/_ecluse/wait?id=x&shown=1", None),
        "frame": pages.render(
            _code("session.required"), kind="frame", reader=reader, reference="0190f2a4c8e37b12", login_url=_CHALLENGE
        ),
        "post-kept": pages.post_kept(reader, until=NOW + 3600, login_url=_CHALLENGE),
    }


def _signed_in(pages: Pages, reader: Reader) -> dict[str, Page]:
    session, at_home = replace(_session(), is_here=True), replace(reader, app={})
    two = [
        replace(_session(), apps=session.apps[1:]),
        replace(session, created_at=NOW - 300, apps=session.apps[:1], level="eidas2"),
    ]
    applications = tuple(
        OfferedApplication(ShownText(label, language), f"https://{number}.exemple.fr/", asks_more)
        for number, (label, language, asks_more) in enumerate(
            [
                ("Avis sur les projets", "", False),
                ("Écoles", "", True),
                ("Permis de construire", "", False),
                ("Treasury", "en", True),
            ]
        )
    )
    links = (AccountLine(ShownText("Permis de construire"), "permis.exemple.fr", "hleboeuf"),)
    refused = {"refused": _code("account.refused"), "reference": "0190f2a4c8e37b12"}
    account = {"host": "permis.exemple.fr", "to": "/", "owner": "0123", "another": _ANOTHER}
    about = {"person": reader.account, "organisation": NamedOrganisation("21590350100017", "Lille")}
    return {
        "home": pages.home(at_home, Offered(applications, "", 1, True), [HomeLine(session, "0" * 32)], _AT_HOME),
        "home-acting": pages.home(
            at_home,
            Offered((), "", 1, False),
            [HomeLine(session, "0" * 32)],
            _AT_HOME,
            NamedOrganisation("19590123400017", ""),
        ),
        "home-empty": pages.home(at_home, Offered((), "", 1, False), [HomeLine(session, "0" * 32)], _AT_HOME),
        "home-not-found": pages.home(at_home, Offered((), "zzz", 1, False), [HomeLine(session, "0" * 32)]),
        "home-stepped-up": pages.home(
            at_home, Offered(applications, "", 1, False), [HomeLine(one, "0" * 32) for one in two]
        ),
        "sessions": pages.sessions(at_home, two, links, "/", 3),
        "account": pages.account(reader, **account),
        "account-known": pages.account(reader, **account, login="hleboeuf", known=True),
        "account-linked": pages.linked(reader, "https://permis.exemple.fr/"),
        **_asked(pages, reader),
        "account-refused": pages.account(reader, **account, **refused),
        "signed-in": pages.signed_in(at_home, "/", again=False),
        "signed-in-again": pages.signed_in(at_home, "/", again=True),
        "send-post": pages.send_post(reader, action="/_ecluse/kept/x", post=_kept(), **about),
        "not-to-send": pages.not_to_send(
            reader, _code("session.form_other_person"), **about, reference="0190f2a4c8e37b12"
        ),
        "refusal": pages.render(
            _code("policy.not_allowed"),
            kind="html",
            reader=reader,
            reference="0190f2a4c8e37b12",
            login_url=_ANOTHER.link,
            has_others=True,
            refusal=(("fr", "Cette page est réservée aux instructeurs du service d’urbanisme."),),
        ),
        "logout": pages.logout(reader),
        "logout-refused": pages.logout(reader, refused=_code("logout.cross_site"), reference="0190f2a4c8e37b12"),
    }


def _signed_out(pages: Pages, reader: Reader) -> dict[str, Page]:
    home = "https://permis.exemple.fr/"
    return {
        "signed-out": pages.signed_out(reader, "ended", home=home),
        "signed-out-everywhere": pages.signed_out(reader, "everywhere", home=home),
        "signed-out-asked": pages.signed_out(reader, "asked", home=home),
        "signed-out-in-part": pages.signed_out(reader, "in_part", home=home),
        "signed-out-perhaps": pages.signed_out(reader, "perhaps", home=home),
        "signed-out-elsewhere": pages.signed_out(reader, "elsewhere", elsewhere="https://portal/_ecluse/logout"),
        "signed-out-nothing": pages.signed_out(reader, "nothing"),
        "signed-out-nobody": pages.signed_out(replace(reader, app={}), "nobody", waits=True),
    }


def organisation_choices() -> dict[str, OrganisationChoices]:
    """Before anything is typed, found, not found, and where nothing can be searched."""
    ways = _ways()
    lines = (
        OrganisationLine("Saint-Denis", "commune", "La Réunion (974)", ways[:1]),
        OrganisationLine("Saint-Denis", "commune", "Seine-Saint-Denis (93)", ways[:1]),
        OrganisationLine("Nord", "departement", "", ways),
        OrganisationLine("Syndicat des eaux", "other", "Somme (80)", ()),
        OrganisationLine("Flandre intérieure", "epci", "Nord (59)", ways[1:2]),
        OrganisationLine("Bretagne", "region", "", ways[1:2]),
    )
    credits = (("INSEE, Licence Ouverte 2.0", "2026-01-01"), ("", ""))
    empty = OrganisationChoices(None, "", ("t", "t1"), (), (), False, False, ways[1:], credits)
    found = replace(empty, remembered=ways[0], search="saint", lines=lines, services=ways[:1], more=True)
    return {
        "empty": empty,
        "found": found,
        "near": replace(empty, near=ways[:1], discovery="/_ecluse/saml/discover?t=1"),
        "not-found": replace(empty, search="zzz", kept=None),
        "away": replace(empty, search="a", away=True),
    }


def _ways() -> tuple[Choice, ...]:
    link = "/_ecluse/login?t=1&provider=a"
    return (
        Choice("Métropole du Nord", {"fr": "Métropole du Nord", "en": "Northern Metropolis"}, link, logo="logo.png"),
        Choice("ProConnect", {}, link),
        Choice("Région", {"fr": "Région", "en": "Region"}, link, is_silent=True, logo="logo.png"),
    )


def _session() -> SessionLine:
    labels = {"fr": "Métropole du Nord", "en": "Northern Metropolis"}
    apps = (ShownText("Actes"), ShownText("Building permits", "en"))
    return SessionLine("Métropole du Nord", labels, apps, NOW - 4000, NOW + 40_000, "Hélène Lebœuf")


def _kept() -> KeptPost:
    file = KeptFile("x", b"s", "k1", b"p", 2_300_000)
    return KeptPost(
        "permis", "permis.exemple.fr", "/dossiers/2026/depot", "text/plain", "b", NOW - 900, NOW + 3600, file
    )


def _code(name: str) -> Code:
    return next(code for code in all_codes() if code.id == name)
