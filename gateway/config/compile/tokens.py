"""Compiles the tokens of an application, and the keys that sign tokens."""

from collections.abc import Iterator
from typing import TypeVar

from gateway.config.check.tokens import ASPNET, LTPA2, spare_of
from gateway.config.compile.frozen import Material, frozen
from gateway.config.schema.app import AppFile
from gateway.config.schema.app_tokens import BasicSection, ClaimSection, TokenSection, TokensSection
from gateway.config.schema.gateway import GatewayFile
from gateway.config.schema.tickets import TicketValueSection
from gateway.model.directory import secret_attribute
from gateway.model.names import fold
from gateway.tokens.aspnet import DECRYPTION_KEY_BYTES, VALIDATION_KEY_BYTES, machine_key
from gateway.tokens.jwt import signing_key
from gateway.tokens.ltpa import ltpa_keys
from gateway.tokens.sealed import shared_key
from gateway.tokens.spec import (
    AspNetTicketSpec,
    BasicSpec,
    Carrier,
    JwtSpec,
    Ltpa2Spec,
    SharedKeySpec,
    SigningKey,
    TokenClaim,
    TokenSpec,
)

_Spec = TypeVar("_Spec", JwtSpec, SharedKeySpec)


def plan_token_keys(file: str, tokens: TokensSection, material: Material) -> tuple[SigningKey, ...]:
    return tuple(
        signing_key(key.algorithm, material[file, ("tokens", "keys", index, "key")])
        for index, key in enumerate(tokens.keys)
    )


def plan_tokens(file: str, model: AppFile, gateway: GatewayFile, material: Material) -> tuple[TokenSpec, ...]:
    return tuple(_specs(file, model, gateway, material))


def plan_basic(file: str, basic: BasicSection, material: Material) -> BasicSpec:
    account = TokenClaim("account", basic.account.source, basic.account.value or "")
    password = b"" if basic.password is None else material[file, ("translate", "basic", "password")]
    secret = None if basic.password_from is None else secret_attribute(basic.password_from)
    return BasicSpec(account, password.decode(), secret, "latin-1" if basic.encoding == "latin1" else "utf-8")


def _specs(file: str, model: AppFile, gateway: GatewayFile, material: Material) -> Iterator[TokenSpec]:
    def made(kind: type[_Spec], token: TokenSection, **more: object) -> _Spec:
        return frozen(
            kind,
            token,
            carrier=_carrier(token),
            issuer=gateway.portal.origin,
            audience=token.audience or model.app,
            spare=spare_of(gateway),
            claims=tuple(_claim(name, claim) for name, claim in token.claims.items()),
            **more,
        )

    translate = model.translate
    if translate.jwt is not None:
        yield made(JwtSpec, translate.jwt)
    if translate.sealed is not None:
        key = shared_key(material[file, ("translate", "sealed", "key")])
        yield made(SharedKeySpec, translate.sealed, key=key)
    if (ticket := translate.aspnet_ticket) is not None:
        yield frozen(
            AspNetTicketSpec,
            ticket,
            carrier=Carrier("cookie", ticket.cookie),
            account=_value("account", ticket.account),
            user_data=None if ticket.user_data is None else _value("UserData", ticket.user_data),
            validation_key=machine_key(material[file, (*ASPNET, "validation_key")], VALIDATION_KEY_BYTES),
            decryption_key=machine_key(material[file, (*ASPNET, "decryption_key")], DECRYPTION_KEY_BYTES),
            spare=spare_of(gateway),
        )

    if (token := translate.ltpa2) is not None:
        keys = ltpa_keys(material[file, (*LTPA2, "keys")], material[file, (*LTPA2, "password")])
        yield frozen(
            Ltpa2Spec,
            token,
            carrier=Carrier("cookie", token.cookie),
            account=_value("account", token.account),
            realm=token.realm or keys.realm,
            shared_key=keys.shared,
            private_key=keys.private,
            spare=spare_of(gateway),
        )


def _value(name: str, told: TicketValueSection) -> TokenClaim:
    return TokenClaim(name, told.source, told.value or "")


def _carrier(token: TokenSection) -> Carrier:
    if token.cookie is not None:
        return Carrier("cookie", token.cookie)
    name = token.header or ""
    # RFC 6750 2.1
    return Carrier("header", name, "Bearer" if fold(name.encode()) == b"authorization" else "")


def _claim(name: str, claim: ClaimSection) -> TokenClaim:
    return TokenClaim(name, claim.source, claim.value or "", claim.list)
