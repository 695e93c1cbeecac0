"""deploy/containers and deploy/kubernetes, as far as they can be looked at without an engine and a cluster.

The schemas of Kubernetes, that what they name is there, the policies as the gateway takes them, the checks of health.
"""

import re
import shutil
import subprocess
import sys
import venv
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import trustme
import yaml

from deploy.demo.ports import free
from gateway.cli.main import _parser
from gateway.config.schema.gateway import TimeoutsSection
from tests.cli.test_key import key
from tests.cli.test_main import typed
from tests.interop.servers import found, running
from tests.patience import PATIENCE

ROOT = Path(__file__).parents[2]
CONTAINERS, KUBERNETES = ROOT / "deploy/containers", ROOT / "deploy/kubernetes"
RESOURCES = sorted(path for path in KUBERNETES.glob("*.yaml") if path.name != "kustomization.yaml")


def read(path: Path) -> Any:
    return yaml.safe_load(path.read_text())


KUSTOMIZATION, POD = (
    read(KUBERNETES / "kustomization.yaml"),
    read(KUBERNETES / "deployment.yaml")["spec"]["template"]["spec"],
)
(GATEWAY,) = POD["containers"]
SERVICES = read(CONTAINERS / "compose.yaml")["services"]
USER = 10001


@pytest.mark.service
@pytest.mark.slow
def test_the_schemas_of_kubernetes_take_each_resource_strictly(tmp_path: Path) -> None:
    venv.create(tmp_path, with_pip=True)
    locked = ROOT / "requirements/kubernetes.txt"
    subprocess.run(
        [tmp_path / "bin/pip", "install", "-q", "--no-compile", "--require-hashes", "-r", locked],
        check=True,
        timeout=5 * PATIENCE,
    )
    command = [tmp_path / "bin/kubernetes-validate", "--strict", *RESOURCES]
    told = subprocess.run(command, capture_output=True, text=True, check=False, timeout=PATIENCE)
    assert told.returncode == 0, told.stdout + told.stderr
    wrong = tmp_path / "wrong.yaml"
    wrong.write_text((KUBERNETES / "deployment.yaml").read_text().replace("replicas:", "replica:"))
    assert subprocess.run([*command[:2], wrong], capture_output=True, check=False, timeout=PATIENCE).returncode != 0


def test_the_kustomization_names_every_file_and_no_other() -> None:
    assert sorted(KUSTOMIZATION["resources"]) == [path.name for path in RESOURCES]
    (policies,) = KUSTOMIZATION["configMapGenerator"]
    named = dict(entry.split("=") for entry in policies["files"])
    assert sorted(named.values()) == sorted(
        str(path.relative_to(KUBERNETES)) for path in (KUBERNETES / "policies").rglob("*.yaml")
    )
    (volume,) = [volume for volume in POD["volumes"] if volume["name"] == "policies"]
    assert {item["key"]: f"policies/{item['path']}" for item in volume["configMap"]["items"]} == named
    assert volume["configMap"]["name"] == policies["name"]


def test_two_replicas_one_of_which_is_always_there_and_a_drain_that_is_waited_for() -> None:
    deployment = read(KUBERNETES / "deployment.yaml")["spec"]
    labels = deployment["template"]["metadata"]["labels"]
    assert deployment["replicas"] == 2
    assert deployment["strategy"]["rollingUpdate"]["maxUnavailable"] == 0
    budget = read(KUBERNETES / "disruption.yaml")["spec"]
    assert (budget["minAvailable"], budget["selector"]["matchLabels"]) == (1, labels)
    assert read(KUBERNETES / "service.yaml")["spec"]["selector"] == labels
    policy = read(KUBERNETES / "network.yaml")["spec"]
    assert (policy["podSelector"]["matchLabels"], policy["policyTypes"]) == (labels, ["Ingress", "Egress"])
    drain = TimeoutsSection().drain
    pause = GATEWAY["lifecycle"]["preStop"]["sleep"]["seconds"]
    assert POD["terminationGracePeriodSeconds"] > drain + pause
    assert int(SERVICES["gateway"]["stop_grace_period"].removesuffix("s")) > drain


def test_nothing_runs_as_root_or_gains_a_right() -> None:
    assert POD["securityContext"]["runAsUser"] == USER
    assert GATEWAY["securityContext"] == {
        "allowPrivilegeEscalation": False,
        "readOnlyRootFilesystem": True,
        "capabilities": {"drop": ["ALL"]},
    }
    assert f"USER {USER}:{USER}" in (CONTAINERS / "Containerfile").read_text()
    ours = SERVICES["gateway"]
    assert (ours["cap_drop"], ours["read_only"], ours["security_opt"]) == (["ALL"], True, ["no-new-privileges:true"])


@pytest.mark.slow
def test_the_policies_are_taken(tmp_path: Path) -> None:
    shutil.copytree(KUBERNETES / "policies", tmp_path / "policies")
    (tmp_path / "certs").mkdir()
    for name in ("valkey.password", "metropole.secret"):
        (tmp_path / "certs" / name).write_text("0123456789abcdef")
    trustme.CA().cert_pem.write_to_path(tmp_path / "certs/ca.pem")
    key(tmp_path, "new", "store", "certs/store.keyring")
    told = typed("check", "policies", at=tmp_path)
    assert told.returncode == 0, told.stdout + told.stderr


def probes() -> Iterator[list[str]]:
    yield from (GATEWAY[name]["exec"]["command"] for name in ("startupProbe", "readinessProbe", "livenessProbe"))
    yield SERVICES["gateway"]["healthcheck"]["test"][1:]


@pytest.mark.parametrize("probe", list(probes()))
def test_a_probe_says_whether_the_gateway_says_yes(probe: list[str], tmp_path: Path) -> None:
    """In the place of the gateway, a server that has what is asked, or has not."""
    (port,) = free(1)
    (tmp_path / "livez").write_text("")
    (tmp_path / "readyz").write_text("")
    command = [sys.executable, "-c", probe[2].replace("8081", str(port))]

    def asked() -> int:
        return subprocess.run(command, capture_output=True, check=False, timeout=PATIENCE).returncode

    server = [sys.executable, "-m", "http.server", "--bind", "127.0.0.1", "-d", str(tmp_path), str(port)]
    with running(server, tmp_path / "log", port):
        assert asked() == 0
        for name in ("livez", "readyz"):
            (tmp_path / name).unlink()
        assert asked() != 0
    assert asked() != 0


def test_the_image_runs_what_there_is() -> None:
    text = (CONTAINERS / "Containerfile").read_text()
    told = _parser().parse_args(re.findall(r'"([^"]+)"', text.splitlines()[-1]))
    assert told.command == "serve"
    (installed,) = re.findall(r"^RUN /src/(\S+) /opt/ecluse (.*)$", text, re.MULTILINE)
    assert (ROOT / installed[0]).exists()
    assert all((ROOT / f"requirements/{extra}.txt").exists() for extra in installed[1].split())


@pytest.mark.service
def test_the_valkey_of_the_compose_file_forgets_nothing(tmp_path: Path) -> None:
    (port,) = free(1)
    _, *options = SERVICES["valkey"]["command"]
    command = [found("valkey-server"), *options, "--port", str(port), "--dir", str(tmp_path)]
    with running(command, tmp_path / "log", port):
        told = subprocess.run(
            [found("valkey-cli"), "-p", str(port), "CONFIG", "GET", "maxmemory-policy"],
            capture_output=True,
            text=True,
            timeout=PATIENCE,
        )
        assert "noeviction" in told.stdout
