"""LemonLDAP::NG from Debian as SAML identity provider, on loopback: nginx and FastCGI server in one folder."""

import json
import os
import pwd
import shutil
import socket
import subprocess
import tempfile
import time
from collections.abc import Callable, Mapping
from pathlib import Path
from types import TracebackType
from typing import Self

from tests.idp.keys import Pair

START_SECONDS = 120.0
HTDOCS = Path("/usr/share/lemonldap-ng/portal/htdocs")
_ACCOUNT = "www-data"

_NGINX = """
daemon off; master_process off;
pid {folder}/nginx.pid;
error_log {folder}/nginx.errors;
worker_processes 1;
events {{ worker_connections 64; }}
http {{
  access_log off;
  client_body_temp_path {folder}/tmp/b; proxy_temp_path {folder}/tmp/p;
  fastcgi_temp_path {folder}/tmp/f; uwsgi_temp_path {folder}/tmp/u; scgi_temp_path {folder}/tmp/s;
  large_client_header_buffers 4 32k;
  server {{
    listen 127.0.0.1:{port};
    root {htdocs};
    # As Debian's: the portal would answer with the state of the request that it found in the cookie. What comes late,
    # after the sign-in, would bring that state back.
    location ~ ^/(static|javascript|favicon) {{ try_files $uri =404; }}
    location / {{
      rewrite ^/(?!index\\.psgi)(.*)$ /index.psgi/$1 break;
      include /etc/nginx/fastcgi_params;
      fastcgi_pass unix:{folder}/llng.sock;
      fastcgi_param HTTP_HOST $http_host;
      fastcgi_param LLTYPE psgi;
      fastcgi_param SCRIPT_FILENAME $document_root/index.psgi;
      fastcgi_param SCRIPT_NAME /index.psgi;
      fastcgi_split_path_info ^(.*\\.psgi)(/.*)$;
      fastcgi_param PATH_INFO $fastcgi_path_info;
      fastcgi_buffers 16 32k; fastcgi_buffer_size 32k;
    }}
  }}
}}
"""

_INI = """
[all]
logLevel = notice
checkTime = 1
[configuration]
type = File
dirName = {folder}/conf
localStorage = Cache::FileCache
localStorageOptions = {{ 'namespace' => 'c', 'default_expires_in' => 600, 'directory_umask' => '007', \
'cache_root' => '{folder}/cache', 'cache_depth' => 3 }}
[portal]
staticPrefix = /static
templateDir = /usr/share/lemonldap-ng/portal/templates
languages = en, fr
"""


class LemonLdap:
    """`service_provider`: our metadata. `encryption`: none, nameid or assertion. People: dwho, rtyler, msmith, each
    with the login for password. RuntimeError, with what it printed, if it does not start."""

    def __init__(self, port: int, pair: Pair, *, encryption: str = "none", signature: str = "RSA_SHA256") -> None:
        # Its own account has to reach it, which the folders of a test run do not allow.
        self._folder = Path(tempfile.mkdtemp(prefix="lemonldap-"))
        self._port = port
        self._pair = pair
        self._encryption = encryption
        self._signature = signature
        self._processes: list[subprocess.Popen[bytes]] = []
        self.url = f"http://127.0.0.1:{port}"

    @property
    def entity_id(self) -> str:
        return f"{self.url}/saml/metadata"

    def start(self, service_provider: str) -> Self:
        for name in ("conf", "cache", "sessions/lock", "psessions/lock", "tmp"):
            (self._folder / name).mkdir(parents=True, exist_ok=True)
        (self._folder / "llng.ini").write_text(_INI.format(folder=self._folder))
        (self._folder / "nginx.conf").write_text(_NGINX.format(folder=self._folder, port=self._port, htdocs=HTDOCS))
        self.configure(service_provider)
        fastcgi = [_found("llng-fastcgi-server"), "--foreground", "-n", "2", "-s", str(self._folder / "llng.sock")]
        fastcgi += ["-p", str(self._folder / "llng.pid")]
        if os.geteuid() == 0:
            # It refuses to run as root.
            fastcgi += ["-u", _ACCOUNT, "-g", _ACCOUNT]
            self._give_away()
        self._launch(fastcgi, LLNG_DEFAULTCONFFILE=str(self._folder / "llng.ini"))
        self._wait_for_socket()
        if os.geteuid() == 0:
            (self._folder / "llng.sock").chmod(0o777)
        settings = str(self._folder / "nginx.conf")
        self._launch([_found("nginx"), "-p", str(self._folder), "-c", settings, "-e", f"{self._folder}/nginx.errors"])
        self._wait_for_port()
        return self

    def configure(self, service_provider: str) -> None:
        """The one configuration; read at start."""
        (self._folder / "conf/lmConf-1.json").write_text(json.dumps(self._configuration(service_provider)))

    def stop(self) -> None:
        for process in reversed(self._processes):
            process.terminate()
            try:
                process.wait(30)
            except subprocess.TimeoutExpired:
                process.kill()
                process.wait()
        self._processes.clear()
        (self._folder / "llng.sock").unlink(missing_ok=True)
        shutil.rmtree(self._folder / "cache", ignore_errors=True)

    def restarted(self, service_provider: str, pair: Pair) -> Self:
        """With another key: what an operator does at a key roll-over."""
        self.stop()
        self._pair = pair
        return self.start(service_provider)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.stop()
        shutil.rmtree(self._folder, ignore_errors=True)

    def said(self) -> str:
        return (self._folder / "output").read_text(errors="replace")[-4000:]

    def _configuration(self, service_provider: str) -> Mapping[str, object]:
        sessions, persistent = self._folder / "sessions", self._folder / "psessions"
        options = {
            "samlSPMetaDataOptionsNameIDFormat": "persistent",
            "samlSPMetaDataOptionsSignSSOMessage": 1,
            "samlSPMetaDataOptionsSignSLOMessage": 1,
            "samlSPMetaDataOptionsCheckSSOMessageSignature": 1,
            "samlSPMetaDataOptionsCheckSLOMessageSignature": 1,
            "samlSPMetaDataOptionsEncryptionMode": self._encryption,
            "samlSPMetaDataOptionsEnableIDPInitiatedURL": 1,
            "samlSPMetaDataOptionsSignatureMethod": self._signature,
        }
        exported = {
            "uid": "1;uid;urn:oasis:names:tc:SAML:2.0:attrname-format:basic;uid",
            "mail": "1;urn:oid:0.9.2342.19200300.100.1.3;urn:oasis:names:tc:SAML:2.0:attrname-format:uri;mail",
            "cn": "0;cn;urn:oasis:names:tc:SAML:2.0:attrname-format:basic;cn",
        }
        return {
            "cfgNum": 1,
            "cfgDate": int(time.time()),
            "cfgVersion": "2.21.2",
            "portal": f"{self.url}/",
            "domain": "127.0.0.1",
            "securedCookie": 0,
            "authentication": "Demo",
            "userDB": "Same",
            "passwordDB": "Demo",
            "demoExportedVars": {"uid": "uid", "mail": "mail", "cn": "cn"},
            "requireToken": 0,
            "key": "0123456789abcdef",
            "locationRules": {"127.0.0.1": {"default": "accept"}},
            "globalStorage": "Apache::Session::File",
            "globalStorageOptions": {"Directory": str(sessions), "LockDirectory": str(sessions / "lock")},
            "persistentStorage": "Apache::Session::File",
            "persistentStorageOptions": {"Directory": str(persistent), "LockDirectory": str(persistent / "lock")},
            "localSessionStorage": "Cache::FileCache",
            "localSessionStorageOptions": {
                "namespace": "s", "default_expires_in": 600, "directory_umask": "007", "cache_depth": 3,
                "cache_root": f"{self._folder}/cache",
            },
            "issuerDBSAMLActivation": 1,
            "samlEntityID": self.entity_id,
            "samlServicePrivateKeySig": self._pair.key,
            "samlServicePublicKeySig": self._pair.certificate,
            "samlServicePrivateKeyEnc": self._pair.key,
            "samlServicePublicKeyEnc": self._pair.certificate,
            "samlServiceSignatureMethod": self._signature,
            "samlOrganizationName": "LemonLDAP",
            "samlSPMetaDataXML": {"ecluse": {"samlSPMetaDataXML": service_provider}},
            "samlSPMetaDataOptions": {"ecluse": options},
            "samlSPMetaDataExportedAttributes": {"ecluse": exported},
        }  # fmt: skip

    def _give_away(self) -> None:
        account = pwd.getpwnam(_ACCOUNT)
        self._folder.chmod(0o755)
        for path in (self._folder, *self._folder.rglob("*")):
            os.chown(path, account.pw_uid, account.pw_gid)

    def _launch(self, command: list[str], **environment: str) -> None:
        with (self._folder / "output").open("ab") as output:
            process = subprocess.Popen(
                command,
                stdin=subprocess.DEVNULL,
                stdout=output,
                stderr=output,
                cwd=self._folder,
                env={**os.environ, "LLNG_DEFAULTLOGGER": "Lemonldap::NG::Common::Logger::Std", **environment},
            )
        self._processes.append(process)

    def _wait_for_socket(self) -> None:
        self._wait((self._folder / "llng.sock").exists)

    def _wait_for_port(self) -> None:
        def answers() -> bool:
            try:
                socket.create_connection(("127.0.0.1", self._port), 1).close()
            except OSError:
                return False
            return True

        self._wait(answers)

    def _wait(self, ready: Callable[[], bool]) -> None:
        until = time.monotonic() + START_SECONDS
        while not ready():
            for process in self._processes:
                if process.poll() is not None:
                    raise RuntimeError(f"ended with {process.returncode}: {self.said()}")
            if time.monotonic() > until:
                raise RuntimeError(f"does not start in {START_SECONDS:.0f} s: {self.said()}")
            time.sleep(0.05)


def _found(name: str) -> str:
    path = shutil.which(name, path=os.environ.get("PATH", "") + ":/usr/sbin")
    if path is None:
        raise RuntimeError(f"{name} is not installed: run `make test` once")
    return path
