"""What Rack reads of the line that `preset: rack` sends, recorded: `python -m tests.interop.record_rack`.

Needs `apt-get install puma ruby-rack`, which the tests do not. Puma serves a Rack application that says what stands in
its environment.
"""

import subprocess
import tempfile
from pathlib import Path
from urllib.request import Request, urlopen

from deploy.demo.ports import free
from tests.interop.servers import found, running

LINE = ("X-Remote-User", "hleboeuf")
_PROGRAM = """
run ->(env) {
  found = env.select { |name, _| name.start_with?("HTTP_X_") }
  [200, {"content-type" => "text/plain"}, found.map { |name, value| "#{name} #{value.unpack1("H*")}\\n" }]
}
"""


def recorded(folder: Path) -> str:
    (port,) = free(1)
    (folder / "config.ru").write_text(_PROGRAM)
    puma = [found("puma"), "--quiet", "--bind", f"tcp://127.0.0.1:{port}", str(folder / "config.ru")]
    with running(puma, folder / "puma.log", port):
        asked = Request(f"http://127.0.0.1:{port}/", headers=dict([LINE]))
        return urlopen(asked, timeout=30).read().decode()


def main() -> None:
    versions = [
        subprocess.check_output(["dpkg-query", "-W", "-f=${Package} ${Version}", package], text=True)
        for package in ("puma", "ruby-rack")
    ]
    print(f"# {', '.join(versions)}, by tests/interop/record_rack.py")
    print(f"# {': '.join(LINE)}")
    with tempfile.TemporaryDirectory() as folder:
        print(recorded(Path(folder)), end="")


if __name__ == "__main__":
    main()
