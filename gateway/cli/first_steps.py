"""The arguments of the commands for a first provider and a first gateway."""

from argparse import ArgumentParser
from pathlib import Path


def provider_add(add: ArgumentParser) -> None:
    add.add_argument("url", metavar="URL", help="address of its SAML metadata or discovery document, or its issuer")
    add.add_argument("--name", metavar="NAME", help="name of the provider here, in other files and in addresses")
    add.add_argument("--label", metavar="TEXT", help="name by which people choose the provider")
    add.add_argument(
        "--attribute",
        action="append",
        default=[],
        metavar="NAME=SOURCE",
        help="our name of an attribute, and the provider's; beside the proposed ones, can be repeated",
    )
    add.add_argument("--ca", type=Path, metavar="FILE", help="authority of its TLS certificate, if it is not public")
    add.add_argument("--private-addresses", action="store_true", help="the provider is on a private network")
    add.add_argument("--yes", action="store_true", help="ask nothing; what has no usual answer needs its flag")

    bounds = add.add_argument_group("perimeter: what the provider may assert")
    bounds.add_argument("--email-domain", action="append", default=[], metavar="DOMAIN", help="can be repeated")
    bounds.add_argument("--siret", action="append", default=[], metavar="SIRET", help="can be repeated")
    bounds.add_argument("--scope", action="append", default=[], metavar="SCOPE", help="can be repeated")
    bounds.add_argument("--no-perimeter", action="store_true", help="it may assert anything about anybody")

    openid = add.add_argument_group("OpenID Connect")
    openid.add_argument("--client-id", metavar="ID", help="our client id at the provider")
    openid.add_argument("--client-secret", type=Path, metavar="FILE", help="file with our client secret")
    openid.add_argument("--preset", metavar="PRESET", help="settings to start from, instead of the recognised ones")

    saml = add.add_argument_group("SAML")
    saml.add_argument(
        "--fingerprint",
        action="append",
        default=[],
        metavar="SHA256",
        help="fingerprint that the provider's administrator gave, of each key to trust; can be repeated",
    )
    saml.add_argument("--entity-id", default="", metavar="ID", help="the provider's entityID")
    saml.add_argument(
        "--keep-copy", action="store_true", help="keep this copy of its metadata; do not fetch them again"
    )
    saml.add_argument(
        "--trust-tls", action="store_true", help="fetch unsigned metadata again and again, and trust them by TLS alone"
    )
