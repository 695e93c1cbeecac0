"""A policy folder on free ports, with its keys and state beside it."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

from deploy.demo.ports import free

PORTAL_HOST = "portail.localhost"
ONE, TWO = "one.localhost", "two.localhost"


@dataclass
class Place:
    """`folder`/policies is served. `settings`: further lines of gateway.yaml, by key."""

    folder: Path
    workers: int | None = 2
    store: str = "sqlite"
    settings: dict[str, str] = field(default_factory=dict)

    def __post_init__(self) -> None:
        self.port, self.admin_port, self.upstream_port, self.provider_port = free(4)
        for name in ("policies/apps", "policies/providers", "certs"):
            (self.folder / name).mkdir(parents=True)
        (self.folder / "certs/store.key").write_text("0123456789abcdef" * 4)
        self.write_gateway()

    @property
    def policies(self) -> Path:
        return self.folder / "policies"

    @property
    def database(self) -> Path:
        return self.folder / "var/sessions.sqlite"

    def url(self, host: str = ONE, target: str = "/") -> str:
        return f"http://{host}:{self.port}{target}"

    def portal(self, target: str) -> str:
        return self.url(PORTAL_HOST, target)

    def write_gateway(self) -> None:
        keys = "" if self.store == "memory" else ", keys: [{id: k1, secret: {file: ../certs/store.key}}]"
        lines = {
            "version": "1",
            "portal": f"http://{PORTAL_HOST}:{self.port}",
            "listen": f"[{{address: 127.0.0.1:{self.port}}}]",
            "admin": f"127.0.0.1:{self.admin_port}",
            "state": "../var",
            "store": f"{{type: {self.store}{keys}}}",
            "development": "true",
            **({} if self.workers is None else {"workers": str(self.workers)}),
            **self.settings,
        }
        self.write("gateway.yaml", "".join(f"{key}: {value}\n" for key, value in lines.items()))

    def write(self, path: str, text: str) -> None:
        """Whole or not at all, as an operator's tools do."""
        target = self.policies / path
        beside = target.with_name(f".{target.name}.new")
        beside.write_text(text)
        beside.replace(target)

    def read(self, path: str) -> str:
        return (self.policies / path).read_text()

    def write_provider(self, name: str, issuer: str, **oidc: str) -> None:
        """`oidc`: further lines of that part; `client_secret` among them."""
        lines = {"client_id": "ecluse", "client_secret": "a-secret-of-the-tests", **oidc}
        self.write_only_provider(name, issuer, "corp.example, root.corp.example", lines)

    def write_only_provider(
        self, name: str, issuer: str, domains: str, oidc: Mapping[str, str], more: str = ""
    ) -> None:
        """`oidc`: all lines of that part but its issuer; `more`: further lines of the file."""
        told = "".join(f"  {key}: {value}\n" for key, value in {"issuer": issuer, **oidc}.items())
        attributes = "{uid: preferred_username, mail: email, groups: groups, family_name: family_name}"
        self.write(
            f"providers/{name}.yaml",
            f"version: 1\nprovider: {name}\noidc:\n{told}attributes: {attributes}\n"
            f"asserts: {{email_domains: [{domains}]}}\n{more}",
        )

    def write_app(self, name: str, host: str, *, providers: str = "alpha", access: str = "", **more: str) -> None:
        """`access`: rules in place of the usual ones; `more`: further lines, by key."""
        rules = access or "  - {path: /public/**, allow: anyone}\n  - {path: /**, allow: signed_in}\n"
        lines = {
            "version": "1",
            "app": name,
            "hosts": f"[{host}]",
            "upstream": f"{{url: http://127.0.0.1:{self.upstream_port}}}",
            "providers": f"[{providers}]",
            "translate": "{headers: {X-Remote-User: {from: uid}}}",
            **more,
        }
        text = "".join(f"{key}: {value}\n" for key, value in lines.items())
        self.write(f"apps/{name}.yaml", f"{text}access:\n{rules}")
