"""The form in a page of an application.

The page is read by libxml2's HTML parser through lxml, which the gateway has for SAML: in C, so that a page of half a
megabyte takes milliseconds, with a bound on depth, and without a network. Python's own html.parser is as careful, but
took quadratic time for some pages until lately, and would hold the interpreter for a hundred times as long.
"""

import re
from dataclasses import dataclass
from hashlib import sha256
from typing import Any, Final

from lxml import etree

from gateway.formlogin.spec import Charset, FormStep
from gateway.model.codes import form_login_codes
from gateway.model.errors import GatewayError
from gateway.model.quoting import quoted

# Bytes of a page.
LARGEST_PAGE: Final = 512 * 1024
_MOST_FORMS: Final = 100
_MOST_FIELDS: Final = 2000
_URLENCODED: Final = ("", "application/x-www-form-urlencoded")
# As libxml2 names them.
_NAMES: Final[dict[Charset, str]] = {"utf-8": "utf-8", "cp1252": "windows-1252"}
UNREADABLE: Final = (
    "the page cannot be read to its end (nested more than 250 times, in UTF-16, or with a script, a comment or a text "
    "field that does not end)"
)
# libxml2 stops reading at `</html>`, and browsers do not. Pages assembled from several pages have one in the middle.
# Browsers ignore an end tag without a start tag.
_END_OF_PAGE: Final = re.compile(rb"</html(?=[\s/>])", re.IGNORECASE)
_CONTROLS: Final = frozenset({"input", "select", "textarea", "button"})


@dataclass(frozen=True, slots=True)
class FoundForm:
    """`action`: as in the page. `fields`: name to value; None: the name has two values."""

    action: str
    fields: dict[str, str | None]


@dataclass(frozen=True, slots=True)
class FoundPage:
    """`base`: the base address in the page; None without a base address."""

    base: str | None
    form: FoundForm


def find_form(body: bytes, step: FormStep, charset: Charset) -> FoundPage:
    """The form of the step. Raises GatewayError(form_login_codes.FORM), which names the missing part."""
    page = _parsed(body, charset)
    bases = [base.get("href") for base in page.iter("base") if base.get("href") is not None]
    forms = list(page.iter("form"))[:_MOST_FORMS]
    if step.form:
        forms = [form for form in forms if step.form in (form.get("id"), form.get("name"))]
        if not forms:
            raise _changed(f"no form has the id or name {step.form}")
    if not forms:
        raise _changed("there is no form" if is_readable(body, charset) else f"there is no form: {UNREADABLE}")
    read = [(form, _fields(page, form)) for form in forms]
    wanted = [field.name for field in step.fields if field.holds != "text"]
    whole = [(form, fields) for form, fields in read if all(name in fields for name in wanted)]
    if not whole:
        _, nearest = max(read, key=lambda one: sum(name in one[1] for name in wanted))
        missing = ", ".join(name for name in wanted if name not in nearest)
        raise _changed(f"a form without the field {missing}")
    if len(whole) > 1:
        raise _changed(f"{len(whole)} forms have these fields: the file has to say which (form)")
    form, fields = whole[0]
    if (form.get("method") or "get").strip().lower() != "post":
        raise _changed("the form is not sent by POST: the secret would stand in an address")
    if (form.get("enctype") or "").strip().lower() not in _URLENCODED:
        raise _changed(f"the form is sent as {quoted(form.get('enctype'))}")
    return FoundPage(bases[0] if bases else None, FoundForm(form.get("action") or "", fields))


def holds_field(body: bytes, name: str, charset: Charset) -> bool:
    """Whether a form of the page has the field. A body that is not a page has no form."""
    try:
        page = _parsed(body, charset)
    except GatewayError:
        return False
    return any(control.get("name") == name for control in page.iter(*_CONTROLS))


def is_readable(body: bytes, charset: Charset) -> bool:
    """Whether the body is a page that the parser can read to its end.

    A browser may show a form in a page nested more deeply than the parser reads, or in UTF-16. Content after the
    beginning of an unclosed script, comment or text field is not part of the page.
    """
    # A name that the page cannot contain: a page cannot contain its own digest.
    last = sha256(body).hexdigest()
    try:
        _parsed(body, charset)
        page = _parsed(body + f'<input name="{last}">'.encode(), charset)
    except GatewayError:
        return False
    return b"\0" not in body and any(control.get("name") == last for control in page.iter("input"))


def _parsed(body: bytes, charset: Charset) -> Any:
    if len(body) > LARGEST_PAGE:
        raise _changed(f"the page has more than {LARGEST_PAGE} bytes")
    parser = etree.HTMLParser(
        encoding=_NAMES[charset], no_network=True, remove_comments=True, remove_pis=True, huge_tree=False
    )
    try:
        page = etree.fromstring(_END_OF_PAGE.sub(b"</ecluse", body), parser)
    except (etree.XMLSyntaxError, ValueError, AssertionError):
        page = None
    if page is None:
        raise _changed("the answer is no page")
    return page


def _fields(page: Any, form: Any) -> dict[str, str | None]:
    """The form's controls, including controls elsewhere in the page that name the form."""
    id = form.get("id")
    found: dict[str, str | None] = {}
    inside = [one for one in form.iter(*_CONTROLS) if one.get("form") in (None, id)]
    known = set(inside)
    named = [one for one in page.iter(*_CONTROLS) if id and one.get("form") == id and one not in known]
    for control in (*inside, *named)[:_MOST_FIELDS]:
        name = control.get("name")
        if not name:
            continue
        value = (control.get("value") or "").replace("</ecluse", "</html")
        found[name] = value if found.get(name, value) == value else None
    return found


def _changed(why: str) -> GatewayError:
    return GatewayError(form_login_codes.FORM, why)
