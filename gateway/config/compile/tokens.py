"""The tokens of an application as they are served, and the keys that sign them."""

from collections.abc import Iterator

from gateway.config.check.tokens import spare_of
from gateway.config.compile.served import Material
from gateway.config.schema.app import AppFile
from gateway.config.schema.app_tokens import BasicSection, ClaimSection, JwtSection, TokensSection
from gateway.config.schema.gateway import GatewayFile
from gateway.model.names import fold
from gateway.tokens.jwt import signing_key
from gateway.tokens.spec import BasicSpec, Carrier, JwtSpec, SigningKey, TokenClaim, TokenSpec


def serve_token_keys(file: str, tokens: TokensSection, material: Material) -> tuple[SigningKey, ...]:
    return tuple(
        signing_key(key.algorithm, material[file, ("tokens", "keys", index, "key")])
        for index, key in enumerate(tokens.keys)
    )


def serve_tokens(model: AppFile, gateway: GatewayFile) -> tuple[TokenSpec, ...]:
    return tuple(_specs(model, gateway))


def serve_basic(file: str, basic: BasicSection, material: Material) -> BasicSpec:
    account = TokenClaim("account", basic.account.source, basic.account.value or "")
    password = material[file, ("translate", "basic", "password")].decode()
    return BasicSpec(account, password, "latin-1" if basic.encoding == "latin1" else "utf-8")


def _specs(model: AppFile, gateway: GatewayFile) -> Iterator[TokenSpec]:
    token = model.translate.jwt
    if token is not None:
        yield JwtSpec(
            carrier=_carrier(token),
            issuer=gateway.portal.origin,
            audience=token.audience or model.app,
            algorithm=token.algorithm,
            life=token.life,
            spare=spare_of(gateway),
            claims=tuple(_claim(name, claim) for name, claim in token.claims.items()),
        )


def _carrier(token: JwtSection) -> Carrier:
    if token.cookie is not None:
        return Carrier("cookie", token.cookie)
    name = token.header or ""
    # RFC 6750 2.1
    return Carrier("header", name, "Bearer" if fold(name.encode()) == b"authorization" else "")


def _claim(name: str, claim: ClaimSection) -> TokenClaim:
    return TokenClaim(name, claim.source, claim.value or "", claim.list)
