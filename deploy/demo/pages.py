"""One plain page, for the programs of the demo that are written in Python."""

from html import escape

_PAGE = """<!doctype html>
<html lang="fr"><head><meta charset="utf-8"><meta name="viewport" content="width=device-width">
<title>{title}</title>
<style>
body{{font:1rem/1.5 sans-serif;max-width:60rem;margin:2rem auto;padding:0 1rem}}
button{{font:inherit;padding:.5rem 1rem;margin:.2rem 0}} nav li{{display:inline;margin-right:1rem}}
table{{border-collapse:collapse;margin:1rem 0}} caption{{text-align:left;font-weight:bold}}
th,td{{border:1px solid #767676;padding:.2rem .5rem;text-align:left}} td{{overflow-wrap:anywhere}}
</style></head>
<body>{header}<main><h1>{title}</h1>
{body}
</main></body></html>
"""


def page(title: str, body: str, header: str = "") -> str:
    """`title` is text; `body` and `header` are HTML."""
    return _PAGE.format(title=escape(title), body=body, header=header)
