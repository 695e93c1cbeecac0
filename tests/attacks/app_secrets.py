"""SS05: secrets and application files. None stands there in clear, none names the gateway's or a provider's.

Asked of `ecluse check`, as in SS04.1, in a folder of its own with an application's file for each spelling.
"""

import os
import tempfile
from pathlib import Path

from tests.attacks import outbound
from tests.attacks.cases import Case, expect, uncontrolled
from tests.attacks.world import World, free_ports

# What the files name beside these, and `ecluse check` shows to nobody.
PLANTED = "planted-in-clear"
APP = """version: 1
app: {name}
hosts: [{name}{domain}.localhost]
upstream: {{url: "https://127.0.0.1:9"}}
providers: [op]
access: [{{path: /**, allow: anyone}}]
translate:
  headers:
{lines}
"""
IN_CLEAR = {
    "basic": f"    Authorization: {{value: 'Basic {PLANTED}'}}",
    "whatever": f"    Authorization: {{value: {PLANTED}}}",
    "another-header": f"    X-Service: {{value: 'Bearer {PLANTED}'}}",
    "small-letters": f"    X-Service: {{value: 'bearer {PLANTED}'}}",
    "signed": f"    X-Service: {{value: 'eyJhbGciOiJub25lIn0.{PLANTED}.x'}}",
    "address": f"    X-Service: {{value: 'https://user:{PLANTED}@host/'}}",
    "key": f"    X-Api-Key: {{value: {PLANTED}}}",
    "key-in-french": f"    X-Cle-API: {{value: {PLANTED}}}",
    "absent": f"    X-Api-Key: {{from: uid, absent: {PLANTED}}}",
    "table": f"    X-Service: {{from: uid, transforms: [{{table: {{a: 'Bearer {PLANTED}'}}}}]}}",
    "template": f"    X-Service: {{template: 'https://user:{PLANTED}@host/{{uid}}'}}",
    "cookie": f"    X-Mode: {{value: open}}\n  cookies: {{api_key: {{value: {PLANTED}}}}}",
    "short-name": f"    X-Pwd: {{value: {PLANTED}}}",
    "escaped-tab": f'    X-Service: {{value: "Basic\\t{PLANTED}"}}',
    "query": f"    X-Service: {{value: 'https://host/?a=b&api_key={PLANTED}'}}",
    "connection": f"    X-Service: {{value: 'Server=x;Password={PLANTED};'}}",
    "json": f'    X-Service: {{value: \'{{"password": "{PLANTED}"}}\'}}',
    "github": f"    X-Service: {{value: 'ghp_{PLANTED}'}}",
    "signature": f"    X-Signature: {{value: {PLANTED}}}",
    "one-time": f"    X-Otp: {{value: {PLANTED}-123456}}",
    "proof": f"    X-Auth: {{value: {PLANTED}-0a1b2c}}",
    "session": f"    X-Session-Id: {{value: {PLANTED}}}",
    "session-cookie": f"    X-Mode: {{value: open}}\n  cookies: {{JSESSIONID: {{value: {PLANTED}}}}}",
    "signed-address": f"    X-Service: {{value: 'https://host/?sv=1&sig={PLANTED}'}}",
    "sign-out-in-the-path": f"    X-Mode: {{value: open}}\nlogout: {{url: '/bye/eyJhbGciOiJub25lIn0.{PLANTED}.x'}}",
    "sign-out": f"    X-Mode: {{value: open}}\nlogout: {{url: '/bye?token={PLANTED}'}}",
}
# Of whoever owns the file: as it is, by another way of writing it, and by a link and a second name of it.
NAMED = {
    "gateways-key": "file: ../certs/store.key", "around": "file: ../certs/../certs/store.key",
    "a-link": "file: ../link", "a-second-name": "file: ../hard", "a-linked-folder": "file: ../linked/store.key",
    "providers-secret": "file: ../certs/secret", "key-of-the-listener": "file: ../certs/tls.key",
    "environment-of-a-secret": "env: PROVIDERS_SECRET", "credential-of-a-secret": "credential: op",
    "state": "file: ../var/sessions.sqlite", "state-by-a-link": "file: ../state-link",
    "links-of-accounts": "file: ../var/links.sqlite", "environment": "file: /proc/self/environ",
    "memory": "file: /proc/self/maps", "environment-by-a-link": "file: ../environ",
}  # fmt: skip
# Not because it cannot be read, or sent.
WHY = (
    "no application's file names it", "team mine may not read this", "team mine names files alone",
    "none is followed here",
)  # fmt: skip
# Of a team whose fence is one folder.
BEYOND = {
    "operators": "file: ../certs/app.secret", "of-another-team": "file: ../teams/theirs/secret",
    "beside": "file: ../teams/mine-too/secret", "above": "file: ../teams/mine/../theirs/secret",
    "by-a-link": "file: ../teams/mine/link", "by-a-second-name": "file: ../teams/mine/hard",
    "by-the-environment": "env: APP_SECRET", "by-a-credential": "credential: other", "nowhere": "file: ../nowhere",
}  # fmt: skip
TEAM = """teams:
  mine:
    hosts: ["*.mine.localhost"]
    providers: [op]
    upstreams: ["127.0.0.1"]
    secrets: [../teams/mine]
    headers: [X-A]
"""
SECOND_PROVIDERS = {"by-env": "env: PROVIDERS_SECRET", "by-credential": "credential: op"}
# What the operator's own file may name, and a team's: were these refused, the rest would say nothing.
ALLOWED = {"apps/own.yaml": "file: ../certs/app.secret", "apps/mine/own.yaml": "file: ../teams/mine/secret"}


def prepared(folder: Path) -> Path:
    """The policies, and what they name; every file has the same content."""
    ports = free_ports(["public", "admin"])
    outbound.write_keys(folder / "certs")
    for path in ("certs/store.key", "certs/app.secret", "var/sessions.sqlite", "var/links.sqlite", "credentials/op",
                 "credentials/other", "teams/mine/secret", "teams/mine-too/secret", "teams/theirs/secret"):  # fmt: skip
        (folder / path).parent.mkdir(parents=True, exist_ok=True)
        (folder / path).write_text("a-secret-of-thirty-two-characters")
    for link, to in (
        ("link", "certs/store.key"), ("linked", "certs"), ("state-link", "var/sessions.sqlite"),
        ("environ", "/proc/self/environ"), ("teams/mine/link", "teams/mine/secret"),
    ):  # fmt: skip
        (folder / link).symlink_to(folder / to)
    os.link(folder / "certs/store.key", folder / "hard")
    os.link(folder / "certs/store.key", folder / "teams/mine/hard")
    policies = folder / "policies"
    (policies / "providers").mkdir(parents=True)
    (policies / "apps/mine").mkdir(parents=True)
    gateway = outbound.GATEWAY.format(port=ports["public"], admin=ports["admin"])
    gateway = gateway.replace("../certs/secret}", "../certs/store.key}")
    (policies / "gateway.yaml").write_text(f"{gateway}state: ../var\n{TEAM}")
    outbound.write_provider(policies, "op", "https://op.example")
    for name, reference in SECOND_PROVIDERS.items():
        outbound.write_provider(policies, name, f"https://{name}.example")
        path = policies / f"providers/{name}.yaml"
        path.write_text(path.read_text().replace("file: ../certs/secret", reference))
    return policies


def write(path: Path, lines: str) -> None:
    of_team = path.parent.name == "mine"
    name, domain = (f"mine-{path.stem}", ".mine") if of_team else (path.stem, "")
    path.write_text(APP.format(name=name, domain=domain, lines=lines))


async def problems(named: dict[str, str]) -> dict[str, list[str]]:
    """What `ecluse check` says of each file; with the environment that they name."""
    with tempfile.TemporaryDirectory() as name:
        policies = prepared(Path(name))
        for path, lines in named.items():
            write(policies / path, lines)
        environment = {"PROVIDERS_SECRET": "s" * 32, "APP_SECRET": "s" * 32,
                       "CREDENTIALS_DIRECTORY": f"{name}/credentials"}  # fmt: skip
        checked = await outbound.check(policies, environment)
        expect("Traceback" not in checked.stderr, checked.stderr[-1500:])
        expect(PLANTED not in checked.stderr + checked.stdout, f"it is shown: {checked.stderr[:1500]}")
        lines = checked.stderr.splitlines()
        return {path: [line for line in lines if f"policies/{path}:" in line] for path in named}


async def in_clear(world: World) -> None:
    """Each is told of at its line, without what it is."""
    found = await problems({f"apps/{name}.yaml": lines for name, lines in IN_CLEAR.items()})
    untold = [path for path, said in found.items() if not any("looks like a secret" in line for line in said)]
    expect(not untold, f"no problem is told of {untold}")


def naming(reference: str) -> str:
    return f"    X-A: {{value: {{{reference}}}}}"


async def of_somebody_else(world: World) -> None:
    files = {f"apps/{name}.yaml": reference for name, reference in NAMED.items()}
    files |= {f"apps/mine/{name}.yaml": reference for name, reference in (NAMED | BEYOND).items()}
    found = await problems({path: naming(reference) for path, reference in (files | ALLOWED).items()})
    expect(not any(found[path] for path in ALLOWED), f"the control: {[found[path] for path in ALLOWED]}")
    untold = {path: found[path] for path in files if not any(why in line for line in found[path] for why in WHY)}
    expect(not untold, f"not refused for whose it is: {untold}")


CASES: tuple[Case, ...] = (
    uncontrolled("SS05.1", f"{len(IN_CLEAR)} secrets in clear in application files", in_clear),
    uncontrolled(
        "SS05.2",
        f"{2 * len(NAMED) + len(BEYOND)} files, links, variables that no application's file names",
        of_somebody_else,
    ),
)
