"""What policy answers to the people of docs/how-to/write-a-path-rule.md, in the words of its table."""

from gateway.config.compile.build import build
from gateway.config.compile.compiler import compile_files
from gateway.config.folder.files import Files
from gateway.config.snapshot import App
from gateway.model.decision import Allow, Challenge
from gateway.model.identity import Identity
from gateway.policy.decide import decide
from gateway.wire.target import canonical_target

_GATEWAY = """
version: 1
portal: http://portail.localhost:8080
listen: [{address: 127.0.0.1:8080}]
store: {type: memory, keys: [{id: k1, secret: "0123456789012345678901234567890123456789"}]}
development: true
"""
_PROVIDER = """
version: 1
provider: metropole
oidc: {issuer: https://op.example, client_id: ecluse, client_authentication: none}
attributes: {groups: groups, mail: email}
"""


def _person(group: str, domain: str) -> Identity:
    attributes = {"groups": (group,), **({"mail": (f"a@{domain}",)} if domain else {})}
    return Identity(provider="metropole", issuer="https://op.example", subject="a", attributes=attributes)


# The columns, from the left.
PEOPLE = (
    None,
    _person("instructeurs", "metropole.example"),
    _person("administrateurs", "metropole.example"),
    _person("administrateurs", "prefecture.example"),
    _person("administrateurs", ""),
)


def app_of(text: str) -> App:
    texts = {"gateway.yaml": _GATEWAY, "providers/metropole.yaml": _PROVIDER, "apps/example.yaml": text}
    files = Files("policies", "/policies", {path: content.encode() for path, content in texts.items()})
    (app,) = build(compile_files(files).plan).apps.values()
    return app


def answer(app: App, request: str, person: Identity | None) -> str:
    method, path = request.split(" ")
    target = canonical_target(path.encode(), app.leniency)
    match decide(app.routes.find(target.segments), method, person):
        case Allow():
            return "allowed"
        case Challenge():
            return "sign in"
        case refused:
            return f"`{refused.reason.id}`"
