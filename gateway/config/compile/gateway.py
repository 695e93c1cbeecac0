"""gateway.yaml as the plan has it."""

import posixpath
from collections.abc import Iterator

from gateway.config.check.pem import names_and_end
from gateway.config.compile.design import plan_dsfr
from gateway.config.compile.frozen import Material, frozen
from gateway.config.compile.rates import rates_of
from gateway.config.compile.tokens import plan_token_keys
from gateway.config.exchange_limits import BufferSettings, Timeouts
from gateway.config.keyring import read_keyring
from gateway.config.problems import Path
from gateway.config.schema.app_tokens import USUAL_ROTATION
from gateway.config.schema.forward_auth import ForwardAuthSection
from gateway.config.schema.gateway import GatewayFile, TlsSection
from gateway.config.schema.saml import SamlSelfSection
from gateway.config.schema.scim import ScimSection
from gateway.config.schema.store import StoreSection, StoreServerSection
from gateway.config.snapshot import Gateway, Limits, Listener, ListenerCertificate
from gateway.model.forward_auth import ForwardAuth
from gateway.model.kept_post import PostsSettings
from gateway.model.scim import ScimClient, ScimDirectories
from gateway.model.store_server import Sentinels, StoreServer
from gateway.model.theme import Theme
from gateway.saml.parties import Contact, KeyPair, Organization, SecondOpinion, ServiceProvider

METADATA_PATH = "/_ecluse/saml/metadata"
_SAML = "/_ecluse/saml/"


def plan_gateway(file: str, model: GatewayFile, material: Material, root: str) -> Gateway:
    """`root`: the policy folder, which relative paths start from."""
    limits = model.limits
    networks = [(each.network, each.connections) for each in limits.networks]
    return frozen(
        Gateway,
        model,
        listeners=_listeners(file, model, material),
        admin=_admin(model.admin, root),
        state_folder=_below(root, model.state),
        posts=frozen(
            PostsSettings,
            model.posts,
            folder=_below(
                root, posixpath.join(model.state, "posts") if model.posts.folder is None else model.posts.folder
            ),
        ),
        buffers=frozen(
            BufferSettings,
            model.buffers,
            folder=_below(root, model.buffers.folder or posixpath.join(model.state, "buffers")),
        ),
        store=model.store.type,
        store_grace=model.store.grace,
        store_server=None if model.store.server is None else _store_server(file, model.store.server, material),
        store_keys=_store_keys(file, model.store, material),
        link_keys=tuple(
            (key.id, material[file, ("accounts", "keys", index, "secret")])
            for index, key in enumerate(model.accounts.keys if model.accounts is not None else ())
        ),
        scim=_scim(file, model.scim, material),
        forward_auth=None if model.forward_auth is None else _forward_auth(file, model.forward_auth, material),
        workers=workers_of(model),
        token_keys=() if model.tokens is None else plan_token_keys(file, model.tokens, material),
        token_rotation=_rotation(model),
        service_provider=None if model.saml is None else _ourselves(file, model.saml, model.portal.origin, material),
        second_opinion=None if model.saml is None else _second_opinion(model.saml),
        hsts=model.kept_to_https,
        portal_url=model.portal.origin,
        portal_host=model.portal.host,
        theme=frozen(
            Theme,
            model.theme,
            logo=material.get((file, ("theme", "logo"))),
            dsfr=None if model.theme.dsfr is None else plan_dsfr(file, model.theme.dsfr, material),
        ),
        timeouts=frozen(Timeouts, model.timeouts),
        limits=frozen(
            Limits,
            limits,
            headers_bytes=limits.headers,
            headers_count=limits.header_count,
            requests=None if limits.requests is None else rates_of(limits.requests),
            networks=tuple(sorted(networks, key=lambda each: each[0].prefixlen, reverse=True)),
        ),
    )


def _scim(file: str, section: ScimSection | None, material: Material) -> ScimDirectories:
    if section is None:
        return ScimDirectories()
    clients = tuple(
        ScimClient(
            name=client.name,
            provider=client.provider,
            tokens=tuple(
                material[file, ("scim", "clients", index, "tokens", number)] for number in range(len(client.tokens))
            ),
            named_by=client.named_by,
            person=client.person,
            tenants=frozenset(client.siret) if client.siret else None,
        )
        for index, client in enumerate(section.clients)
    )
    keys = tuple((key.id, material[file, ("scim", "keys", at, "secret")]) for at, key in enumerate(section.keys))
    return ScimDirectories(clients, keys)


def _forward_auth(file: str, section: ForwardAuthSection, material: Material) -> ForwardAuth:
    return ForwardAuth(material[file, ("forward_auth", "secret")], section.host or "")


def _store_server(file: str, server: StoreServerSection, material: Material) -> StoreServer:
    path = ("store", "server")
    sentinel = server.sentinel
    return frozen(
        StoreServer,
        server,
        addresses=server.places,
        cluster=bool(server.cluster),
        sentinels=None
        if sentinel is None
        else frozen(Sentinels, sentinel, password=material.get((file, (*path, "sentinel", "password")), b"")),
        password=material.get((file, (*path, "password")), b""),
        tls=server.tls is not None,
        ca=material.get((file, (*path, "tls", "ca"))),
        strict=server.lacks == "refuse",
    )


def _rotation(model: GatewayFile) -> int:
    if model.tokens is None:
        return USUAL_ROTATION
    return 0 if model.tokens.keys else model.tokens.rotate


def workers_of(model: GatewayFile) -> int:
    """The number of workers; 0: one on each core. A store in memory is not shared, so it gets one worker if the file
    gives no number."""
    return model.workers or (1 if model.store.type == "memory" else 0)


def _listeners(file: str, model: GatewayFile, material: Material) -> tuple[Listener, ...]:
    return tuple(
        Listener(
            listen.address,
            () if listen.tls is None else tuple(_certificates(file, ("listen", index, "tls"), listen.tls, material)),
            redirects=model.redirects(listen),
            proxies=tuple(listen.proxy_protocol),
        )
        for index, listen in enumerate(model.listen)
    )


def _certificates(file: str, path: Path, tls: TlsSection, material: Material) -> Iterator[ListenerCertificate]:
    for place in (path, *((*path, "others", index) for index in range(len(tls.others)))):
        certificate = material[file, (*place, "certificate")]
        names, ends = names_and_end(certificate)
        yield ListenerCertificate(certificate, material[file, (*place, "key")], names, ends)


def _admin(address: str, root: str) -> str:
    return f"unix:{_below(root, address.removeprefix('unix:'))}" if address.startswith("unix:") else address


def _below(root: str, path: str) -> str:
    return posixpath.normpath(posixpath.join(root, path))


def _store_keys(file: str, store: StoreSection, material: Material) -> tuple[tuple[str, bytes], ...]:
    if (ring := material.get((file, ("store", "keyring")))) is not None:
        return tuple((key.id, key.parts["secret"].encode()) for key in read_keyring(ring).keys)
    return tuple((key.id, material[file, ("store", "keys", index, "secret")]) for index, key in enumerate(store.keys))


def _ourselves(file: str, own: SamlSelfSection, portal: str, material: Material) -> ServiceProvider:
    keys = [
        KeyPair(
            key.id,
            material[file, ("saml", "keys", index, "key")],
            material[file, ("saml", "keys", index, "certificate")],
        )
        for index, key in enumerate(own.keys)
    ]
    if (ring := material.get((file, ("saml", "keyring")))) is not None:
        keys = [
            KeyPair(key.id, key.parts["key"].encode(), key.parts["certificate"].encode())
            for key in read_keyring(ring).keys
        ]
    organization = own.organization
    return service_provider(
        portal,
        tuple(keys),
        entity_id=own.entity_id,
        contacts=tuple(frozen(Contact, contact) for contact in own.contacts),
        organization=None
        if organization is None
        else frozen(Organization, organization, display_name=organization.display_name or organization.name),
        requested=None if own.requested == "none" else own.requested,
        discovery=own.discovery or "",
    )


def _second_opinion(own: SamlSelfSection) -> SecondOpinion | None:
    wanted = own.second_opinion
    return None if wanted is None else SecondOpinion(wanted.by, wanted.mode == "deny")


def service_provider(
    portal: str,
    keys: tuple[KeyPair, ...],
    *,
    entity_id: str | None = None,
    contacts: tuple[Contact, ...] = (),
    organization: Organization | None = None,
    requested: tuple[str, ...] | None = (),
    discovery: str = "",
) -> ServiceProvider:
    """`portal`: its URL, without a path. `entity_id` None: the address of our metadata."""
    return ServiceProvider(
        entity_id=entity_id or portal + METADATA_PATH,
        acs=f"{portal}{_SAML}acs",
        artifact_acs=f"{portal}{_SAML}artifact",
        logout=f"{portal}{_SAML}logout",
        logout_soap=f"{portal}{_SAML}soap",
        keys=keys,
        contacts=contacts,
        organization=organization,
        requested=requested,
        discovery=discovery,
        discovery_response=f"{portal}{_SAML}discovery",
    )
