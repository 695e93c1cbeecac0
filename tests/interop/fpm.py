"""PHP-FPM behind nginx, with the applications in PHP that Debian has: DokuWiki, and MediaWiki in a SQLite file."""

import getpass
import hashlib
import os
import subprocess
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path

from tests.interop.servers import HERE, found, running

SESSION = HERE.parents[1] / "deploy/readers/mediawiki.php"
SECRET = "a-secret-that-no-person-knows"
NAME = "Hélène Lebœuf-Müller"
DOKUWIKI_HOST, MEDIAWIKI_HOST = "wiki.interne.example", "mediawiki.interne.example"

_FPM = """
[global]
daemonize = no
error_log = {folder}/fpm.errors
[www]
{user}
listen = {folder}/fpm.socket
pm = static
pm.max_children = 2
catch_workers_output = yes
"""
_NGINX = """
daemon off; master_process off;
pid {folder}/nginx.pid;
error_log {folder}/nginx.errors;
worker_processes 1;
events {{ worker_connections 64; }}
http {{
  access_log off;
  include /etc/nginx/mime.types;
  client_body_temp_path {folder}/body; proxy_temp_path {folder}/p;
  fastcgi_temp_path {folder}/f; uwsgi_temp_path {folder}/u; scgi_temp_path {folder}/s;
  {servers}
}}
"""
_SERVER = """
  server {{
    listen 127.0.0.1:{port};
    root {root};
    index {index};
    location ~ \\.php$ {{
      include /etc/nginx/fastcgi_params;
      fastcgi_param SCRIPT_FILENAME $document_root$fastcgi_script_name;
      fastcgi_param REMOTE_USER $http_x_remote_user;
      fastcgi_param PHP_VALUE "auto_prepend_file={prepended}";
      fastcgi_pass unix:{folder}/fpm.socket;
    }}
    {more}
  }}
"""
# One script answers everything.
_ONE_SCRIPT = "location / { rewrite ^ /told.php last; }"
# The addresses of its pages as most wikis have them.
_PAGES = "location /wiki/ { rewrite ^/wiki/(.*)$ /index.php?title=$1 last; }"
_SAVED = ["attic", "cache", "index", "locks", "log", "media", "media_attic", "media_meta", "meta", "pages", "tmp"]


@dataclass(frozen=True, slots=True)
class PhpSite:
    """`prepended`: a script that runs before each other one; `more`: lines of nginx."""

    port: int
    root: Path
    index: str = "index.php"
    prepended: str = ""
    more: str = ""


@contextmanager
def php_fpm(folder: Path, sites: Sequence[PhpSite]) -> Iterator[None]:
    folder.chmod(0o755)
    is_root = os.geteuid() == 0
    (folder / "fpm.conf").write_text(_FPM.format(folder=folder, user=f"user = {getpass.getuser()}" if is_root else ""))
    servers = "".join(
        _SERVER.format(
            folder=folder, port=site.port, root=site.root, index=site.index, prepended=site.prepended, more=site.more
        )
        for site in sites
    )
    (folder / "nginx.conf").write_text(_NGINX.format(folder=folder, servers=servers))
    fpm = [str(max(Path("/usr/sbin").glob("php-fpm[0-9]*"))), "--nodaemonize", "-y", str(folder / "fpm.conf")]
    nginx = [found("nginx"), "-p", str(folder), "-c", str(folder / "nginx.conf"), "-e", str(folder / "nginx.errors")]
    with ExitStack() as stack:
        stack.enter_context(running([*fpm, "-R"] if is_root else fpm, folder / "fpm.log", folder / "fpm.socket"))
        stack.enter_context(running(nginx, folder / "nginx.log", sites[0].port))
        yield


def told(port: int) -> PhpSite:
    return PhpSite(port, HERE / "php", more=_ONE_SCRIPT)


def dokuwiki(folder: Path, port: int) -> PhpSite:
    """A wiki of one page. It knows its people itself, and takes HTTP Basic for a sign-in."""
    conf, data = folder / "conf", folder / "data"
    for one in (conf, *(data / name for name in _SAVED)):
        one.mkdir(parents=True)
    prepended = (HERE / "wikis/dokuwiki.php").read_text().replace("FOLDER", f"'{folder}'")
    (folder / "prepended.php").write_text(prepended)
    settings = {
        "lang": "fr", "savedir": str(data), "canonical": 1, "baseurl": f"http://{DOKUWIKI_HOST}", "useacl": 1,
        "authtype": "authplain", "license": "", "title": "Wiki", "updatecheck": 0,
    }  # fmt: skip
    lines = "".join(f"$conf['{name}'] = {value!r};\n" for name, value in settings.items())
    (conf / "local.php").write_text(f"<?php\n{lines}")
    (conf / "acl.auth.php").write_text("* @ALL 0\n* @user 8\n")
    password = hashlib.sha1(SECRET.encode()).hexdigest()
    (conf / "users.auth.php").write_text(f"helene:{password}:{NAME}:helene@corp.example:user\n")
    (data / "pages/start.txt").write_text("====== Accueil ======\n\nVoir [[permis:guide|le guide]].\n")
    return PhpSite(port, Path("/usr/share/dokuwiki"), "doku.php", str(folder / "prepended.php"))


def mediawiki(folder: Path, port: int) -> PhpSite:
    folder.mkdir()
    install = [
        found("php"), "/usr/share/mediawiki/maintenance/install.php", "--dbtype", "sqlite", "--dbname", "wiki",
        "--dbpath", str(folder / "data"), "--confpath", str(folder), "--server", f"http://{MEDIAWIKI_HOST}",
        "--scriptpath", "", "--skins", "Vector", "--lang", "fr", "--pass", SECRET, "Wiki", "Admin",
    ]  # fmt: skip
    ran = subprocess.run(install, capture_output=True, text=True, check=False, timeout=120)
    assert ran.returncode == 0, ran.stdout + ran.stderr
    settings = folder / "LocalSettings.php"
    settings.write_text(f"{settings.read_text()}\n$wgMainCacheType = CACHE_NONE;\nrequire '{SESSION}';\n")
    (folder / "prepended.php").write_text(f"<?php define('MW_CONFIG_FILE', '{settings}');\n")
    return PhpSite(port, Path("/usr/share/mediawiki"), prepended=str(folder / "prepended.php"), more=_PAGES)
