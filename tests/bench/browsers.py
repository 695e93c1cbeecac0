"""What browsers send: each opens pages with what belongs to them, under its own user agent, cookies and Referer."""

from collections.abc import Iterator

_FIREFOX = (
    "Mozilla/5.0 (Windows NT 10.0; Win64; x64; rv:140.0) Gecko/20100101 Firefox/140.0",
    "Mozilla/5.0 (X11; Linux x86_64; rv:140.0) Gecko/20100101 Firefox/140.0",
)
_CHROME = (
    "Mozilla/5.0 (Windows NT 10.0; Win64; x64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/142.0.0.0 Safari/537.36"
)
_CHROMIUM = (_CHROME, f"{_CHROME} Edg/142.0.0.0")
_LANGUAGES = ("fr,fr-FR;q=0.8,en-US;q=0.5,en;q=0.3", "fr-FR,fr;q=0.9,en;q=0.8", "fr", "en-GB,en;q=0.9,fr;q=0.8")
_PAGES = ("dossiers", "dossiers?page=2", "dossiers/{0}", "dossiers/{0}/pieces", "recherche?q=permis+{0}")
_SCRIPT = "*/*"
# Path, Accept in Firefox, Accept in Chromium, Sec-Fetch-Dest and -Mode of what a page is made of.
_PARTS = (
    ("static/site.css?v=12", "text/css,*/*;q=0.1", "text/css,*/*;q=0.1", "style", "no-cors"),
    ("static/vendor.js?v=12", _SCRIPT, _SCRIPT, "script", "no-cors"),
    ("static/site.js?v=12", _SCRIPT, _SCRIPT, "script", "no-cors"),
    ("static/logo.svg", "image/avif,image/webp,image/png,image/svg+xml,image/*;q=0.8,*/*;q=0.5",
     "image/avif,image/webp,image/apng,image/svg+xml,image/*,*/*;q=0.8", "image", "no-cors"),
    ("static/icons.png", "image/avif,image/webp,image/png,image/svg+xml,image/*;q=0.8,*/*;q=0.5",
     "image/avif,image/webp,image/apng,image/svg+xml,image/*,*/*;q=0.8", "image", "no-cors"),
    ("static/marianne.woff2", "application/font-woff2;q=1.0,*/*;q=0.8", _SCRIPT, "font", "cors"),
    ("api/notifications?since={0}", "application/json", "application/json", "empty", "cors"),
)  # fmt: skip
_DOCUMENT = (
    "text/html,application/xhtml+xml,application/xml;q=0.9,*/*;q=0.8",
    "text/html,application/xhtml+xml,application/xml;q=0.9,image/avif,image/webp,image/apng,*/*;q=0.8",
)


def browsing(number: int, host: str, cookie: str, prefix: str, pages: int) -> list[bytes]:
    """Whole requests of browser `number`, in the order of its connection: `pages` pages with all that each is made of.

    `cookie`: that of its session; the application's own are beside it. `prefix`: of all paths, a slash at both ends.
    The even browsers are Firefox, the odd ones Chromium.
    """
    return list(_requests(number, host, cookie, prefix, pages))


def _requests(number: int, host: str, cookie: str, prefix: str, pages: int) -> Iterator[bytes]:
    referer, write = "", (_firefox, _chromium)[number % 2]
    cookies = f"Cookie: JSESSIONID={number:032X}; {cookie}; theme=clair"
    for page in range(pages):
        path = prefix + _PAGES[page % len(_PAGES)].format(1000 * number + page)
        document = (_DOCUMENT[number % 2], "document", "navigate")
        yield _whole(path, host, write(number, *document, referer, cookies))
        referer = f"Referer: http://{host}{path}"
        for part, *accepts, dest, mode in _PARTS:
            lines = write(number, accepts[number % 2], dest, mode, referer, cookies)
            yield _whole(prefix + part.format(60 * page + number), host, lines)


def _whole(path: str, host: str, lines: list[str]) -> bytes:
    return "\r\n".join((f"GET {path} HTTP/1.1", f"Host: {host}", *filter(None, lines), "", "")).encode()


def _firefox(number: int, accept: str, dest: str, mode: str, referer: str, cookies: str) -> list[str]:
    page = mode == "navigate"
    return [
        f"User-Agent: {_FIREFOX[number // 2 % 2]}",
        f"Accept: {accept}",
        f"Accept-Language: {_LANGUAGES[number % 4]}",
        "Accept-Encoding: gzip, deflate, br, zstd",
        "Connection: keep-alive",
        referer,
        cookies,
        "Upgrade-Insecure-Requests: 1" if page else "",
        f"Sec-Fetch-Dest: {dest}",
        f"Sec-Fetch-Mode: {mode}",
        "Sec-Fetch-Site: same-origin",
        "Sec-Fetch-User: ?1" if page else "",
        f"Priority: u={0 if page else 4}",
    ]


def _chromium(number: int, accept: str, dest: str, mode: str, referer: str, cookies: str) -> list[str]:
    page = mode == "navigate"
    return [
        "Connection: keep-alive",
        'sec-ch-ua: "Chromium";v="142", "Not_A Brand";v="99"',
        "sec-ch-ua-mobile: ?0",
        'sec-ch-ua-platform: "Windows"',
        "Upgrade-Insecure-Requests: 1" if page else "",
        f"User-Agent: {_CHROMIUM[number // 2 % 2]}",
        f"Accept: {accept}",
        "Sec-Fetch-Site: same-origin",
        f"Sec-Fetch-Mode: {mode}",
        "Sec-Fetch-User: ?1" if page else "",
        f"Sec-Fetch-Dest: {dest}",
        referer,
        "Accept-Encoding: gzip, deflate, br, zstd",
        f"Accept-Language: {_LANGUAGES[number % 4]}",
        cookies,
    ]
