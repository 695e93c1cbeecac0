"""OC11 and the JOSE lines of the corpus: how a token is signed is ours to say, not the token's."""

import json
from base64 import urlsafe_b64encode
from collections.abc import Callable

from tests.attacks.cases import Case, Run, numbered
from tests.attacks.provider import Document, key, sign, sign_mac, sign_text, unsigned
from tests.attacks.signing_in import accepted, nologin

Token = Callable[[Document], str]


def header(code: str, **members: object) -> Run:
    return nologin(code, token=lambda told: sign(told, "alpha", **members))


def signed_by_itself(member: str) -> Token:
    """By a key of the attacker's own, which the header brings along or points to."""

    def token(told: Document) -> str:
        own = dict(key("attacker").as_dict(private=False))
        value: object = own if member == "jwk" else "http://127.0.0.1:1/keys"
        if member == "x5c":
            value = [urlsafe_b64encode(b"a certificate").decode()]
        return sign(told, "attacker", kid=None, **{member: value})

    return token


def without_signature(told: Document) -> str:
    return unsigned('{"alg":"none"}', json.dumps(told))


def none_spelled(name: object) -> Run:
    text = json.dumps({"alg": name})
    return nologin("oidc.id_token.algorithm", token=lambda told: unsigned(text, json.dumps(told), "AAAA"))


def public_key_as_secret(told: Document) -> str:
    return sign_mac(told, key("alpha").as_pem(private=False))


def client_secret_as_key(told: Document) -> str:
    return sign_mac(told, b"a-secret-of-the-tests:%+that-no-page-shows")


def five_parts(told: Document) -> str:
    return sign(told, "alpha") + ".AAAA.AAAA"


def two_parts(told: Document) -> str:
    return sign(told, "alpha").rpartition(".")[0]


def json_form(told: Document) -> str:
    """The JSON serialisation, with its many signatures."""
    head, payload, signature = sign(told, "alpha").split(".")
    return json.dumps({"payload": payload, "signatures": [{"protected": head, "signature": signature}]})


def other_payload(told: Document) -> str:
    """The header and signature of an honest token around claims of one's own."""
    head, _, signature = sign(told, "alpha").split(".")
    mine = urlsafe_b64encode(json.dumps(told | {"groups": ["admins"]}).encode()).rstrip(b"=").decode()
    return f"{head}.{mine}.{signature}"


def large(told: Document) -> str:
    return sign(told | {"x": "a" * 70_000}, "alpha")


def signed_text(make: Callable[[Document], str]) -> Token:
    """An honest signature over a payload that is written by hand."""

    return lambda told: sign_text({"alg": "RS256", "kid": "alpha"}, make(told), "alpha")


def doubled(told: Document) -> str:
    """Two `sub`: which one counts differs from reader to reader."""
    return json.dumps(told)[:-1] + ', "sub": "root", "groups": ["admins"]}'


def nested(told: Document) -> str:
    return json.dumps(told)[:-1] + ', "x": ' + "[" * 20_000 + "]" * 20_000 + "}"


ALGORITHM, KEY, HEADER, FORM = (f"oidc.id_token.{name}" for name in ("algorithm", "key", "header", "form"))
OC11: tuple[tuple[str, Run], ...] = (
    ("jku", nologin("oidc.id_token.signature", token=signed_by_itself("jku"))),
    ("x5u", nologin("oidc.id_token.signature", token=signed_by_itself("x5u"))),
    ("x5c", nologin("oidc.id_token.signature", token=signed_by_itself("x5c"))),
    ("jwk (K154)", nologin("oidc.id_token.signature", token=signed_by_itself("jwk"))),
    ("a kid that is a path", header(KEY, kid="../../key")),
    ("a kid that is a query", header(KEY, kid="' OR 1=1 --")),
    ("none (K155)", none_spelled("none")),
    ("nOnE (K155)", none_spelled("nOnE")),
    ("None (K155)", none_spelled("None")),
    ("no algorithm (K155)", none_spelled(None)),
    ("a list of algorithms", none_spelled(["RS256"])),
    ("HS256 with our public key (K145)", nologin(ALGORITHM, token=public_key_as_secret)),
    ("HS256 with the client secret (K169)", nologin(ALGORITHM, token=client_secret_as_key)),
    ("PS256, which the file does not list (K164)", header(ALGORITHM, alg="PS256")),
    ("crit (K156)", nologin(HEADER, token=lambda told: unsigned('{"alg":"RS256","crit":["x"],"x":1}', json.dumps(told),
                                                              "AAAA"))),
    ("b64=false (K156)", nologin(HEADER, token=lambda told: unsigned('{"alg":"RS256","b64":false}', json.dumps(told),
                                                                   "AAAA"))),
    ("zip (K157)", header(HEADER, zip="DEF")),
    ("another type of token", header(HEADER, typ="at+jwt")),
    ("over 64 kB (K157)", nologin(FORM, token=large)),
    ("five parts (K170)", nologin(FORM, token=five_parts)),
    ("two parts (K170)", nologin(FORM, token=two_parts)),
    ("the JSON form (K172)", nologin(FORM, token=json_form)),
    ("one's own claims under an honest signature", nologin("oidc.id_token.signature", token=other_payload)),
    ("an empty token", nologin(FORM, token=lambda told: "")),
    ("no JSON", nologin(FORM, token=signed_text(lambda told: "not json"))),
    ("a list as payload", nologin(FORM, token=signed_text(lambda told: "[1]"))),
    ("two of one member", nologin(FORM, token=signed_text(doubled))),
    ("nested 20,000 deep (K167)", nologin(FORM, token=signed_text(nested))),
    ("NaN as a time", nologin(FORM, token=signed_text(lambda told: json.dumps(told)[:-1] + ', "nbf": NaN}'))),
    ("a payload written by hand, but right: the control", accepted("alpha", token=signed_text(json.dumps))),
)  # fmt: skip

CASES: tuple[Case, ...] = numbered("OC11", OC11, controlled=False)
