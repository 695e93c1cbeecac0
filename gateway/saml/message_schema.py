"""The schema of messages: our own table, narrower than the schemas of the specifications.

The table allows the content that we read, and content that real providers are known to add. Forgeries hide in content
that is allowed and never read.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from lxml import etree

from gateway.model.codes import saml_codes
from gateway.model.errors import GatewayError
from gateway.saml.document import check_ids
from gateway.saml.names import DS, DSIG11, EXC_C14N, SAML, SAMLP, XENC, XENC11, ds, saml, samlp, xenc

MANY = 10_000
_MOST_IN_KEY_INFO = 64
_TEXT_BETWEEN = "holds text between its elements"


@dataclass(frozen=True, slots=True)
class Slot:
    """One position in the children of an element: `least` to `most` elements out of `tags`, in any order."""

    tags: tuple[str, ...]
    least: int
    most: int


@dataclass(frozen=True, slots=True)
class ElementSchema:
    """The allowed content of an element.

    `required`, `optional`: names of attributes.
    `text`: the content is text, without elements.
    `foreign`: attributes of other namespaces are allowed.
    `within`: instead of slots, elements of these namespaces are allowed; "*" allows every namespace except SAML and XML
    security.
    `known`: the names of attributes without a namespace.
    `needs`: an empty element is refused.
    """

    required: tuple[str, ...] = ()
    optional: tuple[str, ...] = ()
    slots: tuple[Slot, ...] = ()
    text: bool = False
    foreign: bool = False
    within: tuple[str, ...] = ()
    known: frozenset[str] = field(init=False)
    needs: bool = field(init=False)

    def __post_init__(self) -> None:
        object.__setattr__(self, "known", frozenset((*self.required, *self.optional)))
        object.__setattr__(self, "needs", any(slot.least for slot in self.slots))


def _one(*tags: str) -> Slot:
    return Slot(tags, 1, 1)


def _maybe(*tags: str) -> Slot:
    return Slot(tags, 0, 1)


def _any(*tags: str) -> Slot:
    return Slot(tags, 0, MANY)


def _some(*tags: str) -> Slot:
    return Slot(tags, 1, MANY)


_TEXT = ElementSchema(text=True)
_EMPTY = ElementSchema()
_MESSAGE = ("ID", "Version", "IssueInstant")
_IDENTIFIER = ("NameQualifier", "SPNameQualifier", "Format", "SPProvidedID")
_OPENING = (_maybe(saml("Issuer")), _maybe(ds("Signature")), _maybe(samlp("Extensions")))
_STATUS = _one(samlp("Status"))
_ENCRYPTED = ElementSchema(slots=(_one(xenc("EncryptedData")), Slot((xenc("EncryptedKey"),), 0, 4)))
_ENCRYPTED_TYPE = ("Id", "Type", "MimeType", "Encoding")
_ALGORITHM = ElementSchema(required=("Algorithm",))
_C14N = ElementSchema(required=("Algorithm",), slots=(_maybe(f"{{{EXC_C14N}}}InclusiveNamespaces"),))

SCHEMA: Mapping[str, ElementSchema] = {
    # Core 3.3.3, 3.5.2, 3.7: the messages that are sent to us
    samlp("Response"): ElementSchema(
        required=_MESSAGE,
        optional=("InResponseTo", "Destination", "Consent"),
        slots=(*_OPENING, _STATUS, _maybe(saml("Assertion"), saml("EncryptedAssertion"))),
    ),
    samlp("ArtifactResponse"): ElementSchema(
        required=_MESSAGE,
        optional=("InResponseTo", "Destination", "Consent"),
        slots=(*_OPENING, _STATUS, _maybe(samlp("Response"))),
    ),
    samlp("LogoutRequest"): ElementSchema(
        required=_MESSAGE,
        optional=("Destination", "Consent", "Reason", "NotOnOrAfter"),
        slots=(*_OPENING, _one(saml("NameID"), saml("EncryptedID")), Slot((samlp("SessionIndex"),), 0, 64)),
    ),
    samlp("LogoutResponse"): ElementSchema(
        required=_MESSAGE, optional=("InResponseTo", "Destination", "Consent"), slots=(*_OPENING, _STATUS)
    ),
    samlp("SessionIndex"): _TEXT,
    samlp("Extensions"): ElementSchema(within=("*",)),
    # Core 3.2.2
    samlp("Status"): ElementSchema(
        slots=(_one(samlp("StatusCode")), _maybe(samlp("StatusMessage")), _maybe(samlp("StatusDetail")))
    ),
    samlp("StatusCode"): ElementSchema(required=("Value",), slots=(_maybe(samlp("StatusCode")),)),
    samlp("StatusMessage"): _TEXT,
    samlp("StatusDetail"): ElementSchema(within=("*",)),
    # Core 2.3.3, without Advice, which may carry whole assertions, and without AuthzDecisionStatement
    saml("Assertion"): ElementSchema(
        required=_MESSAGE,
        slots=(
            _one(saml("Issuer")),
            _maybe(ds("Signature")),
            _one(saml("Subject")),
            _maybe(saml("Conditions")),
            Slot((saml("AuthnStatement"), saml("AttributeStatement")), 0, 16),
        ),
    ),
    saml("Issuer"): ElementSchema(optional=_IDENTIFIER, text=True),
    saml("NameID"): ElementSchema(optional=_IDENTIFIER, text=True),
    # Core 2.4: the NameID may be missing (AD FS sends none unless it is configured to), the confirmation may not.
    saml("Subject"): ElementSchema(
        slots=(_maybe(saml("NameID"), saml("EncryptedID")), Slot((saml("SubjectConfirmation"),), 1, 8))
    ),
    saml("SubjectConfirmation"): ElementSchema(
        required=("Method",),
        slots=(_maybe(saml("NameID"), saml("EncryptedID")), _maybe(saml("SubjectConfirmationData"))),
    ),
    saml("SubjectConfirmationData"): ElementSchema(
        optional=("NotBefore", "NotOnOrAfter", "Recipient", "InResponseTo", "Address"), foreign=True
    ),
    # Core 2.5. A Condition of an unknown type makes the assertion's validity indeterminate (2.5.1.1)
    saml("Conditions"): ElementSchema(
        optional=("NotBefore", "NotOnOrAfter"),
        slots=(Slot((saml("AudienceRestriction"), saml("OneTimeUse"), saml("ProxyRestriction")), 0, 16),),
    ),
    saml("AudienceRestriction"): ElementSchema(slots=(_some(saml("Audience")),)),
    saml("Audience"): _TEXT,
    saml("OneTimeUse"): _EMPTY,
    saml("ProxyRestriction"): ElementSchema(optional=("Count",), slots=(_any(saml("Audience")),)),
    # Core 2.7
    saml("AuthnStatement"): ElementSchema(
        required=("AuthnInstant",),
        optional=("SessionIndex", "SessionNotOnOrAfter"),
        slots=(_maybe(saml("SubjectLocality")), _one(saml("AuthnContext"))),
    ),
    saml("SubjectLocality"): ElementSchema(optional=("Address", "DNSName")),
    saml("AuthnContext"): ElementSchema(
        slots=(
            _maybe(saml("AuthnContextClassRef")),
            _maybe(saml("AuthnContextDeclRef")),
            Slot((saml("AuthenticatingAuthority"),), 0, 16),
        )
    ),
    saml("AuthnContextClassRef"): _TEXT,
    saml("AuthnContextDeclRef"): _TEXT,
    saml("AuthenticatingAuthority"): _TEXT,
    # The schema of SAML asks for one Attribute at least. A provider that releases none to us sends the statement empty.
    saml("AttributeStatement"): ElementSchema(slots=(_any(saml("Attribute"), saml("EncryptedAttribute")),)),
    saml("Attribute"): ElementSchema(
        required=("Name",),
        optional=("NameFormat", "FriendlyName"),
        slots=(_any(saml("AttributeValue")),),
        foreign=True,
    ),
    saml("AttributeValue"): ElementSchema(within=("*",), foreign=True),
    saml("EncryptedAssertion"): _ENCRYPTED,
    saml("EncryptedID"): _ENCRYPTED,
    saml("EncryptedAttribute"): _ENCRYPTED,
    # XML Signature 4, without Object, Manifest, HMACOutputLength and algorithm parameters
    ds("Signature"): ElementSchema(
        optional=("Id",), slots=(_one(ds("SignedInfo")), _one(ds("SignatureValue")), _maybe(ds("KeyInfo")))
    ),
    ds("SignedInfo"): ElementSchema(
        optional=("Id",), slots=(_one(ds("CanonicalizationMethod")), _one(ds("SignatureMethod")), _one(ds("Reference")))
    ),
    ds("CanonicalizationMethod"): _C14N,
    ds("SignatureMethod"): _ALGORITHM,
    ds("SignatureValue"): ElementSchema(optional=("Id",), text=True),
    ds("Reference"): ElementSchema(
        required=("URI",),
        optional=("Id", "Type"),
        slots=(_one(ds("Transforms")), _one(ds("DigestMethod")), _one(ds("DigestValue"))),
    ),
    ds("Transforms"): ElementSchema(slots=(Slot((ds("Transform"),), 1, 2),)),
    ds("Transform"): _C14N,
    f"{{{EXC_C14N}}}InclusiveNamespaces": ElementSchema(required=("PrefixList",)),
    ds("DigestMethod"): _ALGORITHM,
    ds("DigestValue"): _TEXT,
    # Of a KeyInfo we read nothing, except the EncryptedKey inside the KeyInfo of an EncryptedData.
    ds("KeyInfo"): ElementSchema(optional=("Id",), within=(DS, DSIG11, XENC, XENC11)),
    # XML Encryption 3, without CipherReference, EncryptionProperties, OAEPparams and KeySize
    xenc("EncryptedData"): ElementSchema(
        optional=_ENCRYPTED_TYPE,
        slots=(_one(xenc("EncryptionMethod")), _maybe(ds("KeyInfo")), _one(xenc("CipherData"))),
    ),
    xenc("EncryptedKey"): ElementSchema(
        optional=(*_ENCRYPTED_TYPE, "Recipient"),
        slots=(
            _one(xenc("EncryptionMethod")),
            _maybe(ds("KeyInfo")),
            _one(xenc("CipherData")),
            _maybe(xenc("ReferenceList")),
            _maybe(xenc("CarriedKeyName")),
        ),
    ),
    xenc("EncryptionMethod"): ElementSchema(
        required=("Algorithm",),
        slots=(Slot((ds("DigestMethod"), f"{{{XENC11}}}MGF"), 0, 2),),
    ),
    f"{{{XENC11}}}MGF": _ALGORITHM,
    xenc("CipherData"): ElementSchema(slots=(_one(xenc("CipherValue")),)),
    xenc("CipherValue"): _TEXT,
    xenc("ReferenceList"): ElementSchema(slots=(Slot((xenc("DataReference"),), 0, 16),)),
    xenc("DataReference"): ElementSchema(required=("URI",)),
    xenc("CarriedKeyName"): _TEXT,
}

LOGOUT_MESSAGES = (samlp("LogoutRequest"), samlp("LogoutResponse"))

_ASSERTION = saml("Assertion")
_OURS = frozenset({SAML, SAMLP, DS, DSIG11, XENC, XENC11})
_NEVER_IN_KEY_INFO = frozenset({ds("Object"), ds("Signature"), ds("Manifest"), ds("SignatureProperties")})


def check_message(
    root: etree._Element, *tags: str, around: etree._Element | None = None, digit_ids: bool = False
) -> None:
    """Checks that `root` is one of the elements `tags` and matches the schema, and that its IDs are unique.

    `around`: the document from which `root` was decrypted; IDs are unique in both together.
    `digit_ids`: the provider file allows IDs that begin with a digit.

    Raises GatewayError: saml_codes.SHAPE, saml_codes.VERSION or saml_codes.ID.
    """
    if root.tag not in tags:
        raise _refused(root, f"where {' or '.join(tag.rpartition('}')[2] for tag in tags)} is expected")
    # Core 4.1.3.2: checked first, because we do not know what a message of another version may hold.
    if root.get("Version", "2.0") != "2.0":
        raise GatewayError(saml_codes.VERSION, "a Version that is not 2.0")
    check_element(root)
    check_ids(*(root,) if around is None else (around, root), digits=digit_ids)


def check_element(element: etree._Element) -> None:
    """Checks an element and its content against the schema. Raises GatewayError: saml_codes.SHAPE, VERSION."""
    waiting = [element]
    while waiting:
        element = waiting.pop()
        tag = str(element.tag)
        shape = SCHEMA.get(tag)
        if shape is None:
            raise _refused(element, "is not expected")
        names = element.keys()
        if names or shape.required:
            _check_attributes(element, shape, names)
        if shape.within:
            _check_within(element, shape.within)
            continue
        children = list(element.iterchildren("*")) if len(element) else []
        if shape.text:
            if children:
                raise _refused(element, "holds an element in its text")
            continue
        text = element.text
        if text and not text.isspace():
            raise _refused(element, _TEXT_BETWEEN)
        if children:
            for child in children:
                text = child.tail
                if text and not text.isspace():
                    raise _refused(element, _TEXT_BETWEEN)
            # In the order of the document.
            waiting += reversed(children)
        if children or shape.needs:
            _check_slots(element, shape.slots, children)


def _check_attributes(element: etree._Element, shape: ElementSchema, names: Sequence[str | bytes]) -> None:
    for name in shape.required:
        if name not in names:
            raise _refused(element, f"lacks {name}")
    if not shape.known.issuperset(names):
        for name in map(str, names):
            # We read no attribute of another namespace (xsi:type). One without a namespace has to be in the schema.
            if name not in shape.known and not (shape.foreign and name.startswith("{")):
                raise _refused(element, "has an attribute that is not expected")
    if element.tag == _ASSERTION and element.get("Version") != "2.0":
        raise GatewayError(saml_codes.VERSION, "an Assertion whose Version is not 2.0")


def _check_slots(element: etree._Element, slots: tuple[Slot, ...], children: list[etree._Element]) -> None:
    tags = [str(child.tag) for child in children]
    at = 0
    for slot in slots:
        start = at
        while at < len(tags) and at - start < slot.most and tags[at] in slot.tags:
            at += 1
        if at - start < slot.least:
            raise _refused(element, f"lacks {' or '.join(tag.rpartition('}')[2] for tag in slot.tags)} in its place")
    if at < len(tags):
        raise _refused(children[at], f"is not expected there in {_name(element)}")


def _check_within(element: etree._Element, namespaces: tuple[str, ...]) -> None:
    """Checks content that we hardly read: no element in this content may be an element that we read elsewhere."""
    inside = list(element.iterdescendants("*"))
    if namespaces == ("*",):
        allowed = (saml("NameID"),) if element.tag == saml("AttributeValue") and len(inside) == 1 else ()
        for found in inside:
            if found.tag in allowed:
                check_element(found)
            elif _namespace(found) in _OURS:
                raise _refused(found, f"is not expected in {_name(element)}")
        return
    if len(inside) > _MOST_IN_KEY_INFO:
        raise _refused(element, f"has over {_MOST_IN_KEY_INFO} elements")
    for found in inside:
        if _namespace(found) not in namespaces or found.tag in _NEVER_IN_KEY_INFO:
            raise _refused(found, f"is not expected in {_name(element)}")
    for key in element.iterchildren(xenc("EncryptedKey")):
        check_element(key)


def _namespace(element: etree._Element) -> str:
    return str(element.tag).rpartition("}")[0].removeprefix("{")


def _name(element: etree._Element) -> str:
    """The element's name for the log, if the schema has the name. Other names are a stranger's text."""
    tag = str(element.tag)
    return tag.rpartition("}")[2] if tag in SCHEMA else "an unknown element"


def _refused(element: etree._Element, why: str) -> GatewayError:
    return GatewayError(saml_codes.SHAPE, f"{_name(element)} {why}")
