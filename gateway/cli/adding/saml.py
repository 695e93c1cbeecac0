"""Questions about a new SAML provider: the operator vouches for the keys."""

from argparse import Namespace
from collections.abc import Sequence
from typing import Final

from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat, load_der_public_key
from cryptography.x509 import load_der_x509_certificate

from gateway.cli.adding.addition import Addition, Rows, say_rows
from gateway.cli.adding.bounds import ask_bounds
from gateway.cli.adding.place import PolicyFolder, ask_name, host_of, mapped
from gateway.cli.exits import Exit
from gateway.cli.fingerprints import about, fingerprint, unconfirmed, wrong_fingerprint
from gateway.cli.new_files import NewFile
from gateway.cli.questions import NotWritten, Prompts
from gateway.config.compile.gateway import METADATA_PATH, service_provider
from gateway.config.draft.provider import Chosen, MetadataOf, saml_text
from gateway.config.draft.saml import SamlProposal, propose_saml
from gateway.federation.first_look import SamlLook
from gateway.model.codes import config_codes, saml_codes
from gateway.saml.key_info import NamedKey
from gateway.saml.parties import ServiceProvider

_OURS: Final = """\
gateway.yaml has no keys for SAML. Make them, and name them in gateway.yaml, then run this command again:
  ecluse key new saml {keyring}
  saml: {{keyring: {{file: {reference}}}}}"""
_COMPARE: Final = """\
Compare these fingerprints with the provider's administrator, by telephone for example: whoever could answer in the
provider's place could have written them."""
_UNSIGNED: Final = """\
The metadata are not signed. A kept copy is trusted as it is now; somebody has to renew it when the provider changes its
keys. Fetched again by TLS alone, they renew themselves, and whoever controls that web server can replace the keys."""


def ask_saml(told: Namespace, place: PolicyFolder, look: SamlLook, questions: Prompts, chosen: Chosen) -> Addition:
    """`chosen`: the answers for both protocols, without name and perimeter. Raises NotWritten."""
    if told.client_id or told.client_secret or told.preset:
        raise NotWritten("--client-id, --client-secret and --preset are for OpenID Connect, and this is SAML")
    if place.gateway.saml is None:
        keyring = place.certs / "saml.keyring"
        raise NotWritten(_OURS.format(keyring=keyring, reference=place.reference(keyring)), Exit.FOUND)
    proposal = propose_saml(look.offer, mapped(told))
    if not told.as_json:
        say_rows("SAML 2.0", _facts(look, proposal))
    _confirm_entity(told, look, questions)
    is_copy = _is_copy(told, look, questions)
    vouched = look.offer.keys if look.offer.signer is None or is_copy else (look.offer.signer,)
    _confirm_keys(told, vouched, questions)
    name = ask_name(told, place, questions, host_of(look.address))
    bounds = ask_bounds(told, questions, has_tenant=bool(proposal.tenant), scopes=proposal.scopes)
    questions.refuse_missing()
    source, beside = _source(place, look, name, is_copy=is_copy)
    label = chosen.label or proposal.labels
    chosen = Chosen(name, bounds, label, chosen.ca, chosen.private_addresses)
    ours = _ourselves(place)
    facts = {
        "protocol": "saml",
        "entity_id": proposal.entity_id,
        "product": None if proposal.product is None else proposal.product.label,
        "fingerprints": [fingerprint(key) for key in vouched],
        "register": {
            "entity_id": ours.entity_id,
            "assertion_consumer_service": ours.acs,
            "single_logout": ours.logout,
            "single_logout_soap": ours.logout_soap,
        },
    }
    return Addition(name, saml_text(proposal, chosen, source), beside, _register(place, ours), facts)


def _facts(look: SamlLook, proposal: SamlProposal) -> Rows:
    offered, signer = look.offer.attributes, look.offer.signer
    return (
        ("entityID", proposal.entity_id),
        ("product", "not recognised" if proposal.product is None else proposal.product.label),
        ("metadata", "not signed" if signer is None else f"signed by {about(signer)}"),
        *(("signs with", about(key)) for key in look.offer.keys),
        ("offers", ", ".join(offered[:8]) if offered else "attributes that its metadata do not list"),
    )


def _ourselves(place: PolicyFolder) -> ServiceProvider:
    own = place.gateway.saml
    return service_provider(place.gateway.portal.origin, (), entity_id=None if own is None else own.entity_id)


def _register(place: PolicyFolder, ours: ServiceProvider) -> Rows:
    return (
        ("metadata", f"{place.gateway.portal.origin}{METADATA_PATH} (or the output of `ecluse metadata`)"),
        ("entityID", ours.entity_id),
        ("assertion consumer service", f"{ours.acs} (POST)"),
        ("single logout", f"{ours.logout} (Redirect and POST), {ours.logout_soap} (SOAP)"),
        ("signature", "of the assertion, with SHA-256"),
    )


def _confirm_entity(told: Namespace, look: SamlLook, questions: Prompts) -> None:
    """Asks about an entityID on a host other than the host of the address: a mix-up, or a forgery."""
    entity, host = look.offer.metadata.entity_id, host_of(look.address)
    if told.entity_id or host_of(entity) == host:
        return
    question = f"The entityID {entity} is not on the host {host}. Is this the provider's entityID?"
    if questions.agrees(question, usually=False):
        return
    if questions.asks:
        raise NotWritten("nothing is written", Exit.FOUND)
    why = f"the entityID {entity} is not on the host {host}; if it is the provider's: --entity-id {entity}"
    raise NotWritten(why, Exit.FOUND, saml_codes.METADATA_ENTITY.id)


def _is_copy(told: Namespace, look: SamlLook, questions: Prompts) -> bool:
    """Whether a copy of the metadata is kept, instead of fetching the metadata again and again."""
    if told.keep_copy and told.trust_tls:
        raise NotWritten("--keep-copy and --trust-tls contradict each other: leave one out")
    if look.offer.signer is not None:
        if told.trust_tls:
            raise NotWritten("--trust-tls is for metadata without a signature, and these are signed")
        return bool(told.keep_copy)
    if told.keep_copy or told.trust_tls:
        return bool(told.keep_copy)
    questions.say()
    questions.say(_UNSIGNED)
    return questions.agrees("Keep a copy?", usually=True)


def _confirm_keys(told: Namespace, keys: Sequence[NamedKey], questions: Prompts) -> None:
    """Raises NotWritten unless the operator has confirmed every key."""
    for given in told.fingerprint:
        if why := wrong_fingerprint(given):
            raise NotWritten(f"--fingerprint {given}: {why}")
    shown = tuple((fingerprint(key), about(key)) for key in keys)
    if not told.as_json:
        say_rows("\nFingerprints (SHA-256) of the keys that the gateway will trust:", shown)
    left, wrong = unconfirmed(keys, told.fingerprint)
    if wrong:
        listed = ", ".join(wrong)
        why = (
            f"no key of the provider has the fingerprint {listed}: do not go on before its administrator explains this"
        )
        raise NotWritten(why, Exit.FOUND, config_codes.FINGERPRINT.id)
    if not left:
        return
    if questions.asks:
        questions.say(_COMPARE)
        if not questions.agrees("Are they the same?", usually=False):
            raise NotWritten("the fingerprints are not confirmed: nothing is written", Exit.FOUND)
        return
    for key in left:
        questions.miss(f"--fingerprint SHA256, as the provider's administrator gives it, of the key {about(key)}")


def _source(place: PolicyFolder, look: SamlLook, name: str, *, is_copy: bool) -> tuple[MetadataOf, tuple[NewFile, ...]]:
    if is_copy:
        path = place.certs / f"{name}.xml"
        return MetadataOf(file=place.reference(path)), (NewFile(path, look.document),)
    signer = look.offer.signer
    if signer is None:
        return MetadataOf(url=look.address), ()
    path = place.certs / f"{name}-metadata.pem"
    return MetadataOf(url=look.address, key=place.reference(path)), (NewFile(path, _pem(signer)),)


def _pem(key: NamedKey) -> bytes:
    if key.certificate is not None:
        return load_der_x509_certificate(key.certificate).public_bytes(Encoding.PEM)
    return load_der_public_key(key.spki).public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo)
