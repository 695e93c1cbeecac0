"""HTTP towards a server that we ask."""

from aiohttp import ClientSession, ClientTimeout, DummyCookieJar, TCPConnector

# Under the five seconds after which common servers close an idle connection: a token request is not sent twice.
KEEP_ALIVE_SECONDS = 3.0


def client_session(connector: TCPConnector, timeout: ClientTimeout) -> ClientSession:
    """It keeps no cookie, asks for nothing compressed and undoes no compression, and takes no proxy or password from
    the environment."""
    return ClientSession(
        connector=connector,
        cookie_jar=DummyCookieJar(),
        headers={"Accept-Encoding": "identity", "User-Agent": "ecluse"},
        timeout=timeout,
        auto_decompress=False,
        trust_env=False,
    )
