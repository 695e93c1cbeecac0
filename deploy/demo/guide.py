"""What the demo says once it runs: where to go, as whom, and what to try."""

from collections.abc import Sequence

from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.x509 import load_pem_x509_certificate

from deploy.demo import ldap_server
from deploy.demo.accounts import ACCOUNTS, SAML_ACCOUNTS
from deploy.demo.place import LOCAL, ROOT
from deploy.demo.shown import AUTHORITY, in_hosts_file
from deploy.demo.stack import APPLICATIONS, PORTAL_HOST, Demo
from deploy.demo.story_text import ORGANISATIONS, TEXT
from gateway.config.yaml.reader import read_document

_ECLUSE = ROOT / ".venv/bin/ecluse"
_PERMIS = "permis.localhost"
_SUBVENTIONS = "subventions.localhost"


def guide(demo: Demo) -> str:
    begins = [
        *_closed(demo),
        "Écluse runs. The story begins here, in French and English; five minutes, every step a link:",
        f"  {demo.story}/",
    ]
    parts = (begins, _addresses(demo), _accounts(), _to_try(demo), [*_copy(demo), "Ctrl-C stops all of it."])
    return "\n\n".join("\n".join(part) for part in parts)


def guide_elsewhere(demo: Demo) -> str:
    """Where other machines may look."""
    host, certificate = demo.site.host, demo.folder / "certs" / AUTHORITY
    print_of_it = load_pem_x509_certificate(certificate.read_bytes()).fingerprint(SHA256()).hex(":").upper()
    begins = [
        "WARNING: the providers of this demo ask for no password: whoever reaches this machine signs in as anybody,",
        "and may change its one rule. Show it among people whom you know, and end it with Ctrl-C.",
        "",
        *_closed(demo),
        "Écluse runs. The story begins here, on any machine that finds these names and trusts the authority",
        "of this run:",
        f"  {demo.story}/",
        "",
        "The names, for the DNS or for /etc/hosts there (ADDRESS is this machine's):",
        f"  ADDRESS {' '.join(in_hosts_file(demo.site.names))}",
        "",
        f"The authority may sign for {host} and names below it alone, for a day; its key is gone already. To be",
        "trusted in the browser there, and taken out again afterwards:",
        f"  {certificate}",
        f"  SHA-256 {print_of_it}",
    ]
    parts = (begins, _addresses(demo), _accounts(), [*_copy(demo), "Ctrl-C stops all of it."])
    return "\n\n".join("\n".join(part) for part in parts)


def _closed(demo: Demo) -> list[str]:
    """What is wrong in files of applications, and the hosts that are closed by it."""
    if demo.left_out is None:
        return []
    closed = [f"  closed: {host}" for host in demo.left_out.hosts] or ["  closed: hosts that cannot be told"]
    return [
        "WARNING: files of applications are wrong, and no application answers on these hosts:",
        *closed,
        *(f"  {line}" for line in demo.left_out.detail.splitlines()),
        f"Correct them, then: {_ECLUSE} reload {demo.folder}/policies",
        "",
    ]


def _copy(demo: Demo) -> list[str]:
    if demo.folder == ROOT:
        return []
    return [
        f"The policies are a copy, gone at the end: {demo.folder}/policies. A change there is taken by",
        f"  {_ECLUSE} reload {demo.folder}/policies",
        "",
    ]


def _addresses(demo: Demo) -> list[str]:
    permis = demo.origin(_PERMIS)
    by_ldap = [] if demo.site.tls else [(f"{demo.origin('frais.localhost')}/", _accounts_by_ldap())]
    return [
        "What there is:",
        *_columns([
            (f"{permis}/", "a PHP application behind the gateway"),
            (f"{demo.origin(_SUBVENTIONS)}/", "a WSGI application: no second sign-in"),
            (f"{demo.origin('elections.localhost')}/", "Ministry of the Interior: electoral rolls"),
            (f"{demo.origin('astreinte.localhost')}/", "Ministry of the Interior: crisis logbook, by WebSocket"),
            (f"{demo.origin('ecoles.localhost')}/", "Ministry of Education: school enrolments"),
            (f"{demo.origin('examens.localhost')}/", "Ministry of Education: a login form, which nobody sees"),
            (f"{demo.origin('avis.localhost')}/", "Ministry of Ecological Transition: opinions on projects"),
            (f"{demo.origin('avis.localhost')}/api/dossiers/7", "the same by REST"),
            *by_ldap,
            (f"{permis}/public/", "open to anyone"),
            (f"{permis}/admin/", "for the group administrateurs alone"),
            (f"{permis}/_ecluse/session", "what this application is told about you, once signed in"),
            *((f"{demo.origin(host)}/", f"yours: {file}") for host, file in _own(demo)),
            (f"{demo.origin(PORTAL_HOST)}/", "your applications, your sessions and the way out"),
            (f"http://127.0.0.1:{demo.ports.admin}/metrics", "metrics; /livez and /readyz beside them"),
        ]),
    ]  # fmt: skip


def _own(demo: Demo) -> list[tuple[str, str]]:
    """The first host of each application that is not the demo's, and its file."""
    folder, found = demo.folder / "policies", []
    known = {f"{name}.{at}" for name in (*APPLICATIONS, "frais") for at in (LOCAL, demo.site.host)}
    for path in sorted((folder / "apps").rglob("*.yaml")):
        file = str(path.relative_to(folder))
        document, _ = read_document(file, path.read_bytes())
        hosts = document.data.get("hosts") if isinstance(document.data, dict) else None
        if isinstance(hosts, list) and hosts and isinstance(hosts[0], str) and hosts[0] not in known:
            found.append((hosts[0], file))
    return found


def _accounts_by_ldap() -> str:
    there = "an older application: helene has an account in an LDAP server, paul has none"
    return there if ldap_server.is_installed() else ldap_server.MISSING


def _accounts() -> list[str]:
    everybody, english = {**ACCOUNTS, **SAML_ACCOUNTS}, TEXT["en"]
    rows = [
        (provider, one.login, f"{ORGANISATIONS[str(one.claims['siret'])]}, {english.notes[one.login]}")
        for provider, people in everybody.items()
        for one in people
    ]
    return ["Accounts (the providers of the demo ask for no password):", *_columns(rows)]


def _to_try(demo: Demo) -> list[str]:
    port, permis = demo.ports.public, demo.origin(_PERMIS)
    curl = f"curl -si --resolve {_PERMIS}:{port}:127.0.0.1"
    return [
        "To try:",
        "  Three ministries, nine collectivités: what each person may do hangs on commune, group and mandate.",
        f"    {demo.origin('elections.localhost')}/  as marc, a mayor, sign the roll; as iris, a deputy, be refused.",
        f"    {demo.origin('elections.localhost')}/  as gilles, a mayor until 2020, be refused: mandates end.",
        f"    {demo.origin('avis.localhost')}/dossiers/7  as marc; then as parti, who has left his commune.",
        f"    {demo.origin('ecoles.localhost')}/  as rose, of Roubaix; then as vera, whose commune takes no part.",
        "  Nobody can say who they are: the page shows no forged name, in no spelling.",
        f"    {curl} -H 'X-Remote-User: forged' -H 'x_remote_user: forged' {permis}/public/",
        "  A script is told to sign in, not redirected.",
        f"    {curl} -H 'Accept: application/json' {permis}/",
        "  A path has one reading, or none.",
        f"    {curl} --path-as-is {permis}/public/%2e%2e/admin/",
        f"  Change a rule in {demo.folder}/policies/apps/permis.yaml, then let the gateway take it.",
        "  A file with a fault leaves the old rules live, and the command names file, line and column.",
        f"    .venv/bin/ecluse reload {demo.folder}/policies",
        "  Read what the gateway says.",
        f"    tail -f {demo.gateway.log}",
    ]


def _columns(rows: Sequence[tuple[str, ...]]) -> list[str]:
    widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
    return [
        "  " + "  ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)).rstrip() for row in rows
    ]
