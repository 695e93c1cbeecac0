"""The namespaces and identifiers that SAML messages and metadata are written with."""

from typing import Final, Literal

# Core 1.2, Metadata 1.1, XML Signature, XML Encryption, SOAP 1.1
SAML: Final = "urn:oasis:names:tc:SAML:2.0:assertion"
SAMLP: Final = "urn:oasis:names:tc:SAML:2.0:protocol"
MD: Final = "urn:oasis:names:tc:SAML:2.0:metadata"
DS: Final = "http://www.w3.org/2000/09/xmldsig#"
DSIG11: Final = "http://www.w3.org/2009/xmldsig11#"
XENC: Final = "http://www.w3.org/2001/04/xmlenc#"
XENC11: Final = "http://www.w3.org/2009/xmlenc11#"
EXC_C14N: Final = "http://www.w3.org/2001/10/xml-exc-c14n#"
SOAP: Final = "http://schemas.xmlsoap.org/soap/envelope/"
# The metadata extensions of Shibboleth (scopes) and of MDUI 1.0 (names that people see)
SHIBMD: Final = "urn:mace:shibboleth:metadata:1.0"
# Identity Provider Discovery Service Protocol 2.5: the namespace, and the binding of its one endpoint
IDPDISC: Final = "urn:oasis:names:tc:SAML:profiles:SSO:idp-discovery-protocol"
MDUI: Final = "urn:oasis:names:tc:SAML:metadata:ui"
XML: Final = "http://www.w3.org/XML/1998/namespace"
XSI: Final = "http://www.w3.org/2001/XMLSchema-instance"

# Core 8.3: name identifier formats
FORMAT_UNSPECIFIED: Final = "urn:oasis:names:tc:SAML:1.1:nameid-format:unspecified"
FORMAT_ENTITY: Final = "urn:oasis:names:tc:SAML:2.0:nameid-format:entity"
FORMAT_ENCRYPTED: Final = "urn:oasis:names:tc:SAML:2.0:nameid-format:encrypted"

# Profiles 3.3
BEARER: Final = "urn:oasis:names:tc:SAML:2.0:cm:bearer"

# Bindings 3
BINDING_REDIRECT: Final = "urn:oasis:names:tc:SAML:2.0:bindings:HTTP-Redirect"
BINDING_POST: Final = "urn:oasis:names:tc:SAML:2.0:bindings:HTTP-POST"
BINDING_ARTIFACT: Final = "urn:oasis:names:tc:SAML:2.0:bindings:HTTP-Artifact"
BINDING_SOAP: Final = "urn:oasis:names:tc:SAML:2.0:bindings:SOAP"

# Core 3.2.2.2
STATUS_SUCCESS: Final = "urn:oasis:names:tc:SAML:2.0:status:Success"
STATUS_REQUESTER: Final = "urn:oasis:names:tc:SAML:2.0:status:Requester"
STATUS_VERSION_MISMATCH: Final = "urn:oasis:names:tc:SAML:2.0:status:VersionMismatch"
STATUS_AUTHN_FAILED: Final = "urn:oasis:names:tc:SAML:2.0:status:AuthnFailed"
STATUS_REQUEST_DENIED: Final = "urn:oasis:names:tc:SAML:2.0:status:RequestDenied"
STATUS_UNKNOWN_PRINCIPAL: Final = "urn:oasis:names:tc:SAML:2.0:status:UnknownPrincipal"
STATUS_NO_PASSIVE: Final = "urn:oasis:names:tc:SAML:2.0:status:NoPassive"
STATUS_NO_AUTHN_CONTEXT: Final = "urn:oasis:names:tc:SAML:2.0:status:NoAuthnContext"
STATUS_PARTIAL_LOGOUT: Final = "urn:oasis:names:tc:SAML:2.0:status:PartialLogout"

# Core 3.7.1
LOGOUT_BY_USER: Final = "urn:oasis:names:tc:SAML:2.0:logout:user"

# Bindings 3.4.4, 3.5.4: what carries a message in a query or a form
MessageParameter = Literal["SAMLRequest", "SAMLResponse"]

# What makes an element's name as lxml writes it: saml("Issuer") is "{urn:oasis:names:tc:SAML:2.0:assertion}Issuer".
saml: Final = f"{{{SAML}}}".__add__
samlp: Final = f"{{{SAMLP}}}".__add__
md: Final = f"{{{MD}}}".__add__
ds: Final = f"{{{DS}}}".__add__
xenc: Final = f"{{{XENC}}}".__add__
soap: Final = f"{{{SOAP}}}".__add__
