"""What a provider itself may sign, and still must not sign anybody in here."""

from collections.abc import Callable, Mapping
from typing import Any

from lxml import etree

from gateway.model.codes import saml_codes
from tests.saml.forging import (
    Change,
    Forgery,
    add,
    before,
    both,
    put,
    remove,
    saying,
    text,
    twice,
)
from tests.saml.idp import (
    SAMLP,
    Scene,
    assertion,
    at,
    build,
    one,
    written,
)


def _confirmed_by(method: str) -> Change:
    return put("//a:SubjectConfirmation", "Method", f"urn:oasis:names:tc:SAML:2.0:cm:{method}")


def _status(*values: str, message: str = "") -> Change:
    """A refusal by the provider: no assertion, these codes."""

    def change(root: etree._Element, scene: Scene) -> None:
        status = one(root, "//p:Status")
        status.clear()
        parent = status
        for value in values:
            parent = etree.SubElement(parent, f"{{{SAMLP}}}StatusCode", Value=value)
        if message:
            etree.SubElement(status, f"{{{SAMLP}}}StatusMessage").text = message
        found = assertion(root)
        root.remove(found)

    return change


def refusal(*values: str, message: str = "") -> Any:
    def make(scene: Scene) -> bytes:
        root = build(scene)
        _status(*values, message=message)(root, scene)
        return written(root)

    return make


# Beyond the skew of 180 s by more than a busy machine takes to bring a forgery; test_assertion has the very second.
_AHEAD = 240


def _time(**values: float | str) -> Any:
    """Seconds from the scene's moment, or a text as it is."""

    def make(scene: Scene) -> bytes:
        said = {
            name: at(scene.now + value) if isinstance(value, int | float) else value.format(at(scene.now)[:-1])
            for name, value in values.items()
        }
        return saying(**said)(scene)

    return make


def _both_issued(seconds: float) -> Any:
    return _time(issued=seconds, assertion_issued=seconds)


def _scene_value(build_value: Callable[[Scene], Mapping[str, object]]) -> Any:
    return lambda scene: saying(**build_value(scene))(scene)


_STATUS = "urn:oasis:names:tc:SAML:2.0:status:"
_OTHER = "https://other.example/_ecluse/saml/metadata"
_RESTRICTION = f"<a:AudienceRestriction><a:Audience>{_OTHER}</a:Audience></a:AudienceRestriction>"
_NO_REQUEST: Mapping[str, object] = {"in_response_to": None, "confirmed_request": None}

STATEMENTS = (
    Forgery("no Destination", "XS11 (9)", saml_codes.DESTINATION, saying(destination=None)),
    Forgery("an empty Destination", "XS11 (9)", saml_codes.DESTINATION, saying(destination="")),
    Forgery(
        "a Destination that begins like ours",
        "XS11 (10)",
        saml_codes.DESTINATION,
        _scene_value(lambda scene: {"destination": f"{scene.acs}EVIL"}),
    ),
    Forgery(
        "a Destination of another host", "XS11", saml_codes.DESTINATION, saying(destination="https://other.example/acs")
    ),
    Forgery(
        "a Destination in other letters",
        "XS11",
        saml_codes.DESTINATION,
        _scene_value(lambda scene: {"destination": scene.acs.upper()}),
    ),
    Forgery(
        "a Destination by another scheme",
        "XS11",
        saml_codes.DESTINATION,
        _scene_value(lambda scene: {"destination": scene.acs.replace("https", "ftp").replace("http:", "ftp:")}),
    ),
    Forgery(
        "the Response of another provider",
        "XS14",
        saml_codes.ISSUER,
        before(text("/p:Response/a:Issuer", "https://idp.other.example")),
    ),
    Forgery(
        "the assertion of another provider",
        "XS14, K150",
        saml_codes.ISSUER,
        before(text("//a:Assertion/a:Issuer", "https://idp.other.example")),
    ),
    Forgery(
        "an Issuer with a blank in it",
        "XS08",
        saml_codes.ISSUER,
        _scene_value(lambda scene: {"issuer": f"{scene.issuer[:9]} {scene.issuer[9:]}"}),
    ),
    Forgery(
        "an Issuer with a slash more",
        "XS14",
        saml_codes.ISSUER,
        _scene_value(lambda scene: {"issuer": f"{scene.issuer}/"}),
    ),
    Forgery("an empty Issuer", "XS14", saml_codes.ISSUER, saying(issuer="")),
    Forgery("no Issuer in the assertion", "XS14", saml_codes.SHAPE, before(remove("//a:Assertion/a:Issuer"))),
    Forgery(
        "an Issuer that is an address",
        "XS14",
        saml_codes.ISSUER,
        before(put("//a:Assertion/a:Issuer", "Format", "urn:oasis:names:tc:SAML:1.1:nameid-format:emailAddress")),
    ),
    Forgery(
        "the provider refuses",
        "XS11",
        saml_codes.STATUS,
        refusal(f"{_STATUS}Responder", f"{_STATUS}AuthnFailed", message="No\r\nX-Admin: 1"),
    ),
    Forgery(
        "the provider cannot be passive",
        "XS11",
        saml_codes.NO_PASSIVE,
        refusal(f"{_STATUS}Requester", f"{_STATUS}NoPassive"),
    ),
    Forgery(
        "the provider cannot sign in so strongly",
        "XS11",
        saml_codes.NO_AUTHN_CONTEXT,
        refusal(f"{_STATUS}Responder", f"{_STATUS}NoAuthnContext"),
    ),
    Forgery(
        "an assertion beside a refusal",
        "XS11",
        saml_codes.STATUS_UNEXPLAINED,
        before(put("//p:StatusCode", "Value", f"{_STATUS}Responder")),
    ),
    Forgery(
        "success below a refusal",
        "XS11",
        saml_codes.STATUS_UNEXPLAINED,
        before(
            both(
                put("//p:StatusCode", "Value", f"{_STATUS}Responder"),
                add("//p:StatusCode", f'<p:StatusCode Value="{_STATUS}Success"/>'),
            )
        ),
    ),
    Forgery("no Status", "K120", saml_codes.SHAPE, before(remove("//p:Status"))),
    Forgery("success without an assertion", "XS11", saml_codes.SHAPE, refusal(f"{_STATUS}Success")),
    Forgery("an answer that nobody asked for", "XS11", saml_codes.UNSOLICITED, saying(**_NO_REQUEST), asked="nothing"),
    Forgery("an answer to somebody else's request", "XS11", saml_codes.UNSOLICITED, saying(), asked="nothing"),
    Forgery(
        "the same, where answers unasked are let in",
        "XS11",
        saml_codes.UNSOLICITED,
        saying(),
        {"unsolicited": True},
        "nothing",
    ),
    Forgery(
        "the confirmation alone names a request",
        "XS11",
        saml_codes.UNSOLICITED,
        saying(in_response_to=None),
        {"unsolicited": True},
        "nothing",
    ),
    Forgery("no InResponseTo at all", "XS11 (3)", saml_codes.IN_RESPONSE_TO, saying(**_NO_REQUEST)),
    Forgery(
        "no InResponseTo, where answers unasked are let in",
        "XS11 (3)",
        saml_codes.IN_RESPONSE_TO,
        saying(**_NO_REQUEST),
        {"unsolicited": True},
    ),
    Forgery(
        "InResponseTo of another request",
        "XS11 (2)",
        saml_codes.IN_RESPONSE_TO,
        saying(in_response_to="_other", confirmed_request="_other"),
    ),
    Forgery(
        "InResponseTo of another request in the Response",
        "XS11 (2)",
        saml_codes.IN_RESPONSE_TO,
        saying(in_response_to="_other"),
    ),
    Forgery(
        "InResponseTo of another request in the confirmation",
        "XS11 (2)",
        saml_codes.IN_RESPONSE_TO,
        saying(confirmed_request="_other"),
    ),
    Forgery(
        "no InResponseTo in the confirmation", "XS11 (3)", saml_codes.IN_RESPONSE_TO, saying(confirmed_request=None)
    ),
    Forgery("an empty InResponseTo", "XS11 (3)", saml_codes.IN_RESPONSE_TO, saying(in_response_to="")),
    Forgery("made six minutes and more ago", "XS11 (11)", saml_codes.ISSUE_INSTANT, _both_issued(-481)),
    Forgery("the assertion made long ago", "XS11 (11)", saml_codes.ISSUE_INSTANT, _time(assertion_issued=-481)),
    Forgery("made in 2001", "XS11 (11)", saml_codes.ISSUE_INSTANT, saying(issued="2001-01-01T00:00:00Z")),
    Forgery("made in the future", "XS12", saml_codes.ISSUE_INSTANT, _both_issued(_AHEAD)),
    Forgery("made in 9999", "XS12", saml_codes.ISSUE_INSTANT, saying(issued="9999-12-31T23:59:59Z")),
    *(
        Forgery(f"a time {name}", "XS12", saml_codes.TIME, _time(not_on_or_after=value))
        for name, value in (
            ("without Z", "{}"),
            ("of another zone", "{}+00:01"),
            ("14 hours off", "{}+14:00"),
            ("of a leap second", "2027-01-15T08:00:60Z"),
            ("that is a date", "2027-01-15"),
            ("with 24 digits of fraction", "{}." + "1" * 24 + "Z"),
            ("that is a number", "1800000300"),
            ("that is empty", ""),
            ("in other digits", "٢٠٢٧-01-15T08:00:00Z"),
            ("of no day", "2027-02-30T08:00:00Z"),
        )
    ),
    Forgery("the Response made at no time", "XS12", saml_codes.TIME, saying(issued="now")),
    Forgery("no Recipient", "XS11 (6)", saml_codes.RECIPIENT, saying(recipient=None)),
    Forgery("another's Recipient", "XS11 (6)", saml_codes.RECIPIENT, saying(recipient="https://other.example/acs")),
    Forgery(
        "a Recipient that begins like ours",
        "XS11",
        saml_codes.RECIPIENT,
        _scene_value(lambda scene: {"recipient": f"{scene.acs}/x"}),
    ),
    Forgery(
        "our entityID as Recipient",
        "XS11",
        saml_codes.RECIPIENT,
        _scene_value(lambda scene: {"recipient": scene.audience}),
    ),
    Forgery(
        "no NotOnOrAfter in the confirmation", "XS11 (7)", saml_codes.SUBJECT_CONFIRMATION, saying(confirmed_until=None)
    ),
    Forgery(
        "NotBefore in the confirmation",
        "XS11",
        saml_codes.SUBJECT_CONFIRMATION,
        before(put("//a:SubjectConfirmationData", "NotBefore", "2001-01-01T00:00:00Z")),
    ),
    Forgery("the confirmation is over", "XS12", saml_codes.EXPIRED, _time(confirmed_until=-180)),
    Forgery("no SubjectConfirmation", "XS11", saml_codes.SHAPE, before(remove("//a:SubjectConfirmation"))),
    Forgery(
        "no SubjectConfirmationData",
        "XS11",
        saml_codes.SUBJECT_CONFIRMATION,
        before(remove("//a:SubjectConfirmationData")),
    ),
    Forgery("holder of key", "XS11", saml_codes.SUBJECT_CONFIRMATION, before(_confirmed_by("holder-of-key"))),
    Forgery("sender vouches", "XS11", saml_codes.SUBJECT_CONFIRMATION, before(_confirmed_by("sender-vouches"))),
    Forgery(
        "an unknown confirmation",
        "XS11",
        saml_codes.SUBJECT_CONFIRMATION,
        before(put("//a:SubjectConfirmation", "Method", "bearer")),
    ),
    Forgery("no Subject", "XS11", saml_codes.SHAPE, before(remove("//a:Subject"))),
    Forgery("no NameID", "XS11", saml_codes.SUBJECT, before(remove("//a:Subject/a:NameID"))),
    Forgery("no Conditions", "XS11", saml_codes.CONDITIONS, before(remove("//a:Conditions"))),
    Forgery("no NotOnOrAfter in Conditions", "XS11 (8)", saml_codes.CONDITIONS, saying(not_on_or_after=None)),
    Forgery("not yet valid", "XS12", saml_codes.NOT_BEFORE, _time(not_before=_AHEAD)),
    Forgery("no longer valid", "XS12", saml_codes.EXPIRED, _time(not_on_or_after=-180)),
    Forgery("no AudienceRestriction", "XS11 (4)", saml_codes.AUDIENCE, before(remove("//a:AudienceRestriction"))),
    Forgery(
        "another's AudienceRestriction too",
        "XS11 (5)",
        saml_codes.AUDIENCE,
        before(add("//a:Conditions", _RESTRICTION)),
    ),
    Forgery("another's Audience", "XS11", saml_codes.AUDIENCE, saying(audience=_OTHER)),
    Forgery(
        "an Audience that begins like ours",
        "XS11",
        saml_codes.AUDIENCE,
        before(lambda root, scene: setattr(one(root, "//a:Audience"), "text", f"{scene.audience}.evil")),
    ),
    Forgery(
        "an Audience with a blank",
        "XS08",
        saml_codes.AUDIENCE,
        before(lambda root, scene: setattr(one(root, "//a:Audience"), "text", f" {scene.audience}")),
    ),
    Forgery("an empty Audience", "XS11", saml_codes.AUDIENCE, saying(audience="")),
    Forgery("an empty AudienceRestriction", "XS11", saml_codes.SHAPE, before(remove("//a:Audience"))),
    Forgery("an unknown Condition", "XS11", saml_codes.SHAPE, before(add("//a:Conditions", "<a:Condition/>"))),
    Forgery(
        "OneTimeUse twice",
        "XS11 (12)",
        saml_codes.CONDITIONS,
        before(both(add("//a:Conditions", "<a:OneTimeUse/>"), add("//a:Conditions", "<a:OneTimeUse/>"))),
    ),
    Forgery(
        "ProxyRestriction twice",
        "XS11",
        saml_codes.CONDITIONS,
        before(
            both(
                add("//a:Conditions", '<a:ProxyRestriction Count="0"/>'),
                add("//a:Conditions", '<a:ProxyRestriction Count="0"/>'),
            )
        ),
    ),
    Forgery("no AuthnStatement", "XS11", saml_codes.AUTHN_STATEMENT, before(remove("//a:AuthnStatement"))),
    Forgery("two AuthnStatements", "XS11", saml_codes.AUTHN_STATEMENT, before(twice("//a:AuthnStatement"))),
    Forgery("an authentication in the future", "XS12", saml_codes.AUTHN_INSTANT, _time(authn_instant=_AHEAD)),
    Forgery(
        "an old authentication where a new one was asked for",
        "XS12",
        saml_codes.AUTHN_INSTANT,
        _time(authn_instant=-241),
        asked="fresh",
    ),
    Forgery("a session that is over", "XS12", saml_codes.SESSION_EXPIRED, _time(session_end=-180)),
    Forgery("a session that ends at no time", "XS12", saml_codes.TIME, saying(session_end="tomorrow")),
    Forgery("a weaker context than was asked for", "XS12", saml_codes.AUTHN_CONTEXT, saying(), asked="strong"),
    Forgery(
        "no context, where one was asked for",
        "XS12",
        saml_codes.AUTHN_CONTEXT,
        before(remove("//a:AuthnContextClassRef")),
        asked="strong",
    ),
    *(
        Forgery(
            f"{name}, where a minimum was asked for",
            "XS12",
            saml_codes.AUTHN_CONTEXT,
            saying(context=value),
            asked="at least",
        )
        for name, value in (
            ("a lower level", "http://eidas.europa.eu/LoA/low"),
            ("a class of no scale", "urn:oasis:names:tc:SAML:2.0:ac:classes:X509"),
            ("the highest level of another scale", "eidas3"),
        )
    ),
    Forgery("no AuthnContext", "XS11", saml_codes.SHAPE, before(remove("//a:AuthnContext"))),
    *(
        Forgery(f"a name {name}", "XS11 (16)", saml_codes.SUBJECT, saying(name_id=value))
        for name, value in (
            ("of no characters", ""),
            ("with a zero-width character", "ad\u200bmin"),
            ("in full-width letters", "\uff41dmin"),
            ("after a line", " \nadmin"),
            ("read backwards", "\u202enimda"),
            ("with a soft hyphen", "ad\u00admin"),
            ("without end", "x" * 2000),
        )
    ),
    Forgery(
        "a name in another format than was asked for",
        "XS11",
        saml_codes.SUBJECT,
        saying(),
        {"name_id_format": "urn:oasis:names:tc:SAML:2.0:nameid-format:persistent"},
    ),
)
