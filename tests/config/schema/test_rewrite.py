"""`rewrite`, and what `responses` adds: what has no effect, or another one than meant, is told at load."""

import pytest

from tests.config.samples import PERMIS, problems


@pytest.mark.parametrize(
    ("more", "said"),
    [
        ("rewrite: {internal: ['http://intranet']}", "rewrite: nothing is rewritten without headers (write headers: "),
        ("rewrite: {same_site: lax}", "rewrite: nothing is rewritten without headers (write headers: true too)"),
        ("rewrite: {bodies: true}", "rewrite: nothing is rewritten without headers (write headers: true too)"),
        ("rewrite: {headers: true, texts: {ancien: neuf}}", "rewrite: texts are sought in bodies (write bodies: true"),
        ("rewrite: {headers: true, bodies: true, texts: {'   ': neuf}}", "blanks stand everywhere"),
        ("rewrite: {headers: true, bodies: true, texts: {ab: neuf}}", "rewrite.texts"),
        ("rewrite: {headers: true, internal: ['http://intranet/a']}", "rewrite.internal[0]: "),
        (
            "rewrite: {headers: true, internal: ['http://permis.localhost:8080']}",
            "browsers know the application by http://permis.localhost:8080 (leave it out: it is what others become)",
        ),
        (
            "rewrite: {headers: true, internal: ['http://portail.localhost:8080']}",
            "http://portail.localhost:8080 is the portal: links to it would lead to the application (leave it out)",
        ),
        ("responses: {add: {x-frame-options: DENY}}", "can be added here (write X-Frame-Options)"),
        ("responses: {add: {Set-Cookie: a=1}}", "Set-Cookie is not a header that can be added here (these are: "),
        ("responses: {replace: {X-Frame-Options: \"a\\r\\nb: c\"}}", "a control character is not accepted"),
        ("responses: {replace: {X-Frame-Options: ' '}}", "this is one line of ASCII, and not empty"),
        ("responses: {add: {Referrer-Policy: é}}", "this is one line of ASCII, and not empty"),
        ("responses: {add: {X-Frame-Options: DENY}, replace: {X-Frame-Options: DENY}}",
         "X-Frame-Options stands in add and in replace (leave it in one of them)"),
        ("responses: {add: {Strict-Transport-Security: max-age=0}}",
         "this Strict-Transport-Security would have browsers use http again (write end_hsts: true too)"),
    ],
)  # fmt: skip
def test_what_is_refused(more: str, said: str) -> None:
    found = problems({"apps/permis.yaml": f"{PERMIS}{more}\n"})
    assert len(found) == 1
    assert said in found[0]


def test_it_may_end_hsts_where_the_file_says_so_twice() -> None:
    more = "responses: {end_hsts: true, replace: {Strict-Transport-Security: max-age=0}}\n"
    assert problems({"apps/permis.yaml": PERMIS + more}) == []
