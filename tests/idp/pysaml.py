"""pysaml2 as SAML identity provider, a process of its own on loopback for as long as a `with` lasts."""

import json
import shutil
import subprocess
import sys
from pathlib import Path
from types import TracebackType
from typing import Self

from tests.idp.keys import Pair
from tests.patience import killed_if_late

_PROGRAM = Path(__file__).with_name("pysaml_program.py")


class Pysaml:
    """RuntimeError, with what it printed, if it does not start."""

    def __init__(self, folder: Path, port: int, pair: Pair) -> None:
        self._folder = folder
        self._pair = pair
        self.url = f"http://127.0.0.1:{port}"
        self._process: subprocess.Popen[str] | None = None

    @property
    def entity_id(self) -> str:
        return f"{self.url}/metadata"

    @property
    def metadata(self) -> str:
        """What its operator would send us."""
        certificate = "".join(self._pair.certificate.splitlines()[1:-1])
        services = "".join(
            f'<{name} Binding="urn:oasis:names:tc:SAML:2.0:bindings:HTTP-{binding}" Location="{self.url}/{path}"/>'
            for name, path in (("SingleLogoutService", "slo"), ("SingleSignOnService", "sso"))
            for binding in ("Redirect", "POST")
        )
        return (
            f'<EntityDescriptor xmlns="urn:oasis:names:tc:SAML:2.0:metadata" entityID="{self.entity_id}">'
            '<IDPSSODescriptor protocolSupportEnumeration="urn:oasis:names:tc:SAML:2.0:protocol">'
            '<KeyDescriptor use="signing"><KeyInfo xmlns="http://www.w3.org/2000/09/xmldsig#"><X509Data>'
            f"<X509Certificate>{certificate}</X509Certificate></X509Data></KeyInfo></KeyDescriptor>"
            f"{services}</IDPSSODescriptor></EntityDescriptor>"
        )

    def start(self, service_provider: str) -> Self:
        xmlsec1 = shutil.which("xmlsec1")
        if xmlsec1 is None:
            raise RuntimeError("xmlsec1 is not installed: run `make test` once")
        self._folder.mkdir(exist_ok=True)
        told = {"url": self.url, "xmlsec1": xmlsec1}
        for name, text in (
            ("key", self._pair.key),
            ("certificate", self._pair.certificate),
            ("service_provider", service_provider),
        ):
            (self._folder / name).write_text(text)
            told[name] = str(self._folder / name)
        settings = self._folder / "settings.json"
        settings.write_text(json.dumps(told))
        with (self._folder / "output").open("wb") as output:
            self._process = subprocess.Popen(
                [sys.executable, str(_PROGRAM), str(settings)], stdout=subprocess.PIPE, stderr=output, text=True
            )
        with killed_if_late(self._process) as printed:
            is_ready = printed.readline() == "ready\n"
        if not is_ready:
            self.stop()
            raise RuntimeError(f"pysaml2 did not start: {self.said()}")
        return self

    @property
    def pid(self) -> int:
        assert self._process is not None
        return self._process.pid

    def said(self) -> str:
        return (self._folder / "output").read_text(errors="replace")[-3000:]

    def stop(self) -> None:
        if self._process is not None:
            self._process.terminate()
            self._process.wait(30)
            if self._process.stdout is not None:
                self._process.stdout.close()
            self._process = None

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.stop()
