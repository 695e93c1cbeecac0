"""Questions about a new OpenID provider: the account of the gateway at the provider."""

import time
from argparse import Namespace
from dataclasses import asdict
from pathlib import Path
from typing import Final, get_args

from gateway.cli.adding.addition import Addition, Rows, say_rows
from gateway.cli.adding.bounds import ask_bounds
from gateway.cli.adding.place import PolicyFolder, ask_name, host_of, mapped
from gateway.cli.exits import Exit
from gateway.cli.key import first_keyring
from gateway.cli.new_files import NewFile
from gateway.cli.questions import NotWritten, Prompts
from gateway.config.draft.openid import OpenidProposal, propose_openid
from gateway.config.draft.provider import Chosen, ClientOf, openid_text
from gateway.config.presets import PresetName, preset
from gateway.config.problems import did_you_mean
from gateway.federation.first_look import OpenidLook
from gateway.federation.registration import registration

_WITH_SECRET: Final = ("client_secret_basic", "client_secret_post", "client_secret_jwt")
# Providers read keys with RS256 everywhere.
_KEY_ALGORITHM: Final = "RS256"
_LISTED: Final = 8


def ask_openid(told: Namespace, place: PolicyFolder, look: OpenidLook, questions: Prompts, chosen: Chosen) -> Addition:
    """`chosen`: the answers for both protocols, without name and perimeter. Raises NotWritten."""
    if told.fingerprint or told.entity_id or told.trust_tls or told.keep_copy:
        raise NotWritten(
            "--fingerprint, --entity-id, --trust-tls and --keep-copy are for SAML, and this is OpenID Connect"
        )
    if told.preset is not None and told.preset not in get_args(PresetName):
        known = did_you_mean(told.preset, get_args(PresetName)) or f"known: {', '.join(get_args(PresetName))}"
        raise NotWritten(f"--preset {told.preset}: no such preset ({known})")
    proposal = propose_openid(look.metadata, look.announcement, told.preset, mapped(told))
    if not told.as_json:
        say_rows("OpenID Connect", tuple(_facts(look, proposal)))
    for doubt in proposal.doubts:
        questions.say(f"  note: {doubt}")
    name = ask_name(told, place, questions, host_of(proposal.issuer))
    register = _register(place.gateway.portal.origin, name or "NAME", proposal)
    if not told.as_json:
        say_rows("\nWhat the provider's administrator enters for this gateway:", register)
    client, beside = _client(told, place, questions, proposal, name)
    bounds = ask_bounds(told, questions, has_tenant=_has_tenant(proposal))
    questions.refuse_missing()
    chosen = Chosen(name, bounds, chosen.label, chosen.ca, chosen.private_addresses)
    facts = {
        "protocol": "openid",
        "issuer": proposal.issuer,
        "preset": proposal.preset,
        "client_authentication": proposal.authentication,
        "doubts": list(proposal.doubts),
        "register": asdict(registration(place.gateway.portal.origin, name)),
    }
    return Addition(name, openid_text(proposal, chosen, client), beside, register, facts)


def _facts(look: OpenidLook, proposal: OpenidProposal) -> Rows:
    keys = [f"{key.kid or 'without a kid'} ({key.kind})" for key in look.keys.keys]
    announced = look.announcement.claims
    more = f" and {len(announced) - _LISTED} more" if len(announced) > _LISTED else ""
    return (
        ("issuer", proposal.issuer),
        ("preset", proposal.preset or "none: this product is not recognised"),
        ("its keys", ", ".join(keys)),
        ("announces", ", ".join(announced[:_LISTED]) + more if announced else "no claims"),
    )


def _register(portal: str, name: str, proposal: OpenidProposal) -> Rows:
    ours = registration(portal, name)
    rows = [
        ("redirect URI", ours.redirect_uri),
        ("post-logout redirect URI", ours.post_logout_redirect_uri),
        ("back-channel logout URI", f"{ours.back_channel_logout_uri} (where the provider has such a setting)"),
        ("flow", "authorization code, with PKCE (S256)"),
        ("client authentication", proposal.authentication),
        ("ID token", f"signed with {' or '.join(proposal.signed_with)}"),
    ]
    if proposal.authentication == "private_key_jwt":
        rows.append(("JWKS URI", ours.jwks_uri))
    return tuple(rows)


def _client(
    told: Namespace, place: PolicyFolder, questions: Prompts, proposal: OpenidProposal, name: str
) -> tuple[ClientOf, tuple[NewFile, ...]]:
    """Our account, and the file with the secret or key."""
    method = proposal.authentication
    if method == "tls_client_auth":
        why = "the provider wants a client certificate: write the file by hand (client_certificate)"
        raise NotWritten(f"{why}, docs/how-to/openid-in-detail.md", Exit.FOUND)
    id = told.client_id or questions.text(
        "\nClient id that the administrator gave (Ctrl-C if you have none yet)", "--client-id ID", "", _wrong_id
    )
    if method == "private_key_jwt":
        path = place.certs / f"{name}-client.keyring"
        content = first_keyring("client", _KEY_ALGORITHM, int(time.time()))
        return ClientOf(id, keyring=place.reference(path)), (NewFile(path, content, secret=True),)
    if method not in _WITH_SECRET:
        return ClientOf(id), ()
    if told.client_secret is not None:
        return ClientOf(id, place.reference(_readable(told.client_secret))), ()
    path = place.certs / f"{name}.secret"
    secret = ""
    while questions.asks and not secret:
        secret = questions.secret(f"Client secret (not shown; written to {path})")
    if not secret:
        questions.miss("--client-secret FILE")
    return ClientOf(id, place.reference(path)), (NewFile(path, f"{secret}\n".encode(), secret=True),)


def _readable(path: Path) -> Path:
    try:
        if not path.read_bytes().strip():
            raise NotWritten(f"--client-secret {path}: this file is empty")
    except OSError as error:
        raise NotWritten(f"--client-secret {path}: {error.strerror}") from None
    return path


def _wrong_id(text: str) -> str:
    return "" if text.isascii() and text.isprintable() and " " not in text else "a client id has no blank in it"


def _has_tenant(proposal: OpenidProposal) -> bool:
    found = preset(proposal.preset) if proposal.preset else None
    return bool(proposal.tenant) or (found is not None and "tenant" in found.under({}))
