"""The names under which identity providers send common attributes, for `common:` of a provider file."""

from collections.abc import Mapping
from typing import Final

_LDAP: Final = "urn:oid:0.9.2342.19200300.100.1."
_X500: Final = "urn:oid:2.5.4."
_INETORG: Final = "urn:oid:2.16.840.1.113730.3.1."
_EDU: Final = "urn:oid:1.3.6.1.4.1.5923.1.1.1."
_SUPANN: Final = "urn:oid:1.3.6.1.4.1.7135.1.2.1."
# WS-Federation's claim types, which AD FS and Entra ID send over SAML too.
_CLAIMS: Final = "http://schemas.xmlsoap.org/ws/2005/05/identity/claims/"
_MICROSOFT: Final = "http://schemas.microsoft.com/ws/2008/06/identity/claims/"

COMMON: Final[Mapping[str, tuple[str, ...]]] = {
    "uid": ("uid", f"{_LDAP}1", f"{_MICROSOFT}windowsaccountname"),
    "mail": ("mail", "email", f"{_LDAP}3", f"{_CLAIMS}emailaddress", "urn:oid:1.2.840.113549.1.9.1", "UTILISATEUR.MEL"),
    "given_name": ("givenName", f"{_X500}42", f"{_CLAIMS}givenname", "UTILISATEUR.PRENOM"),
    "family_name": ("sn", "surname", f"{_X500}4", f"{_CLAIMS}surname", "UTILISATEUR.NOM"),
    "common_name": ("cn", f"{_X500}3", "http://schemas.xmlsoap.org/claims/CommonName"),
    "display_name": (
        "displayName",
        f"{_INETORG}241",
        "http://schemas.microsoft.com/identity/claims/displayname",
    ),
    "upn": ("upn", f"{_CLAIMS}upn"),
    "eppn": ("eduPersonPrincipalName", f"{_EDU}6"),
    "affiliation": ("eduPersonAffiliation", f"{_EDU}1"),
    "primary_affiliation": ("eduPersonPrimaryAffiliation", f"{_EDU}5"),
    "scoped_affiliation": ("eduPersonScopedAffiliation", f"{_EDU}9"),
    "entitlement": ("eduPersonEntitlement", f"{_EDU}7"),
    "targeted_id": ("eduPersonTargetedID", f"{_EDU}10"),
    "pairwise_id": ("urn:oasis:names:tc:SAML:attribute:pairwise-id",),
    "subject_id": ("urn:oasis:names:tc:SAML:attribute:subject-id",),
    "groups": (
        "groups",
        "isMemberOf",
        "memberOf",
        "urn:oid:1.3.6.1.4.1.5923.1.5.1.1",
        f"{_MICROSOFT}groups",
        "http://schemas.xmlsoap.org/claims/Group",
    ),
    "roles": ("role", "Role", f"{_MICROSOFT}role"),
    "telephone": ("telephoneNumber", f"{_X500}20", "UTILISATEUR.TEL_FIXE"),
    "organization": ("o", f"{_X500}10"),
    "organizational_unit": ("ou", f"{_X500}11", "UTILISATEUR.UNITE"),
    "title": ("title", f"{_X500}12"),
    "employee_number": ("employeeNumber", f"{_INETORG}3"),
    "supann_etablissement": ("supannEtablissement", f"{_SUPANN}14"),
    "siret": ("siret", "SIRET"),
    "siren": ("siren", "SIREN", "ENTREPRISE.SIREN"),
    "uai": ("uai", "UAI", "rne", "FrEduRne"),
}
"""Our attribute name to the names that providers use for it, the plain name first."""
