"""A Response as each product writes it: prefixes, order, spacing and attributes as theirs, values as places to fill."""

_P = "urn:oasis:names:tc:SAML:2.0:protocol"
_A = "urn:oasis:names:tc:SAML:2.0:assertion"
_SUCCESS = "urn:oasis:names:tc:SAML:2.0:status:Success"
_BEARER = "urn:oasis:names:tc:SAML:2.0:cm:bearer"
_TRANSIENT = "urn:oasis:names:tc:SAML:2.0:nameid-format:transient"
_PERSISTENT = "urn:oasis:names:tc:SAML:2.0:nameid-format:persistent"
_MAIL_FORMAT = "urn:oasis:names:tc:SAML:1.1:nameid-format:emailAddress"
_URI = "urn:oasis:names:tc:SAML:2.0:attrname-format:uri"
_BASIC = "urn:oasis:names:tc:SAML:2.0:attrname-format:basic"
_XS = "http://www.w3.org/2001/XMLSchema"
_XSI = "http://www.w3.org/2001/XMLSchema-instance"
_CLAIMS = "http://schemas.xmlsoap.org/ws/2005/05/identity/claims"
_MS = "http://schemas.microsoft.com"

_ADFS = f"""<samlp:Response ID="{{response_id}}" Version="2.0" IssueInstant="{{issued}}" Destination="{{destination}}" \
Consent="urn:oasis:names:tc:SAML:2.0:consent:unspecified" InResponseTo="{{in_response_to}}" xmlns:samlp="{_P}">\
<Issuer xmlns="{_A}">{{issuer}}</Issuer><samlp:Status><samlp:StatusCode Value="{_SUCCESS}" /></samlp:Status>\
<Assertion ID="{{assertion_id}}" IssueInstant="{{assertion_issued}}" Version="2.0" xmlns="{_A}">\
<Issuer>{{issuer}}</Issuer><Subject><NameID Format="{_PERSISTENT}">{{name_id}}</NameID>\
<SubjectConfirmation Method="{_BEARER}"><SubjectConfirmationData InResponseTo="{{confirmed_request}}" \
NotOnOrAfter="{{confirmed_until}}" Recipient="{{recipient}}" /></SubjectConfirmation></Subject>\
<Conditions NotBefore="{{not_before}}" NotOnOrAfter="{{not_on_or_after}}"><AudienceRestriction>\
<Audience>{{audience}}</Audience></AudienceRestriction></Conditions><AttributeStatement>\
<Attribute Name="{_CLAIMS}/emailaddress"><AttributeValue>{{mail}}</AttributeValue></Attribute>\
<Attribute Name="{_MS}/ws/2008/06/identity/claims/role" a:OriginalIssuer="AD AUTHORITY" \
xmlns:a="{_MS}/ws/2005/claims"><AttributeValue>urbanisme</AttributeValue><AttributeValue>élus</AttributeValue>\
</Attribute></AttributeStatement>\
<AuthnStatement AuthnInstant="{{authn_instant}}" SessionIndex="{{session_index}}" \
SessionNotOnOrAfter="{{session_end}}"><AuthnContext>\
<AuthnContextClassRef>{{context}}</AuthnContextClassRef></AuthnContext></AuthnStatement></Assertion></samlp:Response>"""

_ENTRA = f"""<samlp:Response ID="{{response_id}}" Version="2.0" IssueInstant="{{issued}}" \
Destination="{{destination}}" InResponseTo="{{in_response_to}}" xmlns:samlp="{_P}"><Issuer xmlns="{_A}">{{issuer}}\
</Issuer><samlp:Status>\
<samlp:StatusCode Value="{_SUCCESS}"/></samlp:Status><Assertion ID="{{assertion_id}}" \
IssueInstant="{{assertion_issued}}" Version="2.0" xmlns="{_A}"><Issuer>{{issuer}}</Issuer><Subject>\
<NameID Format="{_MAIL_FORMAT}">{{name_id}}</NameID><SubjectConfirmation Method="{_BEARER}">\
<SubjectConfirmationData InResponseTo="{{confirmed_request}}" NotOnOrAfter="{{confirmed_until}}" \
Recipient="{{recipient}}"/></SubjectConfirmation></Subject><Conditions NotBefore="{{not_before}}" \
NotOnOrAfter="{{not_on_or_after}}"><AudienceRestriction><Audience>{{audience}}</Audience></AudienceRestriction>\
</Conditions><AttributeStatement><Attribute Name="{_MS}/identity/claims/tenantid">\
<AttributeValue>72f988bf-86f1-41af-91ab-2d7cd011db47</AttributeValue></Attribute>\
<Attribute Name="{_MS}/ws/2008/06/identity/claims/groups"><AttributeValue>0d4b0d3c</AttributeValue>\
<AttributeValue>5c11ab9e</AttributeValue></Attribute><Attribute Name="{_CLAIMS}/emailaddress">\
<AttributeValue>{{mail}}</AttributeValue></Attribute></AttributeStatement><AuthnStatement \
AuthnInstant="{{authn_instant}}" SessionIndex="{{session_index}}" SessionNotOnOrAfter="{{session_end}}"><AuthnContext>\
<AuthnContextClassRef>{{context}}</AuthnContextClassRef></AuthnContext></AuthnStatement></Assertion></samlp:Response>"""

_SHIBBOLETH = f"""<saml2p:Response xmlns:saml2p="{_P}" Destination="{{destination}}" ID="{{response_id}}" \
InResponseTo="{{in_response_to}}" IssueInstant="{{issued}}" Version="2.0">
    <saml2:Issuer xmlns:saml2="{_A}">{{issuer}}</saml2:Issuer>
    <saml2p:Status>
        <saml2p:StatusCode Value="{_SUCCESS}"/>
    </saml2p:Status>
    <saml2:Assertion xmlns:saml2="{_A}" ID="{{assertion_id}}" IssueInstant="{{assertion_issued}}" Version="2.0">
        <saml2:Issuer>{{issuer}}</saml2:Issuer>
        <saml2:Subject>
            <saml2:NameID Format="{_TRANSIENT}" NameQualifier="{{issuer}}" SPNameQualifier="{{audience}}" \
xmlns:saml2="{_A}">{{name_id}}</saml2:NameID>
            <saml2:SubjectConfirmation Method="{_BEARER}">
                <saml2:SubjectConfirmationData Address="192.0.2.7" InResponseTo="{{confirmed_request}}" \
NotOnOrAfter="{{confirmed_until}}" Recipient="{{recipient}}"/>
            </saml2:SubjectConfirmation>
        </saml2:Subject>
        <saml2:Conditions NotBefore="{{not_before}}" NotOnOrAfter="{{not_on_or_after}}">
            <saml2:AudienceRestriction>
                <saml2:Audience>{{audience}}</saml2:Audience>
            </saml2:AudienceRestriction>
        </saml2:Conditions>
        <saml2:AuthnStatement AuthnInstant="{{authn_instant}}" SessionIndex="{{session_index}}" \
SessionNotOnOrAfter="{{session_end}}">
            <saml2:SubjectLocality Address="192.0.2.7"/>
            <saml2:AuthnContext>
                <saml2:AuthnContextClassRef>{{context}}</saml2:AuthnContextClassRef>
            </saml2:AuthnContext>
        </saml2:AuthnStatement>
        <saml2:AttributeStatement>
            <saml2:Attribute FriendlyName="mail" Name="urn:oid:0.9.2342.19200300.100.1.3" NameFormat="{_URI}">
                <saml2:AttributeValue xmlns:xsd="{_XS}" xmlns:xsi="{_XSI}" xsi:type="xsd:string">{{mail}}\
</saml2:AttributeValue>
            </saml2:Attribute>
            <saml2:Attribute FriendlyName="eduPersonPrincipalName" Name="urn:oid:1.3.6.1.4.1.5923.1.1.1.6" \
NameFormat="{_URI}"><saml2:AttributeValue>hleboeuf@metropole.example</saml2:AttributeValue></saml2:Attribute>
            <saml2:Attribute FriendlyName="eduPersonTargetedID" Name="urn:oid:1.3.6.1.4.1.5923.1.1.1.10" \
NameFormat="{_URI}"><saml2:AttributeValue><saml2:NameID Format="{_PERSISTENT}" NameQualifier="{{issuer}}" \
SPNameQualifier="{{audience}}">84e411ea-7daa-4a57-bbf6-b5cc52981b73</saml2:NameID></saml2:AttributeValue>
            </saml2:Attribute>
        </saml2:AttributeStatement>
    </saml2:Assertion>
</saml2p:Response>"""

_LEMONLDAP = f"""<samlp:Response xmlns:samlp="{_P}" xmlns:saml="{_A}" ID="{{response_id}}" \
InResponseTo="{{in_response_to}}" Version="2.0" IssueInstant="{{issued}}" Destination="{{destination}}" \
Consent="urn:oasis:names:tc:SAML:2.0:consent:obtained"><saml:Issuer>{{issuer}}</saml:Issuer><samlp:Status>\
<samlp:StatusCode Value="{_SUCCESS}"/></samlp:Status><saml:Assertion Version="2.0" ID="{{assertion_id}}" \
IssueInstant="{{assertion_issued}}"><saml:Issuer>{{issuer}}</saml:Issuer><saml:Subject><saml:NameID \
Format="{_PERSISTENT}" NameQualifier="{{issuer}}" SPNameQualifier="{{audience}}">{{name_id}}</saml:NameID>\
<saml:SubjectConfirmation Method="{_BEARER}"><saml:SubjectConfirmationData NotOnOrAfter="{{confirmed_until}}" \
Recipient="{{recipient}}" InResponseTo="{{confirmed_request}}"/></saml:SubjectConfirmation></saml:Subject>\
<saml:Conditions NotBefore="{{not_before}}" NotOnOrAfter="{{not_on_or_after}}"><saml:AudienceRestriction>\
<saml:Audience>{{audience}}</saml:Audience></saml:AudienceRestriction></saml:Conditions><saml:AuthnStatement \
AuthnInstant="{{authn_instant}}" SessionIndex="{{session_index}}" SessionNotOnOrAfter="{{session_end}}">\
<saml:AuthnContext><saml:AuthnContextClassRef>{{context}}</saml:AuthnContextClassRef></saml:AuthnContext>\
</saml:AuthnStatement><saml:AttributeStatement><saml:Attribute Name="mail" NameFormat="{_BASIC}" FriendlyName="mail">\
<saml:AttributeValue>{{mail}}</saml:AttributeValue></saml:Attribute><saml:Attribute Name="cn" NameFormat="{_BASIC}">\
<saml:AttributeValue>Hélène Lebœuf-Müller</saml:AttributeValue></saml:Attribute></saml:AttributeStatement>\
</saml:Assertion></samlp:Response>"""

_KEYCLOAK = f"""<samlp:Response xmlns:samlp="{_P}" xmlns:saml="{_A}" Destination="{{destination}}" \
ID="{{response_id}}" InResponseTo="{{in_response_to}}" IssueInstant="{{issued}}" Version="2.0">\
<saml:Issuer>{{issuer}}</saml:Issuer><samlp:Status><samlp:StatusCode Value="{_SUCCESS}"/></samlp:Status>\
<saml:Assertion xmlns="{_A}" ID="{{assertion_id}}" IssueInstant="{{assertion_issued}}" Version="2.0">\
<saml:Issuer>{{issuer}}</saml:Issuer><saml:Subject><saml:NameID Format="{_PERSISTENT}">{{name_id}}</saml:NameID>\
<saml:SubjectConfirmation Method="{_BEARER}"><saml:SubjectConfirmationData InResponseTo="{{confirmed_request}}" \
NotOnOrAfter="{{confirmed_until}}" Recipient="{{recipient}}"/></saml:SubjectConfirmation></saml:Subject>\
<saml:Conditions NotBefore="{{not_before}}" NotOnOrAfter="{{not_on_or_after}}"><saml:AudienceRestriction>\
<saml:Audience>{{audience}}</saml:Audience></saml:AudienceRestriction><saml:OneTimeUse/></saml:Conditions>\
<saml:AuthnStatement AuthnInstant="{{authn_instant}}" SessionIndex="{{session_index}}" \
SessionNotOnOrAfter="{{session_end}}"><saml:AuthnContext><saml:AuthnContextClassRef>{{context}}\
</saml:AuthnContextClassRef></saml:AuthnContext></saml:AuthnStatement><saml:AttributeStatement><saml:Attribute \
FriendlyName="email" Name="urn:oid:1.2.840.113549.1.9.1" NameFormat="{_URI}"><saml:AttributeValue xmlns:xs="{_XS}" \
xmlns:xsi="{_XSI}" xsi:type="xs:string">{{mail}}</saml:AttributeValue></saml:Attribute><saml:Attribute Name="Role" \
NameFormat="{_BASIC}"><saml:AttributeValue xmlns:xs="{_XS}" xmlns:xsi="{_XSI}" xsi:type="xs:string">uma_authorization\
</saml:AttributeValue></saml:Attribute></saml:AttributeStatement><saml:AttributeStatement/></saml:Assertion>\
</samlp:Response>"""

_PYSAML2 = f"""<ns0:Response xmlns:ns0="{_P}" xmlns:ns1="{_A}" xmlns:xs="{_XS}" xmlns:xsi="{_XSI}" \
Destination="{{destination}}" ID="{{response_id}}" InResponseTo="{{in_response_to}}" IssueInstant="{{issued}}" \
Version="2.0"><ns1:Issuer Format="urn:oasis:names:tc:SAML:2.0:nameid-format:entity">{{issuer}}</ns1:Issuer>\
<ns0:Status><ns0:StatusCode Value="{_SUCCESS}" /></ns0:Status><ns1:Assertion ID="{{assertion_id}}" \
IssueInstant="{{assertion_issued}}" Version="2.0"><ns1:Issuer \
Format="urn:oasis:names:tc:SAML:2.0:nameid-format:entity">{{issuer}}</ns1:Issuer><ns1:Subject><ns1:NameID \
Format="{_TRANSIENT}" SPNameQualifier="{{audience}}">{{name_id}}</ns1:NameID><ns1:SubjectConfirmation \
Method="{_BEARER}"><ns1:SubjectConfirmationData InResponseTo="{{confirmed_request}}" \
NotOnOrAfter="{{confirmed_until}}" Recipient="{{recipient}}" /></ns1:SubjectConfirmation></ns1:Subject>\
<ns1:Conditions NotBefore="{{not_before}}" NotOnOrAfter="{{not_on_or_after}}"><ns1:AudienceRestriction><ns1:Audience>\
{{audience}}</ns1:Audience></ns1:AudienceRestriction></ns1:Conditions><ns1:AuthnStatement \
AuthnInstant="{{authn_instant}}" SessionIndex="{{session_index}}" SessionNotOnOrAfter="{{session_end}}">\
<ns1:AuthnContext><ns1:AuthnContextClassRef>{{context}}</ns1:AuthnContextClassRef><ns1:AuthenticatingAuthority>\
{{issuer}}</ns1:AuthenticatingAuthority></ns1:AuthnContext></ns1:AuthnStatement><ns1:AttributeStatement>\
<ns1:Attribute FriendlyName="mail" Name="urn:oid:0.9.2342.19200300.100.1.3" NameFormat="{_URI}"><ns1:AttributeValue \
xsi:type="xs:string">{{mail}}</ns1:AttributeValue></ns1:Attribute></ns1:AttributeStatement></ns1:Assertion>\
</ns0:Response>"""

SHAPES = {
    "adfs": _ADFS,
    "entra": _ENTRA,
    "shibboleth": _SHIBBOLETH,
    "lemonldap": _LEMONLDAP,
    "keycloak": _KEYCLOAK,
    "pysaml2": _PYSAML2,
}
