"""Sealed links: AES-256-GCM, each part bound to its issuer, person and application.

A random key seals every link of a file. The file holds this key under each key of gateway.yaml that has opened the
file. So a new key is placed before the old key, and no link has to be sealed again. Links are found by keyed hashes:
without the key, the file does not name its people."""

import hmac
import json
import os
from collections.abc import Callable, Sequence
from contextlib import suppress
from typing import Final

from gateway.accounts.link import AccountLink, NewLink
from gateway.model.account import AccountHolder, same_login
from gateway.model.codes import account_codes
from gateway.model.errors import GatewayError
from gateway.stores.sealing import KEY_BYTES, NONCE_BYTES, SealBinding, draw_key, join, open_sealed, seal

LinkKeys = Sequence[tuple[str, bytes]]
"""(id, secret), the first one current."""

_DATA: Final = "links"


def new_data_key(chance: Callable[[int], bytes] = os.urandom) -> bytes:
    return chance(KEY_BYTES)


def wrapped(
    data_key: bytes, id: str, secret: bytes, chance: Callable[[int], bytes] = os.urandom, of: str = "links"
) -> bytes:
    """The file's key, sealed under the key `id` of gateway.yaml. `of`: the content of the file."""
    key = draw_key(secret, f"{of}/wrap".encode())
    return seal(data_key, key=key, key_id=id, nonce=chance(NONCE_BYTES), binding=SealBinding(f"{of}-key", id))


def unwrapped(found: Sequence[tuple[str, bytes]], keys: LinkKeys, of: str = "links") -> bytes:
    """The file's key. `found`: (id, wrapped) pairs of the file. Raises GatewayError(account_codes.KEY) if `keys` open
    no pair."""
    secrets = dict(keys)
    for id, record in found:
        if id in secrets:
            with suppress(GatewayError):
                key = draw_key(secrets[id], f"{of}/wrap".encode())
                return open_sealed(record, key=key, binding=SealBinding(f"{of}-key", id))
    ids = [id for id, _ in found]
    if wrong := [id for id in ids if id in secrets]:
        raise GatewayError(
            account_codes.KEY, f"the key `{wrong[0]}` of gateway.yaml is not the one that sealed the {of}"
        )
    there, have = (", ".join(sorted(names)) or "none" for names in (ids, secrets))
    raise GatewayError(account_codes.KEY, f"the {of} are sealed under the key {there}, and gateway.yaml has {have}")


class LinkSeals:
    """Seals and opens links with the key of one file."""

    def __init__(self, data_key: bytes, chance: Callable[[int], bytes] = os.urandom) -> None:
        self._chance = chance
        self._index, self._holder, self._login, self._secret = (
            draw_key(data_key, b"links/" + purpose) for purpose in (b"index", b"holder", b"login", b"secret")
        )

    def found_by(self, holder: AccountHolder) -> bytes:
        """The hash by which a person's link is found, 32 bytes."""
        return self._hash("holder", holder.application, holder.issuer, holder.person)

    def login_hash(self, application: str, login: str) -> bytes:
        """A hash that is equal for all links of an application with the same login."""
        return self._hash("login", application, same_login(login))

    def sealed(self, new: NewLink, since: int) -> tuple[bytes, bytes, bytes | None]:
        """The sealed parts of a link: the person, the login, and the secret (None without a secret)."""
        holder = new.holder
        whose = _text([holder.issuer, holder.person])
        login = _text([new.login, since, new.by])
        bound = _bound(holder, new.login)
        secret = None if new.secret is None else self._seal(new.secret.encode(), self._secret, bound)
        return (
            self._seal(whose, self._holder, self._of_row(holder.application, self.found_by(holder))),
            self._seal(login, self._login, _bound(holder)),
            secret,
        )

    def whose(self, application: str, found_by: bytes, record: bytes) -> AccountHolder:
        """Raises GatewayError(account_codes.RECORD)."""
        issuer, person = json.loads(self._open(record, self._holder, self._of_row(application, found_by)))
        return AccountHolder(application, issuer, person)

    def opened(self, holder: AccountHolder, record: bytes, secret: bytes | None) -> AccountLink:
        """Raises GatewayError(account_codes.RECORD)."""
        login, since, by = json.loads(self._open(record, self._login, _bound(holder)))
        return AccountLink(holder, login, since, by, secret, record)

    def secret(self, link: AccountLink) -> str:
        """Raises GatewayError(account_codes.RECORD)."""
        assert link.secret is not None
        return self._open(link.secret, self._secret, _bound(link.holder, link.login)).decode()

    def _hash(self, *parts: str) -> bytes:
        return hmac.digest(self._index, join(*(part.encode("utf-8", "surrogatepass") for part in parts)), "sha256")

    def _seal(self, plain: bytes, key: bytes, binding: SealBinding) -> bytes:
        return seal(plain, key=key, key_id=_DATA, nonce=self._chance(NONCE_BYTES), binding=binding)

    def _open(self, record: bytes, key: bytes, binding: SealBinding) -> bytes:
        try:
            return open_sealed(record, key=key, binding=binding)
        except GatewayError as error:
            raise GatewayError(account_codes.RECORD, error.detail) from None

    def _of_row(self, application: str, found_by: bytes) -> SealBinding:
        return SealBinding("account-holder", found_by.hex(), application)


def _bound(holder: AccountHolder, *more: str) -> SealBinding:
    return SealBinding("account-link", _text([holder.issuer, holder.person, *more]).decode(), holder.application)


def _text(values: Sequence[object]) -> bytes:
    return json.dumps(values, ensure_ascii=False, separators=(",", ":")).encode()
