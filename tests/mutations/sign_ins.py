"""Of sign-ins: OpenID Connect, SAML, perimeters and hand-overs: invariants 5 to 8."""

from tests.mutations.defence import Defence

_CLAIMS, _JWS, _ANSWER, _CALLBACK = "oidc/claims.py", "oidc/jws.py", "oidc/authorization.py", "portal/openid/source.py"
_RESPONSE, _ASSERTION, _SIGNATURE, _DOCUMENT = (
    "saml/response.py",
    "saml/assertion.py",
    "saml/signature.py",
    "saml/document.py",
)
_PERIMETER, _HOST = "identity/perimeter.py", "portal/flow/app_host.py"

_STANDING, _STANDINGS, _AWAY = (
    "federation/provider_standing.py",
    "federation/standings.py",
    "portal/flow/away.py",
)

DEFENCES = (
    # --- a provider that is away
    Defence(
        "one that no look has reached is unknown",
        _STANDING,
        "(self.reached and failures >= IN_A_ROW)",
        "federation/test_provider_standing.py federation/test_provider_looks.py",
        off="(failures >= IN_A_ROW)",
    ),
    Defence(
        "one look decides nothing",
        _STANDING,
        'if self.verdict == "away" and answers < IN_A_ROW:',
        "federation/test_provider_standing.py",
    ),
    Defence(
        "who comes back outweighs looks",
        _STANDING,
        "reached = self.reached and not misled",
        "federation/test_provider_standing.py",
        off="reached = self.reached",
    ),
    Defence(
        "looks end where nobody wants the provider",
        _STANDING,
        'is_over = self.verdict == "away" and now >= self.wanted_at + WANTED_LATELY',
        "federation/test_provider_standing.py",
        off="is_over = False",
    ),
    Defence(
        "a front that says 503 is away",
        "federation/provider_looks.py",
        "if status in AWAY else",
        "federation/test_provider_looks.py",
        off="if False else",
    ),
    Defence(
        "nobody is sent to a provider that is away",
        _AWAY,
        "if not standings.is_away(provider.name):",
        "portal/flow/test_away.py",
        off="if True:",
    ),
    Defence(
        "a page in the place of a refusal",
        _AWAY,
        "(found is not None and provider.name not in found.app.listed)",
        "portal/flow/test_away.py",
    ),
    Defence(
        "our own look outweighs another node's word",
        _STANDINGS,
        'if verdict == "up" and self._clock() < told_at + OWN_LOOK_COUNTS:',
        "federation/test_standings.py",
    ),
    Defence("a frame asks no provider", "portal/flow/start.py", "if step.in_frame:", "portal/flow/test_embedded.py"),
    Defence(
        "a sign-in of the top in a frame",
        "portal/flow/start.py",
        "if not (found.transaction.embedded and found.app.embedded_by):",
        "portal/flow/test_embedded.py",
    ),
    # --- ID tokens, OpenID Connect Core 3.1.3.7
    Defence("iss", _CLAIMS, 'if claims.get("iss") != provider.issuer:', "oidc/test_id_token.py"),
    Defence("aud", _CLAIMS, "if provider.client_id not in audiences:", "oidc/test_id_token.py"),
    Defence("azp", _CLAIMS, "if azp is not None and azp != provider.client_id:", "oidc/test_id_token.py"),
    Defence("several audiences and no azp", _CLAIMS, "if len(audiences) > 1 and azp is None:", "oidc/test_id_token.py"),
    Defence("exp", _CLAIMS, "if now >= exp + provider.skew:", "oidc/test_id_token.py"),
    Defence(
        "iat, too old", _CLAIMS, "if iat < now - OLDEST - provider.skew:", "oidc/test_id_token.py oidc/test_claims.py"
    ),
    Defence(
        "iat, ahead",
        _CLAIMS,
        "if iat is not None and iat > now + provider.skew:",
        "oidc/test_id_token.py oidc/test_claims.py",
    ),
    Defence(
        "nbf", _CLAIMS, "if nbf is not None and nbf > now + provider.skew:", "oidc/test_id_token.py oidc/test_claims.py"
    ),
    Defence(
        "auth_time, ahead", _CLAIMS, "if auth_time > now + provider.skew:", "oidc/test_id_token.py oidc/test_claims.py"
    ),
    Defence(
        "auth_time, too old",
        _CLAIMS,
        "if age > login.max_age + provider.skew:",
        "oidc/test_id_token.py oidc/test_claims.py",
    ),
    Defence(
        "acr",
        _CLAIMS,
        'if demanded and text_of(claims, "acr") not in demanded:',
        "oidc/test_id_token.py oidc/test_claims.py",
    ),
    Defence(
        "nonce",
        _CLAIMS,
        'if not hmac.compare_digest(nonce.encode("utf-8"), expected.encode("utf-8")):',
        "oidc/test_id_token.py oidc/test_claims.py",
    ),
    Defence(
        "at_hash and c_hash",
        _CLAIMS,
        'not hmac.compare_digest(found.encode("utf-8"), expected)',
        "oidc/test_id_token.py oidc/test_claims.py",
    ),
    Defence(
        "algorithms that are not pinned",
        _JWS,
        "if algorithm is None or algorithm.name not in allowed:",
        "oidc/test_jws.py oidc/test_id_token.py",
        "if algorithm is None:",
    ),
    Defence(
        "a signature of none of the keys",
        _JWS,
        "if not any(_signed_by(token, key, algorithm) for key in suitable):",
        "oidc/test_jws.py oidc/test_id_token.py",
    ),
    Defence(
        "a MAC of another secret",
        _JWS,
        "if not hmac.compare_digest(token.signature, expected):",
        "oidc/test_jws.py oidc/test_id_token.py",
    ),
    Defence(
        "a key by its kid", _JWS, "and (kid is None or key.kid == kid))", "oidc/test_jws.py oidc/test_id_token.py", ")"
    ),
    Defence(
        "keys that are for encryption",
        _JWS,
        'if jwk.get("use", "sig") != "sig":',
        "oidc/test_jws.py oidc/test_id_token.py",
    ),
    Defence("short RSA keys", _JWS, "if not 2048 <= size <= 8192:", "oidc/test_jws.py oidc/test_id_token.py"),
    Defence(
        "crit and the like",
        _JWS,
        "        if member in header:",
        "oidc/test_jws.py oidc/test_id_token.py",
        "        if False:",
    ),
    Defence(
        "typ of another token",
        _JWS,
        'not isinstance(typ, str) or typ.lower().removeprefix("application/") not in kinds',
        "oidc/test_jws.py oidc/test_id_token.py",
    ),
    Defence(
        "one spelling of base64url",
        _JWS,
        "if segment[-1] not in _LAST[len(segment) % 4]:",
        "oidc/test_jws.py oidc/test_id_token.py",
    ),
    # --- what comes back by the browser
    Defence(
        "iss of the answer", _ANSWER, "if iss is not None and iss != metadata.issuer:", "oidc/test_authorization.py"
    ),
    Defence(
        "no iss though announced",
        _ANSWER,
        "if iss is None and metadata.authorization_response_iss_parameter_supported:",
        "oidc/test_authorization.py",
    ),
    Defence(
        "parameters twice", _ANSWER, "        if name in response:", "oidc/test_authorization.py", "        if False:"
    ),
    Defence(
        "an answer of another provider", _ANSWER, "if login.provider != provider.name:", "oidc/test_authorization.py"
    ),
    Defence("another's callback", _CALLBACK, "if name != login.provider:", "portal/openid/test_callback.py"),
    Defence(
        "another browser, OpenID",
        _CALLBACK,
        "browser = request.held(login.binding)",
        "portal/openid/test_callback.py",
        "browser = request.held(login.binding) or login.binding",
    ),
    Defence(
        "POST that was not asked for",
        _CALLBACK,
        'if not (provider.request.response_mode or "").startswith("form_post"):',
        "portal/openid/test_parked_response.py",
    ),
    Defence(
        "a code of another provider",
        "oidc/token.py",
        "if not code.provider == login.provider == provider.name:",
        "oidc/test_token.py",
    ),
    Defence(
        "userinfo of another person",
        "oidc/userinfo.py",
        'not hmac.compare_digest(sub.encode("utf-8"), subject.encode("utf-8"))',
        "oidc/test_userinfo.py",
    ),
    Defence(
        "discovery of another issuer",
        "oidc/discovery.py",
        'if document.get("issuer") != provider.issuer:',
        "oidc/test_discovery.py",
    ),
    Defence(
        "http in discovery",
        "oidc/discovery.py",
        'if match["scheme"] != "https" and not development:',
        "oidc/test_discovery.py",
    ),
    Defence(
        "a logout token with a nonce", "oidc/logout_token.py", 'if "nonce" in claims:', "oidc/test_logout_token.py"
    ),
    Defence(
        "a logout token without its event",
        "oidc/logout_token.py",
        "not isinstance(events, dict) or not isinstance(events.get(EVENT), dict)",
        "oidc/test_logout_token.py",
    ),
    # --- SAML
    Defence(
        "a digest of other bytes",
        _SIGNATURE,
        "if not hmac.compare_digest(hashlib.new(signed.hash, octets).digest(), signed.value):",
        "saml/test_signature.py saml/test_response.py",
    ),
    Defence(
        "a signature of none of the metadata's keys",
        _SIGNATURE,
        'if not is_made_by_one_of(keys, algorithm, octets, _binary(_part(signature, "SignatureValue"))):',
        "saml/test_signature.py saml/test_response.py",
    ),
    Defence(
        "a Reference to another element",
        _SIGNATURE,
        'if not identifier or reference.get("URI") != f"#{identifier}":',
        "saml/test_signature.py saml/test_response.py",
    ),
    Defence(
        "a part that is not in what was signed",
        _SIGNATURE,
        "if signed.element not in place.iterancestors():",
        "saml/test_signature.py saml/test_response.py",
    ),
    Defence(
        "weak algorithms", _SIGNATURE, "if signature not in SIGNATURES:", "saml/test_signature.py saml/test_response.py"
    ),
    Defence(
        "other transforms",
        _SIGNATURE,
        "if transforms not in ([ENVELOPED_SIGNATURE, CANONICALISATION], [ENVELOPED_SIGNATURE]):",
        "saml/test_signature.py saml/test_response.py",
    ),
    Defence(
        "one ID for two elements", _DOCUMENT, "if identifier in seen:", "saml/test_document.py saml/test_response.py"
    ),
    Defence(
        "document types and entities",
        _DOCUMENT,
        'if b"<!DOCTYPE" in text or b"<!ENTITY" in text:',
        "saml/test_document.py saml/test_response.py",
    ),
    Defence(
        "comments inside values",
        _DOCUMENT,
        "if any(map(_holds_a_value, commented)):",
        "saml/test_document.py saml/test_response.py",
    ),
    Defence(
        "depth and number of nodes",
        _DOCUMENT,
        "if depth > max_depth or nodes > max_nodes:",
        "saml/test_document.py saml/test_response.py",
    ),
    Defence(
        "Destination",
        _RESPONSE,
        "if destination != location and (required or destination is not None):",
        "saml/test_response.py",
    ),
    Defence(
        "Issuer",
        _RESPONSE,
        "if issuer is None or entity_id_in(issuer.text) != metadata.entity_id:",
        "saml/test_response.py",
        "if issuer is None:",
    ),
    Defence("status", _RESPONSE, "if codes[:1] != (STATUS_SUCCESS,):", "saml/test_response.py"),
    Defence("unsolicited", _RESPONSE, "if asked is None and not provider.unsolicited:", "saml/test_response.py"),
    Defence("IssueInstant", _RESPONSE, "if issued < now - OLDEST - skew:", "saml/test_response.py"),
    Defence("an unsigned assertion", _RESPONSE, 'if provider.signed != "response":', "saml/test_response.py"),
    Defence(
        "an unsigned response",
        _RESPONSE,
        'if signed_response is None and provider.signed != "assertion":',
        "saml/test_response.py",
    ),
    Defence("an assertion in clear", _RESPONSE, "if provider.encrypted:", "saml/test_response.py"),
    Defence(
        "metadata that have expired",
        _RESPONSE,
        "if metadata.valid_until is not None and now >= metadata.valid_until:",
        "saml/test_response.py",
    ),
    Defence(
        "Recipient",
        _ASSERTION,
        'if data.get("Recipient") != recipient:',
        "saml/test_assertion.py saml/test_response.py",
    ),
    Defence("InResponseTo", _ASSERTION, "if stated != request_id:", "saml/test_assertion.py saml/test_response.py"),
    Defence(
        "audience",
        _ASSERTION,
        'if audience not in [each.text for each in restriction.iterchildren(saml("Audience"))]:',
        "saml/test_assertion.py saml/test_response.py",
    ),
    Defence("no audience", _ASSERTION, "if not restrictions:", "saml/test_assertion.py saml/test_response.py"),
    Defence(
        "NotBefore",
        _ASSERTION,
        'if start is not None and moment(start, "NotBefore of Conditions") > now + skew:',
        "saml/test_assertion.py saml/test_response.py",
    ),
    Defence("NotOnOrAfter", _ASSERTION, "if now >= until + skew:", "saml/test_assertion.py saml/test_response.py"),
    Defence(
        "one AuthnStatement", _ASSERTION, "if len(statements) != 1:", "saml/test_assertion.py saml/test_response.py"
    ),
    Defence(
        "a class weaker than asked",
        _ASSERTION,
        "if not satisfies(stated, asked, comparison):",
        "saml/test_assertion.py saml/test_response.py",
    ),
    Defence(
        "what was parked before a sign-out",
        "portal/flow/proven.py",
        "if any(await asyncio.gather(*asked)):",
        "portal/saml/test_signed_out.py portal/flow/test_acting.py",
    ),
    Defence(
        "a response that was parked before a sign-out",
        "portal/saml/responses.py",
        "if int(self._services.now()) <= parked.at:",
        "portal/saml/test_signed_out.py",
        "if True:",
    ),
    Defence(
        "ends are kept where a SAML provider is listed",
        "portal/flow/proven.py",
        "or is_saml(provider)",
        "portal/saml/test_signed_out.py",
        "",
    ),
    Defence(
        "another browser, SAML",
        "portal/saml/responses.py",
        "browser = request.held(login.binding)",
        "portal/saml/test_sign_in.py",
        "browser = request.held(login.binding) or login.binding",
    ),
    Defence("an assertion works once", "portal/saml/responses.py", "if not unused:", "portal/saml/test_sign_in.py"),
    # --- perimeters and hand-overs
    Defence("SIRETs of others", _PERIMETER, "if value not in sirets:", "identity/test_perimeter.py"),
    Defence(
        "SIRETs under any name",
        _PERIMETER,
        "if _is_anothers(value, sirets, speaks_of_one=speaks_of_one):",
        "identity/test_perimeter.py",
    ),
    Defence("e-mail domains of others", _PERIMETER, "if domain not in (domains or ()):", "identity/test_perimeter.py"),
    Defence(
        "addresses under any name",
        _PERIMETER,
        "(mail or scoped or looks_like_an_address(value))",
        "identity/test_perimeter.py",
        "(mail or scoped)",
    ),
    Defence(
        "values that are not listed",
        _PERIMETER,
        "if not listed.issuperset(identity.attributes.get(name, ())):",
        "identity/test_perimeter.py",
    ),
    Defence("one tenant", _PERIMETER, "if len(values) != 1:", "identity/test_perimeter.py"),
    Defence(
        "a code of another host",
        _HOST,
        "if hand_over.host != request.host or app is None:",
        "portal/flow/test_enter.py portal/flow/test_start.py",
        "if app is None:",
    ),
    Defence(
        "a code of another browser",
        _HOST,
        "if not request.holds(hand_over.binding):",
        "portal/flow/test_enter.py portal/flow/test_start.py",
    ),
    Defence(
        "a code of a provider that is not listed",
        _HOST,
        "if hand_over.provider not in app.listed:",
        "portal/flow/test_enter.py portal/flow/test_start.py",
    ),
    Defence(
        "another account, of a provider that the application does not list",
        "portal/flow/start.py",
        "if provider is None or own not in app.listed or is_silent(self._services, provider):",
        "portal/flow/test_other_account.py",
    ),
    Defence(
        "another account, for the organisation of the person before",
        "portal/app.py",
        "if step.pending is None and OTHER_ACCOUNT in step.hints:",
        "portal/flow/test_acting.py",
    ),
    Defence(
        "another account, announced by the link of the page",
        _HOST,
        "*(() if begin.other_account else",
        "portal/flow/test_hints.py",
        "*(() if False else",
    ),
    Defence(
        "another account, and the account of before after a refusal",
        "portal/flow/source.py",
        'other = dict(transaction.hints).get(OTHER_ACCOUNT, "")',
        "portal/flow/test_other_account.py",
        'other = ""',
    ),
    Defence(
        "what a link says of another account is kept nowhere",
        _HOST,
        'return OTHER_ORGANISATION if said == OTHER_ORGANISATION else "1" if said else ""',
        "portal/flow/test_other_account.py",
        "return said",
    ),
    Defence(
        "nobody is led to a choice among too many providers",
        "portal/home_page.py",
        "if of_session is None or not _can_choose(snapshot):",
        "portal/flow/test_other_account.py",
        "if of_session is None:",
    ),
    Defence(
        "the page of a divided host is of the application that it leads to",
        "portal/logout/signed_out.py",
        "path if login is None else unquote(login[1])",
        "portal/test_language.py",
        "path",
    ),
    Defence(
        "the answer to a form is not asked for anew",
        "portal/http/pages.py",
        'own = template in _OF_ONE_PERSON and reader.again == "address"',
        "portal/test_account_pages.py portal/test_account_requests.py",
        "own = template in _OF_ONE_PERSON",
    ),
    Defence(
        "what a sign-in by SAML is made of is used up with it",
        "portal/flow/start.py",
        "sign_ins.spend_after(first, step.pending.id, all_writes)",
        "portal/saml/test_sign_in.py",
        "sign_ins.spend_after((), step.pending.id, all_writes)",
    ),
    Defence(
        "what a refused sign-in by SAML was made of is used up",
        "portal/app.py",
        "if request.uses_up:",
        "portal/saml/test_sign_in.py",
    ),
    Defence(
        "what is at hand is there while the store keys are what they were",
        "stores/at_hand.py",
        " or found.generation != keys.generation",
        "stores/test_at_hand.py",
        "",
    ),
    Defence(
        "a request held for a made-up id",
        "portal/waiting.py",
        "if since is None:",
        "portal/test_waiting.py",
    ),
    Defence(
        "nothing is held for an old link to the page that waits",
        "portal/waiting.py",
        "0.0 if is_old else _HELD",
        "portal/test_waiting.py",
        "_HELD",
    ),
    Defence(
        "the mark of an id that is waited for",
        "stores/tickets.py",
        'any(compare_digest(marked, key.hex().encode()) for key in self._keys.indexes("waiting", given))',
        "portal/test_waiting.py",
        "True",
    ),
)
