"""Servers that others wrote, each on a port of 127.0.0.1 for as long as a `with` lasts."""

import os
import shutil
import signal
import socket
import subprocess
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from urllib.parse import urlsplit

from tests.docs.blocks import blocks

HERE = Path(__file__).parent
READERS = HERE.parents[1] / "deploy/readers"
SOURCES = (
    READERS / "EcluseRemoteUserValve.java",
    READERS / "EcluseRequestHeaderFilter.java",
    READERS / "EcluseTokenFilter.java",
    HERE / "tomcat/Account.java",
)
_JARS = Path("/usr/share/java")
SPRING = (
    *(_JARS / f"spring3-{name}.jar" for name in ("core", "beans", "context", "aop", "expression")),
    _JARS / "commons-logging.jar",
    *(_JARS / f"{name}.jar" for name in ("jose4j", "slf4j-api")),
)
# The filters that the page sets up, by the application that has it.
JAVA_PAGE = HERE.parents[1] / "docs/how-to/applications-in-java.md"
FILTERS = {"spring": "EcluseRequestHeaderFilter", "token": "EcluseTokenFilter"}
SHOWN_PORTAL = "https://portail.example.org"
SPRING_WEB = tuple(_JARS / f"spring3-{name}.jar" for name in ("web", "web.servlet"))
QUICK = "-XX:TieredStopAtLevel=1 -XX:+UseSerialGC -Xmx128m -Djava.awt.headless=true"
TOMCAT = Path("/usr/share/tomcat10")
TOMCAT_SETTINGS = Path("/etc/tomcat10")
JAVA_HOMES = "java-21-openjdk-*"
READY_WITHIN = 120.0

_NGINX = """
daemon off; master_process off;
pid {folder}/nginx.pid;
error_log {folder}/nginx.errors;
worker_processes 1;
events {{ worker_connections 64; }}
http {{
  access_log off;
  default_type text/plain;
  client_body_temp_path {folder}/body; proxy_temp_path {folder}/p;
  fastcgi_temp_path {folder}/f; uwsgi_temp_path {folder}/u; scgi_temp_path {folder}/s;
  server {{
    listen 127.0.0.1:{port};
    root {folder}/www;
    location /zipped/ {{ alias {folder}/www/; gzip on; gzip_min_length 1; gzip_types text/plain; }}
    # What many a front says: the path is decoded, and sent on as it then is.
    location /again/ {{ rewrite ^/again(.*)$ $1 break; proxy_pass http://127.0.0.1:{port}$uri; }}
    location /target {{ return 200 "$request_uri\\n"; }}
    location /told {{ return 200 "user=$http_x_remote_user connection=$http_connection version=$server_protocol\\n"; }}
  }}
}}
"""


@contextmanager
def php(folder: Path, port: int, script: Path = HERE / "php/told.php", settings: Sequence[str] = ()) -> Iterator[None]:
    """PHP's own server: one script answers everything. `settings`: of php.ini."""
    told = [option for setting in settings for option in ("-d", setting)]
    with running([found("php"), *told, "-S", f"127.0.0.1:{port}", str(script)], folder / "php.log", port):
        yield


@contextmanager
def nginx(folder: Path, port: int, files: Mapping[str, bytes]) -> Iterator[None]:
    """`files` by name; under /zipped/ the same, chunked and compressed."""
    (folder / "www").mkdir()
    folder.chmod(0o755)
    for name, content in files.items():
        (folder / "www" / name).write_bytes(content)
    settings = folder / "nginx.conf"
    settings.write_text(_NGINX.format(folder=folder, port=port))
    command = [found("nginx"), "-p", str(folder), "-c", str(settings), "-e", str(folder / "nginx.errors")]
    with running(command, folder / "nginx.log", port):
        yield


@contextmanager
def tomcat(folder: Path, port: int, latin_port: int, portal: str) -> Iterator[None]:
    """Debian's Tomcat with the pages of tomcat/ROOT and, at /spring and /token, Spring MVC, in a CATALINA_BASE of its
    own. These two stand behind the filters of JAVA_PAGE, as it writes them.

    `port` reads paths as UTF-8, which is its default, `latin_port` as ISO 8859-1. `portal`: in place of SHOWN_PORTAL.
    """
    base = folder / "tomcat"
    for name in ("conf", "lib", "logs", "temp", "work", "webapps"):
        (base / name).mkdir(parents=True)
    shutil.copytree(HERE / "tomcat/ROOT", base / "webapps/ROOT")
    shown = [block.text for block in blocks(JAVA_PAGE) if block.language == "xml"]
    for name, filter_class in FILTERS.items():
        shutil.copytree(HERE / "tomcat/spring", base / "webapps" / name)
        (lines,) = [text for text in shown if f"<filter-class>{filter_class}<" in text]
        settings_of_it = base / "webapps" / name / "WEB-INF/web.xml"
        head, _, rest = settings_of_it.read_text().partition("  <!-- FILTER")
        settings_of_it.write_text(head + lines.replace(SHOWN_PORTAL, portal) + rest.partition("-->\n")[2])
    for name in ("web.xml", "catalina.properties"):
        shutil.copy(TOMCAT_SETTINGS / name, base / "conf")
    settings = (HERE / "tomcat/server.xml").read_text()
    settings = settings.replace("UTF_8_PORT", str(port)).replace("LATIN_PORT", str(latin_port))
    (base / "conf/server.xml").write_text(settings)
    _put_classes(base)
    homes = sorted(Path("/usr/lib/jvm").glob(JAVA_HOMES))
    assert homes, "Java 21 is not installed: run `make test` once"
    # Java asks the system for names, which knows none under localhost.
    names = folder / "hosts"
    names.write_text(f"127.0.0.1 localhost {urlsplit(portal).hostname}\n")
    environment = {
        "CATALINA_HOME": str(TOMCAT),
        "CATALINA_BASE": str(base),
        "JAVA_HOME": str(homes[0]),
        "JAVA_OPTS": f"{QUICK} -Djdk.net.hosts.file={names}",
    }
    with running([found(str(TOMCAT / "bin/catalina.sh")), "run"], folder / "tomcat.log", port, environment):
        yield


def _put_classes(base: Path) -> None:
    """Spring MVC, and what stands in `deploy/readers` for Tomcat and Spring.

    Debian's Spring is of the time of javax.servlet: Tomcat's own tool makes it one of jakarta.servlet.
    """
    (base / "before").mkdir()
    for jar in SPRING_WEB:
        shutil.copy(jar, base / "before")
    command = [found("javax2jakarta"), str(base / "before"), str(base / "lib")]
    subprocess.run(command, check=True, timeout=120, capture_output=True, env={**os.environ, "JDK_JAVA_OPTIONS": QUICK})
    for jar in SPRING:
        shutil.copy(jar, base / "lib")
    libraries = ":".join(f"{folder}/*" for folder in (TOMCAT / "lib", TOMCAT / "bin", base / "lib"))
    javac = [found("javac"), "-J-XX:TieredStopAtLevel=1", "--release", "17", "-encoding", "UTF-8", "-cp", libraries]
    subprocess.run([*javac, "-d", str(base / "lib"), *map(str, SOURCES)], check=True, timeout=120)


@contextmanager
def aspnet(folder: Path, port: int) -> Iterator[None]:
    """ASP.NET of Mono with the site of aspnet/ and, in its bin, what stands in `deploy/readers` in C#."""
    site = folder / "site"
    shutil.copytree(HERE / "aspnet/site", site)
    (site / "bin").mkdir()
    mcs = [found("mcs"), "-nologo", "-r:System.Web.dll", "-r:System.Configuration.dll"]
    sources = [str(source) for source in sorted(READERS.glob("*.cs"))]
    host = site / "bin/Host.exe"
    for command in (
        [*mcs, "-target:library", f"-out:{site}/bin/Ecluse.dll", *sources],
        [*mcs, f"-out:{host}", str(HERE / "aspnet/Host.cs")],
    ):
        subprocess.run(command, check=True, timeout=120)
    # Where it keeps the pages that it has compiled.
    told = {"TMPDIR": str(folder)}
    with running([found("mono"), str(host), str(site), str(port)], folder / "aspnet.log", port, told):
        yield


@contextmanager
def running(
    command: Sequence[str], log: Path, at: int | Path, environment: Mapping[str, str] | None = None
) -> "Iterator[subprocess.Popen[bytes]]":
    """A program that listens on a port of 127.0.0.1, or on a socket in a folder."""
    with log.open("wb") as output:
        process = subprocess.Popen(
            command,
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=output,
            env={**os.environ, **(environment or {})},
            cwd=log.parent,
            # Apache ends the whole of its process group.
            start_new_session=True,
        )
    try:
        _wait_for(process, at, log)
        yield process
    finally:
        process.terminate()
        try:
            process.wait(30)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()


def _wait_for(process: "subprocess.Popen[bytes]", at: int | Path, log: Path) -> None:
    until = time.monotonic() + READY_WITHIN
    while True:
        try:
            with socket.socket(socket.AF_INET if isinstance(at, int) else socket.AF_UNIX) as one:
                one.settimeout(1)
                one.connect(("127.0.0.1", at) if isinstance(at, int) else str(at))
        except OSError:
            said = log.read_text(errors="replace")[-3000:]
            assert process.poll() is None, f"ended with {process.returncode}: {said}"
            assert time.monotonic() < until, f"does not listen after {READY_WITHIN:.0f} s: {said}"
            time.sleep(0.05)
        else:
            return


def stopped(*pids: int) -> None:
    """Processes that answer nothing any more until they get SIGCONT: a signal takes a moment to reach every thread."""
    for pid in pids:
        os.kill(pid, signal.SIGSTOP)
    until = time.monotonic() + READY_WITHIN
    while any(_state(thread) != "T" for pid in pids for thread in Path(f"/proc/{pid}/task").iterdir()):
        assert time.monotonic() < until, f"{pids} do not stop"
        time.sleep(0.01)


def _state(thread: Path) -> str:
    """proc(5): behind the name, which may have parentheses of its own."""
    return (thread / "stat").read_text().rpartition(")")[2].split()[0]


def found(name: str) -> str:
    path = shutil.which(name, path=os.environ.get("PATH", "") + ":/usr/sbin")
    assert path, f"{name} is not installed: run `make test` once"
    return path
