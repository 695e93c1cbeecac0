"""HTTP to a server that the gateway queries."""

from aiohttp import ClientSession, ClientTimeout, DummyCookieJar, TCPConnector

# Seconds, below the five after which common servers close an idle connection: no token request has to be sent twice.
KEEP_ALIVE_SECONDS = 3.0


def client_session(connector: TCPConnector, timeout: ClientTimeout) -> ClientSession:
    """Opens a session that keeps no cookie, requests and decodes no compression, and takes no proxy or password
    from the environment.
    """
    return ClientSession(
        connector=connector,
        cookie_jar=DummyCookieJar(),
        headers={"Accept-Encoding": "identity", "User-Agent": "ecluse"},
        timeout=timeout,
        auto_decompress=False,
        trust_env=False,
    )
