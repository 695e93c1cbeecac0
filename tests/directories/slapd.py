"""OpenLDAP's slapd as Debian has it, with some people, on a port of 127.0.0.1."""

import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from typing import Any

import trustme

from gateway.model.directory import Directory, GivenAttribute, KeyPart, LdapSource
from tests.interop.servers import found, running
from tests.patience import PATIENCE

BASE = "ou=people,dc=example,dc=org"
READER, PASSWORD = "cn=ecluse,dc=example,dc=org", "let-me-read"

_SETTINGS = """\
include /etc/ldap/schema/core.schema
include /etc/ldap/schema/cosine.schema
include /etc/ldap/schema/inetorgperson.schema
modulepath /usr/lib/ldap
moduleload back_mdb
pidfile {folder}/slapd.pid
{tls}
database mdb
maxsize 16777216
index objectClass,uid eq
suffix dc=example,dc=org
directory {folder}/data
rootdn cn=admin,dc=example,dc=org
access to attrs=userPassword by anonymous auth by * none
access to * by dn.exact={reader} read by dn.exact="cn=ecluse-client" read by * none
"""
_PEOPLE = f"""\
dn: dc=example,dc=org
objectClass: domain
dc: example

dn: {READER}
objectClass: applicationProcess
objectClass: simpleSecurityObject
cn: ecluse
userPassword: {PASSWORD}

dn: {BASE}
objectClass: organizationalUnit
ou: people

dn: uid=alice,{BASE}
objectClass: inetOrgPerson
uid: alice
cn: Alice
sn: Martin
employeeNumber: 4711
departmentNumber: 12
departmentNumber: 34
description: (*)
userPassword: hers-alone

dn: uid=bob,{BASE}
objectClass: inetOrgPerson
uid: bob
cn: Bob
sn: Twice
employeeNumber: 1
audio:: /////w==

dn: cn=again,{BASE}
objectClass: inetOrgPerson
uid: bob
cn: again
sn: Twice

dn: uid=admin,{BASE}
objectClass: inetOrgPerson
uid: admin
cn: Admin
sn: Admin
"""


def prepared(folder: Path, tls: str = "") -> Path:
    """Its settings, with the people in its database."""
    settings = folder / "slapd.conf"
    if not settings.exists():
        (folder / "data").mkdir()
    settings.write_text(_SETTINGS.format(folder=folder, tls=tls, reader=READER))
    return settings


@contextmanager
def slapd(folder: Path, port: int, *, tls: str = "") -> "Iterator[subprocess.Popen[bytes]]":
    """The process. `tls`: its lines of settings; then it answers at ldaps://, and at ldap:// with StartTLS alone."""
    new = not (folder / "data").exists()
    settings = prepared(folder, tls)
    if new:
        people = folder / "people.ldif"
        people.write_text(_PEOPLE + "".join(_crowd()))
        subprocess.run(
            [found("slapadd"), "-f", str(settings), "-l", str(people)],
            check=True,
            capture_output=True,
            timeout=PATIENCE,
        )
    address = f"{'ldaps' if tls and 'starttls' not in tls else 'ldap'}://127.0.0.1:{port}"
    command = [found("slapd"), "-f", str(settings), "-h", address, "-d", "0"]
    with running(command, folder / "slapd.log", port) as process:
        yield process


def tls_settings(folder: Path, authority: trustme.CA) -> str:
    """A certificate for 127.0.0.1; whoever shows one for `ecluse-client` is that."""
    server = authority.issue_cert("127.0.0.1")
    (folder / "ca.pem").write_bytes(authority.cert_pem.bytes())
    (folder / "cert.pem").write_bytes(b"".join(blob.bytes() for blob in server.cert_chain_pems))
    (folder / "key.pem").write_bytes(server.private_key_pem.bytes())
    return (
        f"TLSCACertificateFile {folder}/ca.pem\nTLSCertificateFile {folder}/cert.pem\n"
        f"TLSCertificateKeyFile {folder}/key.pem\nTLSVerifyClient try\n"
        'authz-regexp "cn=ecluse-client.*" "cn=ecluse-client"\n'
    )


def _crowd() -> Iterator[str]:
    for number in range(250):
        dn = f"cn=crowd{number},{BASE}"
        yield f"\ndn: {dn}\nobjectClass: inetOrgPerson\nuid: crowd\ncn: crowd{number}\nsn: {number}\n"


def staff(port: int, **changes: Any) -> Directory:
    """A directory of these people; changes are of the directory, or of its source."""
    own = {name: changes.pop(name) for name in list(changes) if name in LdapSource.__slots__}
    usual = LdapSource(
        (f"ldap://127.0.0.1:{port}",), False, BASE, "subtree", "(objectClass=inetOrgPerson)", READER, 2,
        PASSWORD.encode(), None, None,
    )  # fmt: skip
    key = (KeyPart("uid", "uid", providers=("alpha",)),)
    gives = (
        GivenAttribute("matricule", "employeeNumber", "number"),
        GivenAttribute("services", "departmentNumber", many=True),
    )
    made = Directory("staff", "f1", replace(usual, **own), key, gives, "one", "refuse", 0, 2.0)
    return replace(made, **changes)
