"""Metadata as identity providers export them: the shapes of AD FS, Entra ID, Shibboleth and of federations."""

from collections.abc import Iterable

from gateway.saml.signing import sign_enveloped
from tests.saml.parties import IDP, certificate_text, pair

MD = (
    'xmlns:md="urn:oasis:names:tc:SAML:2.0:metadata" xmlns:ds="http://www.w3.org/2000/09/xmldsig#" '
    'xmlns:shibmd="urn:mace:shibboleth:metadata:1.0" xmlns:mdui="urn:oasis:names:tc:SAML:metadata:ui"'
)
SAML2 = "urn:oasis:names:tc:SAML:2.0:protocol"
BINDINGS = "urn:oasis:names:tc:SAML:2.0:bindings"
CERTIFICATE = certificate_text(pair("idp"))
SSO = (
    f'<md:SingleSignOnService Binding="{BINDINGS}:HTTP-Redirect" Location="https://idp.metropole.example/sso"/>'
    f'<md:SingleSignOnService Binding="{BINDINGS}:HTTP-POST" Location="https://idp.metropole.example/sso/post"/>'
)


def key(certificate: str = CERTIFICATE, use: str | None = "signing") -> str:
    attribute = "" if use is None else f' use="{use}"'
    return (
        f"<md:KeyDescriptor{attribute}><ds:KeyInfo><ds:X509Data><ds:X509Certificate>{certificate}"
        "</ds:X509Certificate></ds:X509Data></ds:KeyInfo></md:KeyDescriptor>"
    )


def role(content: str = "", *, keys: str | None = None, sso: str = SSO, attributes: str = "") -> str:
    """`content` stands between the keys and the SingleSignOnService elements."""
    return (
        f'<md:IDPSSODescriptor protocolSupportEnumeration="{SAML2}" {attributes}>'
        f"{key() if keys is None else keys}{content}{sso}</md:IDPSSODescriptor>"
    )


def entity(roles: str | None = None, *, id: str = IDP, attributes: str = "", namespaces: str = MD) -> str:
    return (
        f'<md:EntityDescriptor {namespaces} entityID="{id}" ID="_e" {attributes}>'
        f"{role() if roles is None else roles}</md:EntityDescriptor>"
    )


def group(members: Iterable[str], *, attributes: str = 'validUntil="2027-01-20T00:00:00Z"', id: str = "_g") -> str:
    return f'<md:EntitiesDescriptor {MD} ID="{id}" {attributes}>{"".join(members)}</md:EntitiesDescriptor>'


def signed(document: str, signer: str = "federation") -> bytes:
    return sign_enveloped(pair(signer), document.encode())


def signed_with_its_key(document: str, signer: str = "federation", *, named: str = "") -> bytes:
    """As providers sign: the certificate stands beside the signature, which does not cover it. `named`: another one."""
    certificate = certificate_text(pair(named or signer))
    info = f"<ds:X509Data><ds:X509Certificate>{certificate}</ds:X509Certificate></ds:X509Data>"
    head, end, tail = signed(document, signer).partition(b"</ds:SignatureValue>")
    return head + end + f"<ds:KeyInfo>{info}</ds:KeyInfo>".encode() + tail


def bloated(document: bytes, what: str) -> bytes:
    """At its end, so that a Signature and what stands before it are as they were: this takes no key."""
    head, end, tail = document.rpartition(b"</md:")
    return head + what.encode() + end + tail


def many_attributes() -> bytes:
    """790 KB, which took 24 s to canonicalise."""
    return bloated(signed(entity()), "<x " + " ".join(f'a{number}=""' for number in range(80_000)) + "/>")


def long_namespace() -> bytes:
    """250 KB, which came to 2.4 GB."""
    return bloated(signed(entity()), f'<x xmlns:a="urn:{"n" * 100_000}">' + "<a:y/>" * 25_000 + "</x>")


# What AD FS serves at FederationMetadata/2007-06: WS-Federation's descriptors first, a service provider of its own,
# then the identity provider, with both keys during an automatic roll-over.
AD_FS = f"""<?xml version="1.0" encoding="utf-8"?>
<EntityDescriptor ID="_4b2c" entityID="{IDP}" xmlns="urn:oasis:names:tc:SAML:2.0:metadata">
<RoleDescriptor xsi:type="fed:ApplicationServiceType"
 protocolSupportEnumeration="http://docs.oasis-open.org/ws-sx/ws-trust/200512 http://schemas.xmlsoap.org/ws/2005/02/trust"
 ServiceDisplayName="Métropole" xmlns:xsi="http://www.w3.org/2001/XMLSchema-instance"
 xmlns:fed="http://docs.oasis-open.org/wsfed/federation/200706">
<KeyDescriptor use="encryption"><KeyInfo xmlns="http://www.w3.org/2000/09/xmldsig#"><X509Data>
<X509Certificate>{certificate_text(pair("ws-federation"))}</X509Certificate></X509Data></KeyInfo></KeyDescriptor>
<fed:TargetScopes><EndpointReference xmlns="http://www.w3.org/2005/08/addressing">
<Address>https://adfs.metropole.example/adfs/ls/</Address></EndpointReference></fed:TargetScopes></RoleDescriptor>
<RoleDescriptor xsi:type="fed:SecurityTokenServiceType"
 protocolSupportEnumeration="http://docs.oasis-open.org/wsfed/federation/200706"
 xmlns:xsi="http://www.w3.org/2001/XMLSchema-instance" xmlns:fed="http://docs.oasis-open.org/wsfed/federation/200706">
<KeyDescriptor use="signing"><KeyInfo xmlns="http://www.w3.org/2000/09/xmldsig#"><X509Data>
<X509Certificate>{certificate_text(pair("ws-federation"))}</X509Certificate></X509Data></KeyInfo></KeyDescriptor>
</RoleDescriptor>
<SPSSODescriptor WantAssertionsSigned="true" protocolSupportEnumeration="{SAML2}">
<KeyDescriptor use="signing"><KeyInfo xmlns="http://www.w3.org/2000/09/xmldsig#"><X509Data>
<X509Certificate>{certificate_text(pair("ws-federation"))}</X509Certificate></X509Data></KeyInfo></KeyDescriptor>
<AssertionConsumerService Binding="{BINDINGS}:HTTP-POST" Location="https://adfs.metropole.example/adfs/ls/" index="0"/>
</SPSSODescriptor>
<IDPSSODescriptor protocolSupportEnumeration="{SAML2}">
<KeyDescriptor use="encryption"><KeyInfo xmlns="http://www.w3.org/2000/09/xmldsig#"><X509Data>
<X509Certificate>{certificate_text(pair("ws-federation"))}</X509Certificate></X509Data></KeyInfo></KeyDescriptor>
<KeyDescriptor use="signing"><KeyInfo xmlns="http://www.w3.org/2000/09/xmldsig#"><X509Data>
<X509Certificate>{CERTIFICATE}</X509Certificate></X509Data></KeyInfo></KeyDescriptor>
<KeyDescriptor use="signing"><KeyInfo xmlns="http://www.w3.org/2000/09/xmldsig#"><X509Data>
<X509Certificate>{certificate_text(pair("idp-next"))}</X509Certificate></X509Data></KeyInfo></KeyDescriptor>
<SingleLogoutService Binding="{BINDINGS}:HTTP-Redirect" Location="https://adfs.metropole.example/adfs/ls/"/>
<SingleLogoutService Binding="{BINDINGS}:HTTP-POST" Location="https://adfs.metropole.example/adfs/ls/"/>
<NameIDFormat>urn:oasis:names:tc:SAML:1.1:nameid-format:emailAddress</NameIDFormat>
<NameIDFormat>urn:oasis:names:tc:SAML:2.0:nameid-format:persistent</NameIDFormat>
<SingleSignOnService Binding="{BINDINGS}:HTTP-Redirect" Location="https://adfs.metropole.example/adfs/ls/"/>
<SingleSignOnService Binding="{BINDINGS}:HTTP-POST" Location="https://adfs.metropole.example/adfs/ls/"/>
<Attribute Name="http://schemas.xmlsoap.org/ws/2005/05/identity/claims/emailaddress"
 NameFormat="urn:oasis:names:tc:SAML:2.0:attrname-format:uri" FriendlyName="E-Mail Address"
 xmlns="urn:oasis:names:tc:SAML:2.0:assertion"/>
</IDPSSODescriptor>
<ContactPerson contactType="support"/></EntityDescriptor>"""

# What Entra ID serves: the descriptors of WS-Federation carry its claims, and its address is that of a tenant.
ENTRA = f"""<?xml version="1.0" encoding="utf-8"?><EntityDescriptor ID="_9f1d" entityID="https://sts.windows.net/0000/"
 xmlns="urn:oasis:names:tc:SAML:2.0:metadata"><RoleDescriptor xsi:type="fed:SecurityTokenServiceType"
 protocolSupportEnumeration="http://docs.oasis-open.org/wsfed/federation/200706"
 xmlns:xsi="http://www.w3.org/2001/XMLSchema-instance" xmlns:fed="http://docs.oasis-open.org/wsfed/federation/200706">
<fed:ClaimTypesOffered><auth:ClaimType Uri="http://schemas.microsoft.com/identity/claims/tenantid"
 xmlns:auth="http://docs.oasis-open.org/wsfed/authorization/200706"><auth:DisplayName>Tenant ID</auth:DisplayName>
</auth:ClaimType></fed:ClaimTypesOffered></RoleDescriptor><IDPSSODescriptor protocolSupportEnumeration="{SAML2}">
<KeyDescriptor use="signing"><KeyInfo xmlns="http://www.w3.org/2000/09/xmldsig#"><X509Data>
<X509Certificate>{CERTIFICATE}</X509Certificate></X509Data></KeyInfo></KeyDescriptor>
<SingleLogoutService Binding="{BINDINGS}:HTTP-Redirect" Location="https://login.microsoftonline.com/0000/saml2"/>
<SingleSignOnService Binding="{BINDINGS}:HTTP-Redirect" Location="https://login.microsoftonline.com/0000/saml2"/>
<SingleSignOnService Binding="{BINDINGS}:HTTP-POST" Location="https://login.microsoftonline.com/0000/saml2"/>
</IDPSSODescriptor></EntityDescriptor>"""

# A Shibboleth IdP as a federation publishes it: SAML 1 beside SAML 2, scopes, names for people, artifacts, SOAP.
SHIBBOLETH = entity(
    f'<md:Extensions><shibmd:Scope regexp="false">metropole.example</shibmd:Scope></md:Extensions>'
    f'<md:IDPSSODescriptor protocolSupportEnumeration="urn:oasis:names:tc:SAML:1.1:protocol {SAML2}"'
    ' WantAuthnRequestsSigned="true"><md:Extensions>'
    '<shibmd:Scope regexp="false">metropole.example</shibmd:Scope>'
    '<shibmd:Scope regexp="true">^.+\\.metropole\\.example$</shibmd:Scope>'
    '<mdui:UIInfo><mdui:DisplayName xml:lang="fr">Métropole du Nord</mdui:DisplayName>'
    '<mdui:DisplayName xml:lang="en">North Metropolis</mdui:DisplayName>'
    '<mdui:Logo height="16" width="16">https://metropole.example/logo.png</mdui:Logo></mdui:UIInfo></md:Extensions>'
    f"{key(use=None)}"
    f'<md:ArtifactResolutionService Binding="urn:oasis:names:tc:SAML:1.0:bindings:SOAP-binding"'
    ' Location="https://idp.metropole.example:8443/saml1" index="1"/>'
    f'<md:ArtifactResolutionService Binding="{BINDINGS}:SOAP"'
    ' Location="https://idp.metropole.example:8443/artifact" index="2"/>'
    f'<md:SingleLogoutService Binding="{BINDINGS}:SOAP" Location="https://idp.metropole.example:8443/slo"/>'
    f'<md:SingleLogoutService Binding="{BINDINGS}:HTTP-POST" Location="https://idp.metropole.example/slo"'
    ' ResponseLocation="https://idp.metropole.example/slo/answers"/>'
    "<md:NameIDFormat>urn:oasis:names:tc:SAML:2.0:nameid-format:transient</md:NameIDFormat>"
    '<md:SingleSignOnService Binding="urn:mace:shibboleth:1.0:profiles:AuthnRequest" Location="https://idp.metropole.example/1"/>'
    f"{SSO}</md:IDPSSODescriptor>"
)
