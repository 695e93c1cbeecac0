"""What docs/how-to/applications-in-java.md has an application do with a header in another encoding than latin1."""

import subprocess
from pathlib import Path

import pytest

from tests.docs.blocks import blocks
from tests.interop.name_bytes import NAME
from tests.interop.servers import JAVA_PAGE, TOMCAT

pytestmark = pytest.mark.service

MAIN = """
import jakarta.servlet.http.HttpServletRequest;
import java.lang.reflect.Proxy;
import java.nio.charset.StandardCharsets;

public class Main {
    static String read(HttpServletRequest request) {
SHOWN
        return name;
    }

    public static void main(String[] arguments) {
        // As a container has it: a character for each byte.
        String sent = new String(arguments[0].getBytes(StandardCharsets.UTF_8), StandardCharsets.ISO_8859_1);
        var request = (HttpServletRequest) Proxy.newProxyInstance(
            Main.class.getClassLoader(), new Class<?>[] {HttpServletRequest.class},
            (proxy, method, given) -> given[0].equals("X-Name") ? sent : null);
        System.out.print(read(request));
    }
}
"""


def test_the_two_lines_of_the_page_read_a_name(tmp_path: Path) -> None:
    (shown,) = [block.text for block in blocks(JAVA_PAGE) if block.language == "java"]
    (tmp_path / "Main.java").write_text(MAIN.replace("SHOWN", shown))
    command = ["java", "-XX:TieredStopAtLevel=1", "-Dstdout.encoding=UTF-8", "-Dsun.jnu.encoding=UTF-8"]
    environment = {"LC_ALL": "C.UTF-8", "PATH": "/usr/bin:/bin"}
    ran = subprocess.run(
        [*command, "-cp", f"{TOMCAT}/lib/*", str(tmp_path / "Main.java"), NAME],
        capture_output=True, text=True, timeout=60, check=False, env=environment,
    )  # fmt: skip
    assert (ran.stdout, ran.stderr) == (NAME, "")
