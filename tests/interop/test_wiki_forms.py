"""DokuWiki and MediaWiki, signed in to at their own login forms, and each sign-in checked by a page for signed-in
people alone. Both have one address for everything: nothing but a query tells their pages apart."""

import hashlib
from collections.abc import Iterator
from dataclasses import dataclass, field

import pytest

from deploy.demo.ports import free
from tests.interop.fpm import DOKUWIKI_HOST, MEDIAWIKI_HOST, NAME, SECRET, dokuwiki, mediawiki, php_fpm
from tests.interop.test_form_login import PAGE, signing_in
from tests.interop.test_wikis import APP
from tests.proxy.gateways import Gateway, ask

pytestmark = pytest.mark.service


@dataclass(frozen=True, slots=True)
class Wiki:
    """`signs_in`: how, as its file says; `page`: one that everybody may see, `shown`: what it has for `login` alone,
    and `unseen`: for strangers alone."""

    port: int
    host: str
    login: str
    page: str
    shown: str
    unseen: str
    signs_in: str = field(repr=False)

    def file(self, check: str) -> str:
        form = f"form_login:\n  trusted: {{from: uid, secret: {{file: grr}}}}\n{self.signs_in}  check: {check}\n"
        return APP.format(port=self.port, host=f", host: {self.host}", translate="{headers: {}}", more=form)


OF_DOKUWIKI = """\
  steps:
    - page: /doku.php?id=start&do=login
      form: dw__login
      fields: {u: login, p: secret, sectok: page, id: page, do: page}
  signed_in: [{status: 302}]
  expired: [{marker: dw__login}]
  by_hand: pass
"""
OF_MEDIAWIKI = """\
  steps:
    - page: /index.php?title=Sp%C3%A9cial:Connexion
      form: userlogin
      fields: {wpName: login, wpPassword: secret, wpLoginToken: page, title: page, authAction: page, force: page}
  signed_in: [{status: 302}]
  expired: [{marker: 'id="pt-login'}]
  by_hand: pass
  cookies: [wiki_session, wikiUserID, wikiUserName]
"""
PROFILE, PREFERENCES = "/doku.php?id=start&do=profile", "/index.php?title=Sp%C3%A9cial:Pr%C3%A9f%C3%A9rences"


@pytest.fixture(scope="module")
def wikis(tmp_path_factory: pytest.TempPathFactory) -> Iterator[dict[str, Wiki]]:
    folder, (first, second) = tmp_path_factory.mktemp("wikis"), free(2)
    named = hashlib.md5(f"/{first}".encode()).hexdigest()
    of_dokuwiki = f"{OF_DOKUWIKI}  cookies: [DokuWiki, DW{named}]\n"
    with php_fpm(folder, [dokuwiki(folder / "dokuwiki", first), mediawiki(folder / "mediawiki", second)]):
        yield {
            "dokuwiki": Wiki(first, DOKUWIKI_HOST, "helene", "/doku.php?id=start", NAME, "dw__login", of_dokuwiki),
            "mediawiki": Wiki(
                second, MEDIAWIKI_HOST, "Admin", "/index.php?title=Accueil", "pt-preferences", "pt-login", OF_MEDIAWIKI
            ),
        }


async def opened(gate: Gateway, wiki: Wiki) -> tuple[int, str]:
    page = await gate.once(ask(b"GET " + wiki.page.encode(), PAGE, gate.sign_in(uid=wiki.login)))
    return page.status, page.body.decode()


CHECKS = [("dokuwiki", PROFILE), ("mediawiki", PREFERENCES)]


@pytest.mark.parametrize(("name", "check"), CHECKS)
async def test_a_sign_in_is_checked_by_the_page_of_an_account(wikis: dict[str, Wiki], name: str, check: str) -> None:
    wiki = wikis[name]
    async with signing_in(secret=SECRET, changes={"apps/permis.yaml": wiki.file(check)}) as gate:
        status, body = await opened(gate, wiki)
        assert (status, wiki.shown in body, wiki.unseen in body) == (200, True, False)


@pytest.mark.parametrize(("name", "check"), CHECKS)
async def test_a_refusal_that_passes_for_a_success_is_seen_there(wikis: dict[str, Wiki], name: str, check: str) -> None:
    wiki = wikis[name]
    misfit = wiki.file(check).replace("signed_in: [{status: 302}]", "signed_in: [{status: 302}, {marker: '<html'}]")
    async with signing_in(secret="another one", changes={"apps/permis.yaml": misfit}) as gate:
        said = []
        for number in range(5):
            cookie = gate.sign_in(b"%04dabcdefghijklmnopqr.%043d" % (number, number), uid=wiki.login)
            page = await gate.once(ask(b"GET " + wiki.page.encode(), b"Sec-Fetch-Dest: empty", cookie))
            said.append(page.body.split()[0])
        assert said == [b"form_login.loop"] * 3 + [b"form_login.tries"] * 2
