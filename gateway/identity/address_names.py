"""By what names providers send addresses, and what is written like one: as a claim, and as an attribute of SAML."""

_EDU = "urn:oid:1.3.6.1.4.1.5923.1.1.1."
_CLAIMS = "http://schemas.xmlsoap.org/ws/2005/05/identity/claims/"
# How a file of a SAML provider names the subject itself among its attributes.
NAME_ID = "NameID"

# Compared without regard to case: `Email` and `Mail` are two usual ones.
_MAIL = frozenset({
    "mail", "email", "emailaddress", "e-mail", "courriel", "rfc822mailbox", "urn:oid:0.9.2342.19200300.100.1.3",
    "urn:oid:1.2.840.113549.1.9.1", "urn:mace:dir:attribute-def:mail", "utilisateur.mel", f"{_CLAIMS}emailaddress",
})  # fmt: skip
# eduPerson, Subject Identifier Attributes Profile 3.3: value@scope; a scope that is not the provider's own is false.
_SCOPED = frozenset({
    "eduPersonPrincipalName", f"{_EDU}6", "eduPersonScopedAffiliation", f"{_EDU}9",
    "eduPersonPrincipalNamePrior", f"{_EDU}12", "eduPersonUniqueId", f"{_EDU}13",
    "urn:mace:dir:attribute-def:eduPersonPrincipalName", "urn:mace:dir:attribute-def:eduPersonScopedAffiliation",
    "urn:oasis:names:tc:SAML:attribute:subject-id", "urn:oasis:names:tc:SAML:attribute:pairwise-id",
})  # fmt: skip
# At one provider these are addresses, at another numbers.
_MAY_BE_MAIL = frozenset({
    "upn", "preferred_username", "unique_name", "userprincipalname", "username", "login", "nameid",
    f"{_CLAIMS}upn", f"{_CLAIMS}name", f"{_CLAIMS}nameidentifier",
})  # fmt: skip
_SCOPED_FOLDED = frozenset(map(str.lower, _SCOPED)) | {"eduperson_principal_name", "eduperson_scoped_affiliation"}


def is_mail(name: str) -> bool:
    return name.lower() in _MAIL


def is_scoped(name: str) -> bool:
    return name.lower() in _SCOPED_FOLDED


def may_hold_an_address(name: str) -> bool:
    """Whether the name alone says so. A value that looks like an address is bounded as one under any name."""
    return is_mail(name) or is_scoped(name) or name.lower() in _MAY_BE_MAIL
