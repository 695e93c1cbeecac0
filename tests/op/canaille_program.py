"""Canaille as OpenID Provider: python tests/op/canaille_program.py SETTINGS, in an environment of its own.

SETTINGS is a JSON object: `port`; `clients`, each with the members of its client metadata; `people`, login to e-mail
address, each with the login for password. It says "ready" when it listens, and ends when its standard input does.
"""

import json
import sys
import tempfile
import threading
from pathlib import Path

from canaille import create_app
from canaille.app import models
from canaille.backends import Backend
from flask import Flask
from joserfc.jwk import RSAKey
from werkzeug.serving import BaseWSGIServer, make_server


def made(port: int, database: Path) -> Flask:
    key = RSAKey.generate_key(2048, {"use": "sig", "alg": "RS256"}, auto_kid=True).as_dict(private=True)
    return create_app({
        "SECRET_KEY": "of-the-tests",
        "SERVER_NAME": f"127.0.0.1:{port}",
        "PREFERRED_URL_SCHEME": "http",
        "CANAILLE": {"DATABASE": "sql", "LOGGING": {"version": 1}},
        # Not its store in memory: asked for what fits all of several conditions, that finds what fits one.
        "CANAILLE_SQL": {
            "DATABASE_URI": f"sqlite:///{database}",
            "PASSWORD_HASH_PARAMS": {"pbkdf2_sha512__rounds": 1000},
        },
        "CANAILLE_OIDC": {"ACTIVE_JWKS": [key]},
    })  # fmt: skip


def furnish(clients: list[dict[str, object]], people: dict[str, str]) -> None:
    for login, mail in people.items():
        name = login.capitalize()
        named = {"user_name": login, "display_name": login, "formatted_name": name, "family_name": name}
        Backend.instance.save(models.User(**named, emails=[mail], password=login))
    for metadata in clients:
        client = models.Client(response_types=["code"], grant_types=["authorization_code", "refresh_token"], **metadata)
        Backend.instance.save(client)
        client.audience = [client]
        Backend.instance.save(client)


def _until_left(server: BaseWSGIServer, folder: tempfile.TemporaryDirectory) -> None:
    sys.stdin.read()
    server.shutdown()
    folder.cleanup()


def main() -> None:
    told = json.loads(sys.argv[1])
    folder = tempfile.TemporaryDirectory()
    app = made(told["port"], Path(folder.name) / "canaille.sqlite")
    with app.app_context():
        furnish(told["clients"], told["people"])
    server = make_server("127.0.0.1", told["port"], app)
    print("ready", flush=True)
    threading.Thread(target=_until_left, args=(server, folder)).start()
    server.serve_forever()


if __name__ == "__main__":
    main()
