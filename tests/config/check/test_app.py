# ruff: noqa: E501 - a case is a line
import pytest

from tests.config.samples import GATEWAY, METROPOLE, PERMIS, problems


def rules(*lines: str, case: str = "sensitive") -> str:
    head = PERMIS.partition("access:")[0].replace("translate:", f"paths: {{case: {case}}}\ntranslate:")
    return head + "access:\n" + "".join(f"  - {line}\n" for line in lines)


def said(text: str) -> list[str]:
    return [line.removeprefix("policies/apps/permis.yaml:") for line in problems({"apps/permis.yaml": text})]


def test_two_rules_that_decide_the_same_show_both_places() -> None:
    from gateway.config.compile.compiler import compile_files
    from gateway.config.problems import ProblemsFound
    from tests.config.samples import sample_files

    text = rules(
        "{path: /a/**, methods: [GET, POST], allow: anyone}", "{path: /a/**, methods: [HEAD], allow: signed_in}"
    )
    with pytest.raises(ProblemsFound) as found:
        compile_files(sample_files({"apps/permis.yaml": text}))
    assert (
        str(found.value)
        == """\
policies/apps/permis.yaml:12:12: access[1].path: both decide HEAD on `/a/**`
      - {path: /a/**, methods: [HEAD], allow: signed_in}
               ^
  and policies/apps/permis.yaml:11:12
      - {path: /a/**, methods: [GET, POST], allow: anyone}
               ^"""
    )


@pytest.mark.parametrize(
    ("lines", "case", "found"),
    [
        (["{path: /a, allow: anyone}", "{path: /a, allow: signed_in}"], "sensitive", ["both decide all methods on `/a`"]),
        (["{path: /a, allow: anyone}", "{path: /a, methods: [POST], deny: anyone}"], "sensitive", ["both decide POST on `/a`"]),
        (["{path: /a, methods: [GET], allow: anyone}", "{path: /a, methods: [POST], allow: signed_in}"], "sensitive", []),
        (["{path: /a, allow: anyone}", "{path: /A, allow: signed_in}"], "sensitive", []),
        (["{path: /a, allow: anyone}", "{path: /A, allow: signed_in}"], "insensitive", ["both decide all methods on `/A`"]),
        (['{path: "/~[0-9]+/a", allow: anyone}', '{path: "/~[0-9]*/b", allow: anyone}'], "sensitive",
         ["`~[0-9]+` and `~[0-9]*` stand at one place: neither goes first"]),
        (['{path: "/a/~x", allow: anyone}', '{path: "/b/~y", allow: anyone}'], "sensitive", []),
    ],
)  # fmt: skip
def test_rules_that_meet(lines: list[str], case: str, found: list[str]) -> None:
    assert [line.partition(".path: ")[2] for line in said(rules(*lines, case=case))] == found


@pytest.mark.parametrize(
    ("paths", "path", "found"),
    [
        ("{case: insensitive}", "/Foo./**", ["access[0].path: no request meets this path: `foo.` is refused in every request, as a name that Windows reads as another (`a~1`, `a::$DATA`, `a.`, `a*`)"]),
        ("{case: insensitive}", "/progra~1", ["access[0].path: no request meets this path: `progra~1` is refused in every request, as a name that Windows reads as another (`a~1`, `a::$DATA`, `a.`, `a*`)"]),
        ("{case: insensitive}", "/Łódź", ["access[0].path: no request meets this path: `łódź` is refused in every request, as a letter that Windows takes for another (best fit)"]),
        ("{case: insensitive, windows: true}", "/a/Foo.", ["access[0].path: no request meets this path: `foo.` is read as `foo`"]),
        ("{case: insensitive, windows: true}", "/Foo./x", ["access[0].path: no request meets this path: `foo.` is read as `foo`"]),
        ("{case: insensitive, windows: true}", "/Foo/a.b/~.*[.]", []),
        ("{merge_slashes: true}", "/Foo./a~1/*/Łódź/œuf/**", []),
        ("{merge_slashes: true}", "/℅", ["access[0].path: no request meets this path: `℅` is refused in every request, as a control character, or a look-alike of a separator"]),
        ("{cookieless: true}", "/(S(x))/a", ["access[0].path: no request meets this path: `(S(x))` is refused in every request, as a session in the path, as ASP.NET writes it"]),
        ("{encoding: latin1}", "/œuf/été/a.", []),
        ("{encoding: latin1}", "/日本", ["access[0].path: no request meets this path: `日本` is read as `æ—¥æœ¬`"]),
        ("{windows: true}", "/a", ["paths: a Windows server knows no case (write case: insensitive too, or leave windows out)"]),
        ("{semicolon: literal}", "/Special:Foo;bar/**", []),
        ("{merge_slashes: true}", "/a;b", ["access[0].path: no request meets this path: `a;b` has a ;, which is refused unless the application's file says paths: {semicolon: literal}"]),
        ("{encoded_slash: keep, encoded_backslash: keep}", "/api/%2F/a%5Cb é/**", []),
        ("{encoded_slash: keep}", "/a%2F..", ["access[0].path: no request meets this path: `a%2F..` is refused in every request, as a dot segment, or an encoded separator, control or percent sign"]),
        ("{encoded_backslash: keep}", "/a%2Fb", ["access[0].path: no request meets this path: `a%2Fb` has a %2F, which is refused unless the application's file says paths: {encoded_slash: keep}"]),
        ("{encoded_slash: keep}", "/a%2fb", ["access[0].path: `a%2fb` with `%`: write the character itself, not its escape"]),
        ("{semicolon: literal, parameters: [jsessionid]}", "/a", ["paths: an application that cuts at ; has no ; in names (leave semicolon or parameters out)"]),
        ("{encoded_slash: keep, case: insensitive}", "/a", ["paths: a Windows server would read encoded_slash as a slash (leave encoded_slash or case out)"]),
        ('{escaped: ["/"]}', "/a", ["paths.escaped[0]: this must be one of ?, #"]),
    ],
)  # fmt: skip
def test_a_pattern_that_no_request_meets(paths: str, path: str, found: list[str]) -> None:
    text = rules(f'{{path: "{path}", allow: anyone}}').replace("paths: {case: sensitive}", f"paths: {paths}")
    assert [line.partition(": ")[2] for line in said(text)] == found


@pytest.mark.parametrize(
    ("headers", "rule", "found"),
    [
        ("[app_token, X-Auth-Key]", "{path: /**, allow: anyone}", []),
        ("[app_token, app-to_ken]", "{path: /**, allow: anyone}", ["client_headers[1]: a server may read this as app_token (keep one of the two)"]),
        ("[Accept]", "{path: /**, allow: anyone}", ["client_headers[0]: Accept reaches every application (leave it out)"]),
        ("[X-Auth-User]", "{path: /**, allow: anyone}", ["client_headers[0]: X-Auth-User can be read as a header by which a server tells who is calling, or how a message is read (leave it out)"]),
        ("['a*']", "{path: /**, allow: anyone}", ["client_headers[0]: this is not the name of a header (letters, digits, _ and -)"]),
        ("[x_api]", "{path: /**, allow: {header: {name: X-Api, equals: '1'}}}", ["access[0].allow.header.name: a server may read x_api (client_headers) as this header, which is asked for here (leave it out there, or ask of another header)"]),
    ],
)  # fmt: skip
def test_headers_of_clients_that_are_listed(headers: str, rule: str, found: list[str]) -> None:
    text = rules(rule).replace("translate:", f"client_headers: {headers}\ntranslate:")
    assert [line.partition(": ")[2] for line in said(text)] == found


def test_no_header_of_clients_is_one_that_is_injected() -> None:
    text = rules("{path: /**, allow: signed_in}").replace("translate:", "client_headers: [X_Remote_Name]\ntranslate:")
    text = text.replace("access:", "    X-Remote-Name: {from: uid}\naccess:") if "headers:" in text else text
    assert any("client_headers[0]" in line for line in said(text))


REPORTS = "a REPORT names paths in its body, and below {} rules decide otherwise"


@pytest.mark.parametrize(
    ("methods", "lines", "found"),
    [
        ("[PROPFIND]", ["{path: /**, methods: [GET, PROPFIND], allow: anyone}"], []),
        ("[MKCOL]", ["{path: /**, methods: [GET, PROPFIND], allow: anyone}"], ["access[0].methods[1]: no PROPFIND request ever reaches this application (methods: [PROPFIND] in this file)"]),
        ("[REPORT]", ["{path: /**, allow: signed_in}"], []),
        ("[REPORT]", ["{path: /**, allow: signed_in}", "{path: /a/**, allow: signed_in}"], []),
        ("[REPORT]", ["{path: /**, allow: signed_in}", "{path: /a/**, allow: anyone}"], [REPORTS.format("/**")]),
        ("[REPORT]", ["{path: /**, allow: signed_in}", "{path: /a/**, allow: signed_in, deny: {group: x}}"], [REPORTS.format("/**")]),
        ("[REPORT]", ["{path: /**, allow: signed_in, deny: {group: x}}", "{path: /cal/**, allow: signed_in}"], [REPORTS.format("/**")]),
        ("[REPORT]", ["{path: /**, methods: [GET], allow: anyone}", "{path: /cal/**, allow: signed_in}"], []),
        ("[REPORT]", ["{path: /**, methods: [GET], allow: anyone}", "{path: /cal, allow: signed_in}"], [REPORTS.format("/cal")]),
        ("[REPORT]", ["{path: /cal/**, allow: signed_in}", "{path: /other/**, allow: anyone}"], []),
        ("[REPORT]", ["{path: /*/cal/**, allow: signed_in}", "{path: /a/*/x, allow: anyone}"], [REPORTS.format("/*/cal/**")]),
        ("[REPORT]", ['{path: "/~[ab]/**", allow: signed_in}', "{path: /a/x, allow: anyone}"], [REPORTS.format("/~[ab]/**")]),
    ],
)  # fmt: skip
def test_methods_of_webdav(methods: str, lines: list[str], found: list[str]) -> None:
    text = rules(*lines).replace("translate:", f"methods: {methods}\ntranslate:")
    told = [line.partition(": ")[2] for line in said(text)]
    assert [
        line.partition("methods[0]: ")[2].partition(" (")[0] if "REPORT" in line else line for line in told
    ] == found


@pytest.mark.parametrize(
    ("methods", "found"),
    [
        ("[GET]", ["methods[0]: GET reaches every application (leave it out)"]),
        ("[TRACE]", ["methods[0]: TRACE is carried to no application (in capitals: ACL, CHECKOUT, COPY, LOCK, MERGE, MKACTIVITY, MKCALENDAR, MKCOL, MOVE, PROPFIND, PROPPATCH, REPORT, SEARCH, UNLOCK)"]),
    ],
)  # fmt: skip
def test_methods_that_no_file_names(methods: str, found: list[str]) -> None:
    text = rules("{path: /**, allow: signed_in}").replace("translate:", f"methods: {methods}\ntranslate:")
    assert [line.partition(": ")[2] for line in said(text)] == found


@pytest.mark.parametrize(
    ("cookies", "found"),
    [
        ("{hidden: [PHPSESSID, JSESSIONID], prefix: permis_, visible: [lang], host_only: true}", []),
        ("{hidden: ['*'], visible: [lang]}", []),
        ("{hidden: [a, '*']}", ["cookies: `*` hides the others too (leave them out)"]),
        ("{visible: [lang]}", ['cookies: visible has an effect only beside hidden: ["*"] or prefix (leave it out)']),
        ("{hidden: ['*'], prefix: a_}", ["cookies: prefix has no effect where all are hidden (leave it out)"]),
        ("{prefix: a_, visible: [a_b]}", ["cookies: a_b begins with the prefix (choose another prefix)"]),
        ("{hidden: [a_b], prefix: x_, visible: [A-b]}", ["cookies: a server may read A-b as one that is hidden (leave it in one of the two)"]),
        ("{prefix: __Host-a}", ["cookies.prefix: this prefix would make other cookies of them (write it as permis_)"]),
        ("{prefix: host}", ["cookies.prefix: this prefix would make other cookies of them (write it as permis_)"]),
        ("{prefix: host-ecluse-}", ["cookies.prefix: this prefix would make other cookies of them (write it as permis_)"]),
        ("{prefix: 'a b'}", ["cookies.prefix: this is not the name of a cookie"]),
        ("{hidden: [__Host-ecluse]}", ["cookies.hidden[0]: this is no cookie of an application"]),
        ("{hidden: ['a;b']}", None),
    ],
)  # fmt: skip
def test_the_applications_own_cookies(cookies: str, found: list[str] | None) -> None:
    text = rules("{path: /**, allow: signed_in}").replace("translate:", f"cookies: {cookies}\ntranslate:")
    lines = sorted(line.partition(": ")[2] for line in said(text))
    assert lines == found if found is not None else lines


def test_no_cookie_of_its_own_is_one_that_is_injected() -> None:
    text = rules("{path: /**, allow: signed_in}").replace("translate:", "cookies: {hidden: [ct_session]}\ntranslate:")
    text = text.replace("access:", "  cookies:\n    CTSESSION: {from: uid}\naccess:")
    assert [line.partition(": ")[2] for line in said(text)] == [
        "cookies.hidden[0]: a server may read this as CTSESSION, which translate sends (leave it out)"
    ]


@pytest.mark.parametrize(
    ("logout", "found"),
    [
        ("{url: /bye, method: post, form: {action: bye}, headers: {X-By: a}}", []),
        ("{method: post}", ["logout.method: no address is called at a sign-out (name url as well)"]),
        ("{form: {a: b}, method: post}", ["logout.form: no address is called at a sign-out (name url as well)",
                                          "logout.method: no address is called at a sign-out (name url as well)"]),
        ("{url: /bye, form: {a: b}}", ["logout.form: a GET has no form (write method: post as well)"]),
        ("{url: /bye, method: put}", ["logout.method: this must be one of get, post"]),
        ("{url: /bye, headers: {x_remote_user: a}}", ["logout.headers.x_remote_user: a server may read this as X-Remote-User (keep one of the two)"]),
        ("{url: /bye, headers: {X-A: a, x_a: a}}", ["logout.headers.x_a: a server may read this as X-A (keep one of the two)"]),
        ("{url: /bye, headers: {Authorization: a}}", ["logout.headers.Authorization: this header says who calls (write it into translate, which the call carries too)"]),
        ("{url: /bye, headers: {Host: a}}", ["logout.headers.Host: header `Host`: this header is written by the gateway or says how a message is read: choose another name"]),
        ('{url: /bye, headers: {X-A: "a\\nb"}}', ["logout.headers.X-A: this is one line of ASCII, and not empty"]),
    ],
)  # fmt: skip
def test_the_sign_out_call(logout: str, found: list[str]) -> None:
    text = rules("{path: /**, allow: signed_in}").replace("translate:", f"logout: {logout}\ntranslate:")
    assert sorted(line.partition(": ")[2] for line in said(text)) == found


def test_so_is_one_for_programs_and_for_signing_out() -> None:
    text = rules("{path: /**, allow: signed_in}", case="insensitive").replace(
        "translate:", "logout: {links: [/Quitter.]}\ntranslate:"
    )
    assert [line.partition(": ")[2].partition(": ")[0] for line in said(text)] == ["logout.links[0]"]


@pytest.mark.parametrize(
    ("header", "found"),
    [
        ("X_Remote_User", ["a server may read this as X-Remote-User (keep one of the two)"]),
        ("SM_USER", []),
        ("x-remote-user", ["a server may read this as X-Remote-User (keep one of the two)"]),
        ("X.Remote.User", ["a server may read this as X-Remote-User (keep one of the two)"]),
        ("Host", ["header `Host`: this header is written by the gateway or says how a message is read: choose another name"]),
        ("Content-Length", ["header `Content-Length`: this header is written by the gateway or says how a message is read: choose another name"]),
        ("X-Forwarded-For", ["header `X-Forwarded-For`: this header is written by the gateway or says how a message is read: choose another name"]),
        ("X-Request-Id", ["header `X-Request-Id`: this header is written by the gateway or says how a message is read: choose another name"]),
        ("a b", ["header `a b`: not a header name: letters, digits, `-` and `_`"]),
        ('"a\\nb"', ["header `a?b`: not a header name: letters, digits, `-` and `_`"]),
        ('""', ["header ``: not a header name: letters, digits, `-` and `_`"]),
        ("Auth-User", []),
        ("X-Remote-Groups", []),
        ("Authorization", []),
    ],
)  # fmt: skip
def test_names_of_headers(header: str, found: list[str]) -> None:
    text = PERMIS.replace("{from: uid}\n", f"{{from: uid}}\n    {header}: {{from: mail}}\n")
    assert [line.split(": ", 2)[2] for line in said(text)] == found


def test_the_path_to_a_transform_has_the_keys_of_the_file_alone() -> None:
    text = PERMIS.replace("{from: uid}\n", "{from: uid, transforms: [{table: {a: 1}}, uper]}\n")
    paths = [line.split(": ")[1] for line in said(text)]
    at = "translate.headers.X-Remote-User.transforms"
    assert paths == [f"{at}[0].table.a", f"{at}[1]"]


@pytest.mark.parametrize(
    ("entry", "found"),
    [
        ("CTSESSION: {value: present}", []),
        ("__Host-ecluse: {value: x}", ["cookie `__Host-ecluse`: this cookie is the gateway's own"]),
        ("__host.Ecluse-b: {value: x}", ["cookie `__host.Ecluse-b`: this cookie is the gateway's own"]),
        ("A: {value: a b}", ["cookie `A`: A: a character that no cookie can hold, such as `;` or a blank"]),
        ("A: {from: groups, join: ';'}", ["cookie `A`: no cookie can hold `;`"]),
        ("A: {value: ''}", ["cookie `A`: an empty value: some servers drop it, others misread it"]),
        ("A: {value: a, encoding: latin1}\n    a_: {value: b}", ["a server may read this as A (keep one of the two)"]),
        ("A: {value: Ł, encoding: latin1}", ["cookie `A`: A: U+0141 is not in ISO 8859-1"]),
    ],
)
def test_cookies(entry: str, found: list[str]) -> None:
    text = PERMIS.replace("access:", f"  cookies:\n    {entry}\naccess:")
    assert [line.split(": ", 2)[2] for line in said(text)] == found


@pytest.mark.parametrize(
    ("part", "instead", "found"),
    [
        ("{from: uid}", "{from: uids}", ["8:27: translate.headers.X-Remote-User.from: no provider of this application maps an attribute uids (did you mean uid?)"]),
        ("{from: uid}", "{from: subject}", []),
        ("{from: uid}", "{from: provider}", []),
        ("{from: uid}", "{from: issuer}", []),
        ("{from: uid}", "{from: acr}", []),
        ("{from: uid}", "{from: authenticated_at}", []),
        ("{from: uid}", '{template: "{given_name} {surname}"}', ["8:31: translate.headers.X-Remote-User.template: no provider of this application maps an attribute surname (write surname: under attributes of a provider's file)"]),
        ("{from: uid}", "{from: tenant}", ["8:27: translate.headers.X-Remote-User.from: no provider of this application maps an attribute tenant (write tenant: under attributes of a provider's file)"]),
        ("allow: signed_in", "allow: {any: [{claim: {name: mial, exists: true}}]}", [
            "12:46: access[2].allow.any[0].claim.name: no provider of this application maps an attribute mial (did you mean mail?)"]),
        ("allow: signed_in", "allow: signed_in, deny: {not: {claim: {name: x, equals: y}}}", [
            "12:62: access[2].deny.not.claim.name: no provider of this application maps an attribute x (write x: under attributes of a provider's file)"]),
    ],
)  # fmt: skip
def test_an_attribute_that_no_provider_maps_is_an_error(part: str, instead: str, found: list[str]) -> None:
    assert said(PERMIS.replace(part, instead)) == found


def test_a_group_needs_a_provider_that_maps_groups() -> None:
    provider = METROPOLE.replace("  groups: groups\n", "")
    assert problems({"providers/metropole.yaml": provider}) == [
        (
            "policies/apps/permis.yaml:11:38: access[1].allow.group: no provider of this application maps an attribute"
            " groups (write groups: under attributes of a provider's file)"
        ),
    ]


def test_one_provider_of_several_is_enough() -> None:
    other = METROPOLE.replace("provider: metropole", "provider: autre").replace("  groups: groups\n", "")
    text = PERMIS.replace("[metropole]", "[autre, metropole]")
    assert problems({"providers/autre.yaml": other, "apps/permis.yaml": text}) == []


def test_an_app_over_http_is_for_development_only() -> None:
    gateway = GATEWAY.replace("development: true\n", "trusted_proxies: [10.0.0.0/8]\n").replace(
        "http://portail.localhost:8080", "https://portail.example.org"
    )
    provider = METROPOLE.replace("http://127.0.0.1:9400", "https://op.example.org")
    text = PERMIS.replace("translate:", "public: {scheme: http}\ntranslate:")
    assert problems({"gateway.yaml": gateway, "providers/metropole.yaml": provider, "apps/permis.yaml": text}) == [
        "policies/apps/permis.yaml:6:18: public.scheme: browsers keep our cookies over https only (write https)"
    ]
    assert problems({"apps/permis.yaml": text}) == []


# --- programs: whose a token is that is no JWT (invariant 7) ----------------------------------------------------------

ASKED = METROPOLE.replace("  scopes:", "  api: {audience: [a], introspection: true}\n  scopes:")
OTHER = ASKED.replace("provider: metropole", "provider: autre").replace(":9400", ":9401")
THIRD = ASKED.replace("provider: metropole", "provider: tiers").replace(":9400", ":9402")


def with_prefix(text: str, prefix: str) -> str:
    return text.replace("introspection: true", f"introspection: true, prefix: {prefix}")


def of_programs(opaque: str, one: str = ASKED, other: str = OTHER, listed: str = "metropole, autre") -> list[str]:
    api = f"api: {{providers: [{listed}], paths: [/api/**]{opaque}}}\n"
    app = PERMIS.replace("[metropole]", f"[{listed}]") + api
    files = {"providers/metropole.yaml": one, "providers/autre.yaml": other, "apps/permis.yaml": app}
    return problems({**files, **({"providers/tiers.yaml": THIRD} if "tiers" in listed else {})})


PATHS = "metropole: {paths: [/api/m/**]}"


@pytest.mark.parametrize(
    "opaque",
    [
        f", opaque: {{{PATHS}, autre: {{paths: [/api/a/**]}}}}",
        ", opaque: {metropole: {header: X-Org, value: m}, autre: {header: x-org, value: a}}",
        ", opaque: {metropole: {header: X-Org, value: m, paths: [/api/**]}, autre: {header: X-Org, value: a}}",
    ],
)
def test_two_providers_of_opaque_tokens_that_are_told_apart(opaque: str) -> None:
    assert of_programs(opaque) == []


@pytest.mark.parametrize(
    "opaque",
    [
        "",
        f", opaque: {{{PATHS}}}",
        f", opaque: {{{PATHS}, autre: {{paths: [/api/a/**, /api/m/**]}}}}",
        ", opaque: {metropole: {header: X-Org, value: m}, autre: {header: x-org, value: m}}",
        f", opaque: {{{PATHS}, autre: {{header: x-org, value: m}}}}",
    ],
)
def test_two_providers_of_opaque_tokens_that_nothing_tells_apart_do_not_load(opaque: str) -> None:
    (problem,) = of_programs(opaque)
    assert "nothing tells whether metropole or autre is asked about a token that is no JWT" in problem
    assert "prefix in oidc: api of each of their files" in problem


def test_the_form_of_a_token_tells_them_apart_too() -> None:
    assert of_programs("", with_prefix(ASKED, "m_"), with_prefix(OTHER, "a_")) == []
    (problem,) = of_programs("", with_prefix(ASKED, "m_"), with_prefix(OTHER, "m_a"))
    assert "nothing tells whether" in problem
    (problem,) = of_programs("", with_prefix(ASKED, "m_"))
    assert "nothing tells whether" in problem


def test_each_pair_of_them() -> None:
    told = f", opaque: {{{PATHS}, autre: {{paths: [/api/a/**]}}}}"
    assert len(of_programs(told, listed="metropole, autre, tiers")) == 2


def test_one_that_is_asked_about_no_token_has_none_that_is_opaque() -> None:
    silent = OTHER.replace(", introspection: true", "")
    assert of_programs("", other=silent) == []
    (problem,) = of_programs(", opaque: {autre: {paths: [/api/a/**]}}", other=silent)
    assert "autre is asked about no tokens" in problem
    (problem,) = of_programs(", opaque: {tiers: {paths: [/api/a/**]}}", other=silent)
    assert "tiers is not among api: providers" in problem


@pytest.mark.parametrize(
    ("opaque", "message"),
    [
        ("{metropole: {}}", "this tells nothing"),
        ("{metropole: {header: X-Org}}", "a header tells tokens apart by its value"),
        ("{metropole: {header: Cookie, value: a}}", "Cookie is not a header that reaches an application"),
    ],
)
def test_what_tells_them_apart_is_whole(opaque: str, message: str) -> None:
    (problem,) = of_programs(f", opaque: {opaque}", other=OTHER.replace(", introspection: true", ""))
    assert message in problem


# --- what an API section has to say -----------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("api", "message"),
    [
        ("{introspection: true}", "this would take every token: neither audience nor client is checked"),
        ("{clients: [c]}", "a JWT is for an audience"),
        ("{audience: [a], introspection_algorithms: [RS256]}", "this provider is asked about no tokens"),
        ("{audience: [a], prefix: m_}", "this provider is asked about no tokens"),
        ('{audience: [a], introspection: true, prefix: "m."}', "prefix"),
        ("{clients: [c], introspection: true, introspection_algorithms: [none]}", "introspection_algorithms"),
    ],
)
def test_an_api_section_is_bounded(api: str, message: str) -> None:
    (problem,) = problems({"providers/metropole.yaml": METROPOLE.replace("  scopes:", f"  api: {api}\n  scopes:")})
    assert message in problem


def test_an_encrypted_answer_is_signed_first_and_keys_are_believed_for_a_bounded_while() -> None:
    for line, message in (
        ("encryption: {keys: [{key: {file: ../certs/metropole.secret}}], introspection: true}", "is signed first"),
        ("keys_max_age: 5m", "this is from 10m to 30d"),
        ("keys_max_age: 31d", "this is from 10m to 30d"),
    ):
        found = problems({"providers/metropole.yaml": METROPOLE.replace("  scopes:", f"  {line}\n  scopes:")})
        assert any(message in problem for problem in found), found


@pytest.mark.parametrize(
    ("logout", "found"),
    [
        ("{url: /bye, login: X-Remote-User}", []),
        (
            "{url: /bye, login: X-Remote-Usr}",
            ["logout.login: translate tells nothing of the person in X-Remote-Usr (did you mean X-Remote-User?)"],
        ),
        ("{url: /bye, login: X-Fixed}", ["logout.login: translate tells nothing of the person in X-Fixed"]),
        ("{login: X-Remote-User}", ["logout.login: no address is called at a sign-out (name url as well)"]),
    ],
)
def test_a_sign_out_call_tells_what_the_application_is_told(logout: str, found: list[str]) -> None:
    text = PERMIS.replace("{from: uid}", "{from: uid}\n    X-Fixed: {value: ecluse}") + f"logout: {logout}\n"
    assert [line.partition(": ")[2] for line in said(text)] == found


@pytest.mark.parametrize(
    ("header", "found"),
    [
        ("{from: mail, transforms: [lower, {prefix: u-}, first]}", []),
        ("{from: mail, transforms: [lowre]}", ["this must be one of lower, upper, strip, first (did you mean lower?)"]),
        ("{from: mail, transforms: [{table: {}}]}", ["this is empty (name at least one)"]),
        ("{from: mail, transforms: [{}]}", ["a transform is one thing (write a list: [lower, {prefix: u-}])"]),
        ("{from: mail, transforms: [{split: a, prefix: b}]}", ["a transform is one thing (write a list: [lower, {prefix: u-}])"]),
        ("{from: mail, transforms: [{split: a, otherwise: keep}]}", ["otherwise goes with a table"]),
        ("{from: mail, transforms: [{table: {a: 1}}]}", ["this must be a text (put it in quotes)"]),
        ("{from: mail, encoding: ISO-8859-15}", ["this must be one of utf8, latin1, latin9, cp1252, ascii, percent-utf8, base64, braced-base64, rfc2047, rfc8187 (write latin9)"]),
        ("{from: mail, encoding: windows-1252}", ["this must be one of utf8, latin1, latin9, cp1252, ascii, percent-utf8, base64, braced-base64, rfc2047, rfc8187 (write cp1252)"]),
        ("{from: mail, encoding: 'no such'}", ["this must be one of utf8, latin1, latin9, cp1252, ascii, percent-utf8, base64, braced-base64, rfc2047, rfc8187"]),
        ("{from: mail, transforms: [{table: [a]}]}", ["this must be a mapping of keys to values"]),
        ("{from: mail, transforms: [{hash: md5}]}", ["this must be one of sha256, sha512"]),
        ("{from: mail, transforms: [{extract: '('}]}", ["header `X-B`: `(`: missing ): ( (expressions are RE2)"]),
        ("{from: mail, transforms: [{extract: '(a)(b)'}]}", ["header `X-B`: `(a)(b)`: one group says what is extracted; others are (?:...)"]),
        ("{from: mail, transforms: [{date: '%B %Y'}]}", ["header `X-B`: `%B %Y`: a date is written with %Y %m %d %H %M %S %y"]),
        ("{template: 'x'}", ["header `X-B`: a template without a name is a fixed text: write value"]),
        ("{template: '{mail'}", ["header `X-B`: a template has names in braces, such as {given_name}"]),
        ("{template: 'a} {mail}'}", ["header `X-B`: a brace that closes nothing: write }} for a brace"]),
        ("{template: '{mail}', join: ';'}", ["join has no effect on a template"]),
        ("{template: '{mail}', only: [a]}", ["only has no effect on a template"]),
        ("{value: a, absent: b}", ["a fixed value is sent as it is (write it as it has to be)"]),
        ("{from: mail, escape: quotes}", ["escape goes with join"]),
        ("{from: mail, join: '\"', escape: quotes}", ["header `X-B`: `join` and `escape` are two characters"]),
        ("{from: mail, join: ';', whole: true}", ["whole has an effect with percent-utf8, base64, braced-base64, rfc2047, rfc8187 only (leave it out)"]),
        ("{from: mail, absent: œ, encoding: latin1}", ["header `X-B`: U+0153 is not in ISO 8859-1"]),
        ("{from: mail, nobody: ' '}", ["header `X-B`: white space at an end, which would be lost on the way"]),
        ("{from: mail, length: 0}", ["this must be at least 1"]),
    ],
)  # fmt: skip
def test_what_a_header_may_say(header: str, found: list[str]) -> None:
    text = PERMIS.replace("{from: uid}\n", f"{{from: uid}}\n    X-B: {header}\n")
    assert [line.split(": ", 2)[2] for line in said(text)] == found


def test_a_cookie_is_sent_to_nobody_who_is_not_signed_in() -> None:
    text = PERMIS.replace("access:", "  cookies:\n    A: {from: uid, nobody: x}\naccess:")
    assert [line.split(": ", 2)[2] for line in said(text)] == [
        "unknown key (known here: absent, encoding, from, join, length, only, template, transforms, unencodable, value, whole)"
    ]


@pytest.mark.parametrize(("posts", "key"), [("per_person: 5MB", "per_person"), ("in_all: 5MB", "in_all")])
def test_what_is_kept_of_forms_fits_into_what_is_kept_of_all(posts: str, key: str) -> None:
    app = PERMIS.replace("access:", "keep_posts: {largest: 6MB}\naccess:")
    found = problems({"gateway.yaml": f"{GATEWAY}posts: {{{posts}}}\n", "apps/permis.yaml": app})
    assert [line for line in found if f"posts.{key} of gateway.yaml is 5242880 bytes" in line], found
    assert problems({"gateway.yaml": GATEWAY, "apps/permis.yaml": app}) == []


@pytest.mark.parametrize(
    ("host", "portal", "own", "is_one"),
    [
        ("intranet.mairie.example", "portail.mairie.example", "permis.mairie.example", True),
        ("mairie.example", "mairie.example", "*.mairie.example", True),
        ("intranet.autre.example", "portail.mairie.example", "permis.mairie.example", False),
        ("intranet.mairie.example", "portail.autre.example", "permis.mairie.example", False),
        ("intranet.mairie.example", "portail.mairie.example", "permis.autre.example", False),
        ("intranet.localhost", "portail.localhost", "permis.localhost", False),
    ],
)
def test_a_frame_is_of_the_site_of_the_application_and_of_the_portal(
    host: str, portal: str, own: str, is_one: bool
) -> None:
    """Elsewhere browsers bring no cookie, and the key would do nothing."""
    app = PERMIS.replace("permis.localhost", f'"{own}"').replace("access:", f"embedded_by: [{host}]\naccess:")
    found = problems({"gateway.yaml": GATEWAY.replace("portail.localhost", portal), "apps/permis.yaml": app})
    said = [line for line in found if f"embedded_by[0]: {host}, the application and the portal, {portal}, " in line]
    assert bool(said) != is_one, found
