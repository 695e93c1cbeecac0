"""The text of a first provider file, in the layout of `ecluse fmt`."""

import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field

from gateway.config.draft.openid import OpenidProposal
from gateway.config.draft.saml import SamlProposal
from gateway.config.draft.words import comment, mapping, scalar, sequence

# Names that a comment lists; a provider may announce hundreds.
_LISTED = 30


@dataclass(frozen=True, slots=True)
class AssertedBounds:
    """The limits of the provider's assertions. None: no limit."""

    siret: tuple[str, ...] | None = None
    email_domains: tuple[str, ...] | None = None
    scopes: tuple[str, ...] | None = None

    @property
    def is_without_limit(self) -> bool:
        return self.siret is None and self.email_domains is None and self.scopes is None


@dataclass(frozen=True, slots=True)
class Chosen:
    """The operator's answers. Paths are as the file writes them, relative to the policy folder.

    `label`: by language; "" stands for all; empty: the preset's label, or the name.
    `ca`: the path of a certificate authority; empty: the system's.
    """

    name: str
    bounds: AssertedBounds
    label: Mapping[str, str] = field(default_factory=dict)
    ca: str = ""
    private_addresses: bool = False


@dataclass(frozen=True, slots=True)
class ClientOf:
    """Our account at an OpenID provider. `secret`, `keyring`: paths; empty: the method needs none."""

    id: str
    secret: str = ""
    keyring: str = ""


@dataclass(frozen=True, slots=True)
class MetadataOf:
    """Where a SAML provider's metadata come from: a file, or an address with the key that signs there.

    `key`: the path of the key; empty: the operator trusts the address by TLS alone.
    """

    file: str = ""
    url: str = ""
    key: str = ""


def openid_text(proposal: OpenidProposal, chosen: Chosen, client: ClientOf) -> bytes:
    oidc = {
        "issuer": "" if proposal.has_issuer else scalar(proposal.issuer),
        "client_id": scalar(client.id),
        "client_secret": _file(client.secret),
        "client_authentication": proposal.client_authentication or "",
        "client_keyring": _file(client.keyring),
        "scopes": sequence(proposal.scopes) if proposal.scopes else "",
        "algorithms": sequence(proposal.algorithms) if proposal.algorithms else "",
        "userinfo": "" if proposal.userinfo is None else "false",
        "ca": _file(chosen.ca),
        "private_addresses": "true" if chosen.private_addresses else "",
    }
    lines = [*_head(chosen, proposal.preset or ""), "", "oidc:", *_lines(oidc, "  ")]
    lines += _attributes(proposal.attributes, proposal.others, "Also announced")
    lines += _bounds(chosen.bounds, proposal.tenant)
    return _text(lines)


def saml_text(proposal: SamlProposal, chosen: Chosen, source: MetadataOf) -> bytes:
    lines = [*_head(chosen, ""), "", "saml:", f"  entity_id: {scalar(proposal.entity_id)}", *_metadata(source)]
    advice = proposal.product.advice if proposal.product is not None else ()
    lines += [f"  {comment(line)}" for line in advice]
    rest = {
        "common": sequence(proposal.common),
        "ca": _file(chosen.ca),
        "private_addresses": "true" if chosen.private_addresses else "",
    }
    lines += _lines(rest, "  ")
    lines += _attributes(proposal.attributes, proposal.others, "Also offered")
    lines += _bounds(chosen.bounds, proposal.tenant)
    return _text(lines)


def _head(chosen: Chosen, preset: str) -> list[str]:
    label = chosen.label
    of_all = scalar(label[""]) if set(label) == {""} else mapping(label) if label else ""
    keys = {"version": "1", "provider": scalar(chosen.name), "preset": preset, "label": of_all}
    return list(_lines(keys, ""))


def _metadata(source: MetadataOf) -> Iterator[str]:
    if source.file:
        yield f"  metadata: {_file(source.file)}"
        return
    yield "  metadata:"
    yield f"    url: {scalar(source.url)}"
    if source.key:
        yield f"    keys: [{_file(source.key)}]"
    else:
        yield "    unsigned_metadata_believed_from_tls_alone: true"


def _attributes(attributes: Mapping[str, str], others: tuple[str, ...], title: str) -> Iterator[str]:
    if attributes:
        yield from ("", "attributes:")
        yield from (f"  {scalar(name)}: {scalar(source)}" for name, source in attributes.items())
    if others:
        more = " ..." if len(others) > _LISTED else ""
        yield comment(f"{title}: {', '.join(others[:_LISTED])}{more}")


def _bounds(bounds: AssertedBounds, tenant: str) -> Iterator[str]:
    if tenant:
        yield f"tenant: {tenant}"
    yield ""
    if bounds.is_without_limit:
        yield comment("No perimeter: this provider may assert anything about anybody.")
        return
    yield "asserts:"
    if bounds.siret is not None:
        # Quoted: a number would lose its zeros.
        yield f"  siret: [{', '.join(map(json.dumps, bounds.siret))}]"
    if bounds.email_domains is not None:
        yield f"  email_domains: {sequence(bounds.email_domains)}"
    if bounds.scopes is not None:
        yield f"  scopes: {sequence(bounds.scopes)}"


def _lines(keys: Mapping[str, str], indent: str) -> Iterator[str]:
    return (f"{indent}{key}: {value}" for key, value in keys.items() if value)


def _file(path: str) -> str:
    return f"{{file: {scalar(path)}}}" if path else ""


def _text(lines: list[str]) -> bytes:
    return ("\n".join(lines) + "\n").encode()
