# ruff: noqa: E501 - a case is a line
"""What each kind of file is refused for, as the operator reads it."""

import pytest

from tests.config.samples import GATEWAY, METROPOLE, PERMIS, problems

# In each table: a part of a good file, what stands in its place, and what is said of it.


@pytest.mark.parametrize(
    ("part", "instead", "said"),
    [
        ("version: 1\n", "", "1:1: version: this key is missing"),
        ("version: 1", "version: 2", "1:10: version: this can only be 1"),
        ("version: 1", "version: true", "1:10: version: this can only be 1"),
        ("version: 1", 'version: "1"', "1:10: version: this can only be 1 (without quotes)"),
        ("portal:", "portail:", "2:1: portail: unknown key (did you mean portal?)"),
        ("http://portail.localhost:8080", "portail", "2:9: portal: this is not a URL (write http://host:port or https://host:port)"),
        ("http://portail.localhost:8080", "", "2:8: portal: nothing is written here: this must be a text"),
        ("127.0.0.1:8080", "localhost:8080", "4:15: listen[0].address: this is not an IP address (write 127.0.0.1:8080)"),
        ("127.0.0.1:8080", "127.0.0.1:8080, redirect: true", "4:41: listen[0].redirect: this must be one of https, none"),
        ("127.0.0.1:8080", "127.0.0.1:8080, redirect: http", "4:41: listen[0].redirect: this must be one of https, none (did you mean https?)"),
        ("127.0.0.1:8080", "8080", "4:15: listen[0].address: this must be a text (write 127.0.0.1:8080)"),
        ("listen:\n  - {address: 127.0.0.1:8080}", "listen: []", "3:9: listen: this is empty (name at least one)"),
        ("listen:\n  - {address: 127.0.0.1:8080}", "listen: {address: x}", "3:9: listen: this must be a list"),
        ("admin: 127.0.0.1:8081", "admin: 0.0.0.0:8081", "5:8: admin: the admin listener asks for no sign-in: it listens on loopback or a Unix socket only (write 127.0.0.1:8081)"),
        ("state: ../var", 'state: ""', "6:8: state: this is empty"),
        ("type: sqlite", "type: rediss", "7:15: store.type: this must be one of sqlite, redis, memory (did you mean redis?)"),
        ("type: sqlite", "type: sqllite", "7:15: store.type: this must be one of sqlite, redis, memory (did you mean sqlite?)"),
        ("type: sqlite", "type: redis, server: {address: valkey}", "7:40: store.server.address: a server is written name:port (valkey.example.org:6379, 10.0.0.1:6379 or [::1]:6379)"),
        (", keys: [{id: k1, secret: {file: ../certs/store.key}}]", "", "7:8: store: what seals sessions stands in keys or in keyring (keyring: {file: ../certs/store.keyring})"),
        ("id: k1", "id: K 1", "7:35: store.keys[0].id: a name is made of a-z, 0-9 and -, at most 63"),
        ("id: k1, ", "", "7:30: store.keys[0].id: this key is missing"),
        ("{file: ../certs/store.key}", "{file: a, env: b}", "7:47: store.keys[0].secret: exactly one place is named here (write {file: path}, {env: NAME} or {credential: name})"),
        ("development: true", "development: yes", "8:14: development: this must be true or false (write true)"),
        ("development: true", "development: 1", "8:14: development: this must be true or false"),
        ("development: true", "development:", "8:13: development: nothing is written here: this must be true or false"),
        ("workers: 2", "workers: 0", "9:10: workers: this must be at least 1"),
        ("workers: 2", "workers: 1000", "9:10: workers: this must be at most 256"),
        ("workers: 2", "workers: two", "9:10: workers: this must be a whole number"),
        ("workers: 2", "workers:", "9:9: workers: nothing is written here (write a value, or leave the key out)"),
        ("workers: 2", "trusted_proxies: [10.0.0.1/8]", "9:19: trusted_proxies[0]: this is not a network (write 10.0.0.0/8, 192.0.2.7 or 2001:db8::/32)"),
        ("workers: 2", "trusted_proxies: 10.0.0.0/8", "9:18: trusted_proxies: this must be a list (write [10.0.0.0/8])"),
        ("workers: 2", "timeouts: {idle: 30}", "9:18: timeouts.idle: a time is a number with a unit: 300ms, 15s, 5m, 12h or 7d (such as 30s)"),
        ("workers: 2", "timeouts: {idel: 30s}", "9:12: timeouts.idel: unknown key (did you mean idle?)"),
        ("workers: 2", "limits: {url: 8kb}", "9:15: limits.url: a size is a number with a unit: 512B, 8KB, 100MB or 1GB (write 8KB)"),
        ("workers: 2", "limits: {requests: {per_client: {rate: 20}}}", "9:40: limits.requests.per_client.rate: a rate is a number and a time: 20/s, 600/m or 1000/h (20/s)"),
        ("workers: 2", "limits: {requests: {per_client: {rate: 0/s}}}", "9:40: limits.requests.per_client.rate: a rate is a number and a time: 20/s, 600/m or 1000/h"),
        ("workers: 2", "limits: {requests: {}}", "9:20: limits.requests: this block limits nothing (add per_client: or per_person:)"),
        ("workers: 2", "limits: {header_count: 0}", "9:24: limits.header_count: this must be at least 1"),
        ("workers: 2", "access_log: on", "9:13: access_log: this must be true or false (write true)"),
        ("workers: 2", "access_log: oui", "9:13: access_log: this must be true or false (write true)"),
        ("workers: 2", "plugins: []", "9:1: plugins: unknown key (known here: access_log, accounts, admin, buffers, development, forward_auth, hsts, levels, limits, listen, portal, posts, saml, scim, sockets, state, store, teams, theme, timeouts, tokens, trusted_proxies, version, watch, workers)"),
    ],
)  # fmt: skip
def test_gateway_file(part: str, instead: str, said: str) -> None:
    assert part in GATEWAY
    assert f"policies/gateway.yaml:{said}" in problems({"gateway.yaml": GATEWAY.replace(part, instead)})


@pytest.mark.parametrize(
    ("part", "instead", "said"),
    [
        ("provider: metropole", "provider: Metropole", "2:11: provider: a name is made of a-z, 0-9 and -, at most 63"),
        ("{fr: Métropole du Nord, en: Northern Metropolis}", "{fr_FR: x}", "3:8: label: fr_FR is not a language (fr or en)"),
        ("{fr: Métropole du Nord, en: Northern Metropolis}", "7", "3:8: label: a label is a text, or a text by language (write {fr: ..., en: ...})"),
        ("{fr: Métropole du Nord, en: Northern Metropolis}", "{fr: ''}", "3:8: label: a label is a text of 1 to 200 characters"),
        ("http://127.0.0.1:9400", "127.0.0.1:9400", "5:11: oidc.issuer: this is not a URL (write http://host:port or https://host:port)"),
        ("client_id: ecluse", "client_id: ''", "6:14: oidc.client_id: this is empty, or not ASCII, or has a blank in it"),
        ("  client_secret: {file: ../certs/metropole.secret}\n", "", "5:3: oidc: client_secret is missing (or write client_authentication: none for a public client)"),
        ("scopes:", "client_authentication: none\n  scopes:", "5:3: oidc: a client_secret is never sent with client_authentication: none (leave one of them out)"),
        ("scopes:", "client_authentication: basic\n  scopes:", "8:26: oidc.client_authentication: this must be one of none, client_secret_basic, client_secret_post, client_secret_jwt, private_key_jwt, tls_client_auth"),
        ("[openid, profile, email]", "[profile]", "5:3: oidc: openid is missing in scopes: it asks for the ID token (add openid)"),
        ("scopes:", "algorithms: [HS384]\n  scopes:", "8:16: oidc.algorithms[0]: this must be one of RS256, RS384, RS512, PS256, PS384, PS512, ES256, ES384, ES512, EdDSA, HS256 (did you mean RS384?)"),
        ("scopes:", "algorithms: [none]\n  scopes:", "8:16: oidc.algorithms[0]: this must be one of RS256, RS384, RS512, PS256, PS384, PS512, ES256, ES384, ES512, EdDSA, HS256"),
        ("scopes:", "algorithms: []\n  scopes:", "8:15: oidc.algorithms: this is empty (name at least one)"),
        ("uid: preferred_username", "Uid: preferred_username", "10:3: attributes.Uid: an attribute's name begins with a-z and goes on with a-z, 0-9 and _, at most 64"),
        ("uid: preferred_username", "uid: [a, 7]", "10:8: attributes.uid: a claim's name is missing or has a blank in it"),
        ("tenant: siret", "tenant: siren", "17:9: tenant: no attribute has this name (did you mean siret?)"),
        ("21590350100017", "215 903 501 00017", '18:19: asserts.siret[0]: this is not a SIRET (write 21590350100017)'),
        ("21590350100017", "21590350100018", '18:19: asserts.siret[0]: this is not a SIRET (14 digits, the last of which checks the others)'),
        ('["21590350100017"]', "[21590350100017]", "18:19: asserts.siret[0]: this must be a text (put it in quotes)"),
        ('["21590350100017"]', "", "18:18: asserts.siret: nothing is written here (write a value, or leave the key out)"),
        ("[metropole.example]", '["@metropole.example"]', "18:54: asserts.email_domains[0]: this is not the domain of an e-mail address (write it as example.org, in lower case)"),
        ("[metropole.example]", "[Metropole.example]", "18:54: asserts.email_domains[0]: this is not the domain of an e-mail address (write it as example.org, in lower case)"),
        ("[metropole.example]", "[metropole.example], attributes: {group: [a]}", "18:87: asserts.attributes.group: no attribute has this name (did you mean groups?)"),
        ("tenant: siret", "skew: 1h", "17:7: skew: this is at most 10m"),
        ("tenant: siret", "session: {idle: 2h, absolute: 1h}", "17:17: session.idle: idle is longer than absolute: the session would always end before (idle below absolute)"),
        ("tenant: siret", "samle: {}", "17:1: samle: unknown key (known here: asserts, attributes, can, label, levels, logout, oidc, preset, provider, serves, session, skew, tenant, tenants, version)"),
    ],
)  # fmt: skip
def test_provider_file(part: str, instead: str, said: str) -> None:
    assert part in METROPOLE
    found = problems({"providers/metropole.yaml": METROPOLE.replace(part, instead)})
    assert f"policies/providers/metropole.yaml:{said}" in found


@pytest.mark.parametrize(
    "name", ["subject", "issuer", "provider", "tenant", "acr", "amr", "sub", "iss", "exp", "authenticated_at"]
)
def test_a_mapping_that_writes_what_the_gateway_knows_is_an_error(name: str) -> None:
    """K096: `tenant: some_claim` among the attributes would let a provider name any organisation."""
    (found,) = problems(
        {"providers/metropole.yaml": METROPOLE.replace("  uid: preferred", f"  {name}: x\n  uid: preferred")}
    )
    assert found == (
        f"policies/providers/metropole.yaml:10:3: attributes.{name}: {name} is the gateway's own name (choose another name for this attribute)"
    )


@pytest.mark.parametrize(
    ("part", "instead", "said"),
    [
        ("app: permis", "app: permis de construire", "2:6: app: a name is made of a-z, 0-9 and -, at most 63"),
        ("permis.localhost", "permis.localhost:8080", "3:9: hosts[0]: a host has no port and no scheme here (write permis.localhost)"),
        ("[permis.localhost]", "permis.localhost", "3:8: hosts: this must be a list (write [permis.localhost])"),
        ("[permis.localhost]", "[*.localhost]", "3:10: this begins as an alias or an anchor (a text that begins with * or & needs quotes)"),
        ("http://127.0.0.1:9001", "http://127.0.0.1:9001/a?b", "4:17: upstream.url: a path is names of letters, digits, `-`, `_` and `.` here, and no query (write http://127.0.0.1:9001/app)"),
        ("{url: http://127.0.0.1:9001}", "http://127.0.0.1:9001", "4:11: upstream: this must be a mapping of keys to values (write {url: http://127.0.0.1:9001})"),
        ("{url: http://127.0.0.1:9001}", "{timeout: 60s}", "4:1: upstream.url: this key is missing"),
        ("http://127.0.0.1:9001", "http://127.0.0.1:9001, timeout: 60", "4:49: upstream.timeout: a time is a number with a unit: 300ms, 15s, 5m, 12h or 7d (such as 60s)"),
        ("http://127.0.0.1:9001", "http://127.0.0.1:9001, host: a b", "4:46: upstream.host: a b: not a host name (labels of letters, digits and -, between dots)"),
        ("http://127.0.0.1:9001", "http://127.0.0.1:9001, tls: {}", "4:11: upstream: tls has no effect on http (write https in url, or leave tls out)"),
        ("http://127.0.0.1:9001", "https://a.example, ca: {file: x}, tls: {pins: [{file: x}]}", "4:11: upstream: a certificate that is pinned is asked for no authority (leave ca or tls.pins out)"),
        ("http://127.0.0.1:9001", "https://a.example, tls: {name: b.example, pins: [{file: x}]}", "4:41: upstream.tls: a certificate that is pinned is asked for no name (leave name or pins out)"),
        ("http://127.0.0.1:9001", "https://a.example, tls: {legacy: tls1.0, minimum: tls1.3}", "4:41: upstream.tls: legacy is for servers that know no TLS 1.3 (leave minimum or legacy out)"),
        ("http://127.0.0.1:9001", "http://127.0.0.1:9001, ca: {file: x}", "4:11: upstream: ca has no effect on http (write https in url, or leave ca out)"),
        ("[metropole]", "[]", "5:12: providers: this is empty (name at least one)"),
        ("translate:", "paths: {case: ignore}\ntranslate:", "6:15: paths.case: this must be one of sensitive, insensitive"),
        ("translate:", "paths: {parameters: jsessionid}\ntranslate:", "6:21: paths.parameters: this must be a list (write [jsessionid])"),
        ("translate:", "limits: {body: 1G}\ntranslate:", "6:16: limits.body: a size is a number with a unit: 512B, 8KB, 100MB or 1GB (write 1GB)"),
        ("translate:", "session: {then: logout}\ntranslate:", "6:17: session.then: this must be one of resume, sign_in"),
        ("translate:", "session: {idle: 2h, absolute: 1h}\ntranslate:", "6:17: session.idle: idle is longer than absolute: the seat would always end before (idle below absolute)"),
        ("translate:", "public: {port: 0}\ntranslate:", "6:16: public.port: this must be at least 1"),
        ("{from: uid}", "{from: uid, value: x}", "8:20: translate.headers.X-Remote-User: a value has one source (write {from: attribute}, {template: text} or {value: text})"),
        ("{from: uid}", "{}", "8:20: translate.headers.X-Remote-User: a value has one source (write {from: attribute}, {template: text} or {value: text})"),
        ("{from: uid}", "{from: }", "8:27: translate.headers.X-Remote-User.from: nothing is written here (write a value, or leave the key out)"),
        ("{from: uid}", "{value: x, join: ','}", "8:20: translate.headers.X-Remote-User: join has no effect on a fixed value"),
        ("{from: uid}", "{from: uid, unencodable: transliterate}", "8:20: translate.headers.X-Remote-User: unencodable has an effect with latin1, latin9, cp1252, ascii only (leave it out)"),
        ("{from: uid}", "{from: uid, encoding: utf-8}", "8:42: translate.headers.X-Remote-User.encoding: this must be one of utf8, latin1, latin9, cp1252, ascii, percent-utf8, base64, braced-base64, rfc2047, rfc8187 (did you mean utf8?)"),
        ("{from: uid}", "{from: uid, join: ''}", "8:38: translate.headers.X-Remote-User.join: this is empty"),
        ("{from: uid}", "{from: uid, join: '123456789'}", "8:38: translate.headers.X-Remote-User.join: longer than 8 characters"),
        ("{from: uid}", "uid", "8:20: translate.headers.X-Remote-User: this must be a mapping of keys to values (write {from: uid})"),
        ("allow: anyone}", "alow: anyone}", "10:24: access[0].alow: unknown key (did you mean allow?)"),
        ("allow: anyone}", "allow: anyone, shadow: yes}", "10:47: access[0].shadow: this must be true or false (write true)"),
        (", allow: anyone}", "}", "10:5: access[0]: this rule neither allows nor denies (add allow: or deny:)"),
        (", allow: anyone}", ", deny: }", "10:30: access[0].deny: nothing is written here (write a value, or leave the key out)"),
        ("path: /public/**, ", "", "10:5: access[0].path: this key is missing"),
        ("/public/**", "public/**", "10:12: access[0].path: a path begins with `/`"),
        ("/public/**", "/public/*.html", "10:12: access[0].path: `*.html`: `*` stands for a whole segment; write `~` and an expression"),
        ("/public/**", '"/~(?=a)b"', "10:12: access[0].path: `~(?=a)b`: invalid perl operator: (?= (a `~` expression is RE2, and holds no `/`: it covers one segment)"),
        ("/public/**", '"/~(a)\\\\1"', "10:12: access[0].path: `~(a)\\1`: invalid escape sequence: \\1 (a `~` expression is RE2, and holds no `/`: it covers one segment)"),
        ("/public/**", '"/~[a"', "10:12: access[0].path: `~[a`: missing ]: [a (a `~` expression is RE2, and holds no `/`: it covers one segment)"),
        ("allow: anyone}", "allow: anyone, methods: [get]}", "10:49: access[0].methods[0]: no get request ever reaches an application (in capitals: DELETE, GET, HEAD, OPTIONS, PATCH, POST, PUT)"),
        ("allow: anyone}", "allow: anyone, methods: [TRACE]}", "10:49: access[0].methods[0]: no TRACE request ever reaches an application (in capitals: DELETE, GET, HEAD, OPTIONS, PATCH, POST, PUT)"),
        ("allow: anyone}", "allow: anyone, methods: [CONNECT]}", "10:49: access[0].methods[0]: no CONNECT request ever reaches an application (in capitals: DELETE, GET, HEAD, OPTIONS, PATCH, POST, PUT)"),
        ("access:", 'paths: {parameters: ["*"]}\naccess:', "9:22: paths.parameters[0]: a path parameter is written by its name: letters, digits and . _ -, no pattern"),
        ("allow: anyone}", "allow: anyone, methods: []}", "10:48: access[0].methods: this is empty (name at least one)"),
        ("allow: anyone}", "allow: anyone, refusal: ' '}", "10:48: access[0].refusal: this is empty"),
        ("translate:", "logout: {scope: all}\ntranslate:", "6:17: logout.scope: this must be one of local, global"),
        ("translate:", "tunnel: {protocols: [ws]}\ntranslate:", "6:22: tunnel.protocols[0]: this can only be websocket (write websocket, or leave it out)"),
        ("translate:", "logout: {cookies: [a b]}\ntranslate:", "6:20: logout.cookies[0]: this is not the name of a cookie"),
        ("translate:", "logout: {url: bye}\ntranslate:", "6:15: logout.url: this is not a path of the application (write it as /some/page: it begins with `/`, and is not below /_ecluse/)"),
        ("translate:", "logout: {url: //evil.example}\ntranslate:", "6:15: logout.url: this is not a path of the application (write it as /some/page: it begins with `/`, and is not below /_ecluse/)"),
        ("translate:", "logout: {url: /_ecluse/logout}\ntranslate:", "6:15: logout.url: this is not a path of the application (write it as /some/page: it begins with `/`, and is not below /_ecluse/)"),
        ("translate:", "logout: {cookie_paths: ['/;Domain=x']}\ntranslate:", "6:25: logout.cookie_paths[0]: this is not a path of the application (write it as /some/page: it begins with `/`, and is not below /_ecluse/)"),
        ("translate:", "logout: {links: ['**']}\ntranslate:", "6:18: logout.links[0]: a path begins with `/`"),
        ("translate:", "api: {providers: [metropole], paths: [/a]}\ntranslate:", "6:19: api.providers[0]: the file of metropole takes no access tokens (in its oidc: api: {audience: [...]})"),
        ("translate:", "api: {providers: [autre], paths: [/a]}\ntranslate:", "6:19: api.providers[0]: this application does not listen to autre (add it to providers)"),
        ("translate:", "api: {providers: [metropole], paths: []}\ntranslate:", "6:38: api.paths: this is empty (name at least one)"),
        ("translate:", "translat: 1\ntranslate:", "6:1: translat: unknown key (did you mean translate?)"),
    ],
)  # fmt: skip
def test_app_file(part: str, instead: str, said: str) -> None:
    assert part in PERMIS
    assert f"policies/apps/permis.yaml:{said}" in problems({"apps/permis.yaml": PERMIS.replace(part, instead)})


@pytest.mark.parametrize("file", ["gateway.yaml", "providers/metropole.yaml", "apps/permis.yaml"])
@pytest.mark.parametrize("text", ["[]", "text", "7", "{}", "null"])
def test_a_file_of_another_form_is_a_problem_of_its_own(file: str, text: str) -> None:
    found = problems({file: text})
    assert found
    assert all(
        line.startswith(f"policies/{file}:1:1: ")
        for line in found
        if not line.startswith("policies/apps/permis.yaml:5")
    )


def test_every_problem_of_every_file_comes_at_once_in_order() -> None:
    found = problems({
        "gateway.yaml": GATEWAY.replace("workers: 2", "workers: 0\nworker: 1"),
        "providers/metropole.yaml": METROPOLE.replace("client_id: ecluse", "client_id: ''"),
        "apps/permis.yaml": PERMIS.replace("allow: anyone", "alow: anyone").replace("permis.localhost", "a b"),
        "apps/other.yaml": "version: 1\nversion: 1\n",
        "apps/broken.yaml": "a: b: c\n",
    })  # fmt: skip
    places = [line.split(": ")[0].removeprefix("policies/") for line in found]
    assert places == [
        "apps/broken.yaml:1:5",
        *["apps/other.yaml:1:1"] * 5,
        "apps/other.yaml:2:1",
        "apps/permis.yaml:3:9",
        "apps/permis.yaml:10:24",
        "gateway.yaml:9:10",
        "gateway.yaml:10:1",
        "providers/metropole.yaml:6:14",
    ]
