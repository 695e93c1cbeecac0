"""One plain page, for the programs of the demo that are written in Python."""

from collections.abc import Iterable, Mapping
from html import escape

from deploy.demo.accounts import Account

_PAGE = """<!doctype html>
<html lang="{language}"><head><meta charset="utf-8"><meta name="viewport" content="width=device-width">
<meta name="color-scheme" content="light dark"><title>{title}</title>
<style>
:root{{--ink:#1d2733;--soft:#55616f;--line:#ccd3db;--paper:#fff;--back:#f4f6f8;--tint:#0b5c6b;--on:#fff}}
@media (prefers-color-scheme:dark){{
:root{{--ink:#e6ebf0;--soft:#a5b1be;--line:#3b4754;--paper:#1a222b;--back:#11171d;--tint:#84d3de;--on:#06262c}}}}
*{{box-sizing:border-box}}
body{{font:1rem/1.55 system-ui,sans-serif;color:var(--ink);background:var(--back);margin:0}}
header,main{{max-width:56rem;margin:0 auto;padding:1rem 1.25rem}}
main{{background:var(--paper);border:1px solid var(--line);border-radius:.75rem;
padding:1.5rem 1.5rem 2rem;margin-bottom:3rem}}
@media (max-width:56rem){{main{{border-radius:0;border-width:1px 0}}}}
h1{{font-size:1.7rem;line-height:1.2;margin:0 0 1rem}} h2{{font-size:1.2rem;margin:2rem 0 .5rem}}
a{{color:var(--tint)}} .soft,small{{color:var(--soft)}} nav ul{{padding:0;margin:0}}
nav li{{display:inline-block;margin:0 1.25rem .25rem 0}}
ol.steps{{padding-left:1.5rem}} ol.steps>li{{margin:0 0 1.25rem}}
button{{font:inherit;color:var(--on);background:var(--tint);border:1px solid var(--tint);border-radius:.4rem;
padding:.5rem 1rem;margin:.2rem 0;cursor:pointer}} .quiet{{color:var(--tint);background:none}}
input{{font:inherit;color:inherit;background:none;border:1px solid var(--soft);border-radius:.4rem;
padding:.45rem .6rem}}
ul.people{{list-style:none;padding:0;margin:1rem 0}}
ul.people button{{display:block;width:100%;text-align:left;color:var(--ink);background:none;border-color:var(--line)}}
ul.people button:hover{{border-color:var(--tint)}} ul.people span{{display:block;color:var(--soft)}}
.wide{{overflow-x:auto}}
pre{{background:var(--back);border:1px solid var(--line);border-radius:.4rem;padding:.75rem;overflow-x:auto}}
code{{overflow-wrap:anywhere}} pre code{{overflow-wrap:normal}}
table{{border-collapse:collapse;margin:1rem 0}} caption{{text-align:left;font-weight:bold;padding-bottom:.3rem}}
th,td{{border:1px solid var(--line);padding:.3rem .6rem;text-align:left;vertical-align:top}}
table.people{{min-width:36rem}} table.received td{{overflow-wrap:anywhere}}
body>main:first-child{{margin-top:1.5rem}} summary{{cursor:pointer;margin:1rem 0}}
.note{{border-left:4px solid var(--tint);padding:.1rem 0 .1rem 1rem}}
</style></head>
<body>{header}<main><h1>{title}</h1>
{body}
</main></body></html>
"""


def page(title: str, body: str, header: str = "", *, language: str = "fr") -> str:
    """`title` is text; `body` and `header` are HTML."""
    return _PAGE.format(title=escape(title), body=body, header=header, language=language)


def choice(people: Iterable[Account]) -> str:
    """What stands in a provider's form: whom to be, by one button each."""
    buttons = "".join(
        f'<li><button name="account" value="{escape(account.login)}">'
        f"<strong>{escape(str(account.claims['name']))}</strong>"
        f"<span>{escape(account.note)}</span></button></li>"
        for account in people
    )
    opening = "<p>Comptes de démonstration, sans mot de passe : choisissez qui vous êtes.</p>"
    return f'{opening}<ul class="people">{buttons}</ul>'


def table(caption: str, values: Mapping[str, str]) -> str:
    """What a WSGI application received, each value with its bytes: it has every header as ISO-8859-1 (PEP 3333)."""
    rows = "".join(
        f'<tr><th scope="row">{escape(name)}</th><td>{escape(readable(value))}</td>'
        f"<td>{value.encode('latin-1').hex()}</td></tr>\n"
        for name, value in sorted(values.items())
    )
    head = '<thead><tr><th scope="col">Nom</th><th scope="col">Valeur</th><th scope="col">Octets</th></tr></thead>'
    return (
        f'<div class="wide"><table class="received"><caption>{caption}</caption>{head}'
        f"<tbody>\n{rows}</tbody></table></div>"
    )


def readable(value: str) -> str:
    """UTF-8 where the bytes are."""
    try:
        return value.encode("latin-1").decode()
    except UnicodeDecodeError:
        return value
