"""What two other implementations say of a response, set as strictly as they can be. True: it signs somebody in."""

import base64
from collections.abc import Callable, Mapping
from datetime import UTC, datetime
from typing import Any
from unittest import mock

import pygamlastan
from onelogin.saml2.response import OneLogin_Saml2_Response
from onelogin.saml2.settings import OneLogin_Saml2_Settings
from onelogin.saml2.utils import OneLogin_Saml2_Utils

from tests.saml import parties
from tests.saml.forging import Forgery
from tests.saml.scene import ASKED_FOR, KEY, NOW, OURS, SP

_HOST, _, _PATH = SP.acs.removeprefix("https://").partition("/")


def python3_saml(document: bytes, forgery: Forgery) -> bool:
    asked = ASKED_FOR[forgery.asked]
    settings = OneLogin_Saml2_Settings(_onelogin_settings(forgery), sp_validation_only=False)
    request = {"https": "on", "http_host": _HOST, "script_name": f"/{_PATH}", "get_data": {}, "post_data": {}}
    with mock.patch.object(OneLogin_Saml2_Utils, "now", staticmethod(lambda: NOW)):
        try:
            response = OneLogin_Saml2_Response(settings, base64.b64encode(document).decode())
            return bool(response.is_valid(request, request_id=asked.request_id if asked else None))
        except Exception:
            return False


def gamlastan(document: bytes, forgery: Forgery) -> bool:
    asked = ASKED_FOR[forgery.asked]
    config = pygamlastan.security.SecurityConfig.strict()
    config.clock_skew_seconds = 180
    config.check_client_address = False
    config.require_signed_assertions = _signed(forgery) in ("assertion", "both")
    config.require_signed_responses = _signed(forgery) in ("response", "both")
    config.require_encrypted_assertions = bool(forgery.settings.get("encrypted"))
    config.allow_unsolicited_responses = bool(forgery.settings.get("unsolicited"))
    verifier = pygamlastan.crypto.SamlVerifier.from_cert(KEY.certificate)
    verifier.set_skip_time_checks(True, unsafe_allow_skip_time_checks=True)
    keys = pygamlastan.crypto.KeysManager()
    keys.add_key_pem(OURS.key)
    try:
        pygamlastan.profiles.process_response_verified(
            document.decode(),
            verifier,
            config,
            SP.entity_id,
            SP.acs,
            parties.IDP,
            asked.request_id if asked else None,
            now=datetime.fromtimestamp(NOW, UTC),
            replay_cache=pygamlastan.security.InMemoryReplayCache(),
            unsafe_no_persistent_id_store=True,
            decryptor=pygamlastan.crypto.SamlDecryptor(keys),
        )
    except (pygamlastan.SamlError, ValueError):
        return False
    return True


def _signed(forgery: Forgery) -> str:
    return str(forgery.settings.get("signed", "assertion"))


def _onelogin_settings(forgery: Forgery) -> Mapping[str, Any]:
    asked = ASKED_FOR[forgery.asked]
    return {
        "strict": True,
        "sp": {
            "entityId": SP.entity_id,
            "assertionConsumerService": {"url": SP.acs},
            "x509cert": OURS.certificate.decode(),
            "privateKey": OURS.key.decode(),
        },
        "idp": {
            "entityId": parties.IDP,
            "singleSignOnService": {"url": "https://idp.metropole.example/sso"},
            "x509cert": KEY.certificate.decode(),
        },
        "security": {
            "wantAssertionsSigned": _signed(forgery) in ("assertion", "both"),
            "wantMessagesSigned": _signed(forgery) in ("response", "both"),
            "wantAssertionsEncrypted": bool(forgery.settings.get("encrypted")),
            "rejectDeprecatedAlgorithm": True,
            "failOnAuthnContextMismatch": True,
            "requestedAuthnContext": list(asked.authn_context) if asked and asked.authn_context else False,
            "wantAttributeStatement": False,
        },
    }


OPINIONS: Mapping[str, Callable[[bytes, Forgery], bool]] = {"python3-saml": python3_saml, "pygamlastan": gamlastan}
# A larger document is about our limits alone, and takes one of them ten seconds.
LARGEST = 64 * 1024
