"""What deploy/ says is what gatepost knows: settings by their names, ports, users, probes, versions."""

from __future__ import annotations

import re
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import yaml
from ruamel.yaml import YAML

from gatepost_client import __version__
from gatepost_server.console.settings import ConsoleSettings
from gatepost_server.gateway.health import CANARIES, MODELS, MODERATION
from gatepost_server.gateway.http import HEALTH_PATH, METRICS_PATH
from gatepost_server.gateway.settings import GatewaySettings
from tests.kubectl import kubectl_binary
from tests.promtool import promtool

DEPLOY = Path(__file__).parents[2] / "deploy"
COMPOSE = yaml.safe_load((DEPLOY / "compose" / "compose.yaml").read_text())
KUBERNETES = DEPLOY / "kubernetes"
OTHER_NAMES = {
    "GATEPOST_CONFIG",
    "GATEPOST_STATE",
    "GATEPOST_LOG_FORMAT",
    "GATEPOST_LOG_LEVEL",
    "GATEPOST_MODEL_DEVICE",
}


def manifests() -> list[dict[str, Any]]:
    names = yaml.safe_load((KUBERNETES / "kustomization.yaml").read_text())["resources"]
    return [each for name in names for each in yaml.safe_load_all((KUBERNETES / name).read_text())]


def of(kind: str) -> list[dict[str, Any]]:
    return [each for each in manifests() if each["kind"] == kind]


def pods() -> Iterator[tuple[str, dict[str, Any]]]:
    for workload in of("StatefulSet") + of("Deployment"):
        yield workload["metadata"]["name"], workload["spec"]["template"]


def containers() -> list[Any]:
    return [
        pytest.param(template["spec"], container, id=f"{name}/{container['name']}")
        for name, template in pods()
        for container in template["spec"]["containers"]
    ]


def settings_named() -> Iterator[str]:
    for file in [*DEPLOY.rglob("*.yaml"), *DEPLOY.rglob("*.Dockerfile")]:
        yield from re.findall(r"\bGATEPOST_[A-Z0-9_]+", file.read_text())


def test_every_setting_that_is_named_is_one() -> None:
    known = set(OTHER_NAMES)
    for model in (GatewaySettings, ConsoleSettings):
        prefix = model.model_config["env_prefix"]
        known |= {f"{prefix}{field.upper()}" for field in model.model_fields}
    assert set(settings_named()) - known == set()


@pytest.mark.parametrize("file", sorted(DEPLOY.rglob("*.y*ml")), ids=lambda file: file.name)
def test_no_key_is_said_twice(file: Path) -> None:
    assert list(YAML(typ="safe").load_all(file.read_text()))  # raises DuplicateKeyError


def test_every_manifest_is_in_the_kustomization() -> None:
    named = set(yaml.safe_load((KUBERNETES / "kustomization.yaml").read_text())["resources"])
    others = {"kustomization.yaml", "prometheus-adapter.yaml"}  # the latter is another chart's values
    assert named == {path.name for path in KUBERNETES.glob("*.yaml")} - others


@pytest.mark.parametrize("folder", ["kubernetes", "kubernetes-gpu"])
def test_what_kustomize_makes_of_it_is_valid(folder: str, tmp_path: Path) -> None:
    command = [kubectl_binary(), "kustomize", str(DEPLOY / folder)]
    made = subprocess.run(command, capture_output=True, text=True, timeout=60)
    assert made.returncode == 0, made.stderr
    assert {
        each["metadata"]["namespace"] for each in yaml.safe_load_all(made.stdout) if each["kind"] != "Namespace"
    } == {"gatepost"}
    assert ("nvidia.com/gpu" in made.stdout) is (folder == "kubernetes-gpu")
    (tmp_path / "all.yaml").write_text(made.stdout)
    validate = [
        Path(sys.executable).with_name("kubernetes-validate"),
        "--strict",
        "-k",
        "1.33.0",
        tmp_path / "all.yaml",
    ]
    checked = subprocess.run(validate, capture_output=True, text=True, timeout=60)
    assert checked.returncode == 0, checked.stdout


def test_prometheus_takes_its_settings_and_finds_the_rules(tmp_path: Path) -> None:
    settings = (DEPLOY / "compose" / "prometheus.yml").read_text()
    assert "/etc/prometheus/rules/" in settings
    (tmp_path / "prometheus.yml").write_text(settings.replace("/etc/prometheus/rules", str(DEPLOY / "prometheus")))
    command = [promtool(), "check", "config", str(tmp_path / "prometheus.yml")]
    checked = subprocess.run(command, capture_output=True, text=True, timeout=60)
    assert checked.returncode == 0, checked.stderr
    assert "2 rule files found" in checked.stdout


@pytest.mark.parametrize(("pod", "container"), containers())
def test_no_container_runs_as_root_or_writes_to_its_root(pod: dict[str, Any], container: dict[str, Any]) -> None:
    context = {**pod["securityContext"], **container["securityContext"]}
    assert context["runAsNonRoot"] is True
    assert context["runAsUser"] > 0
    assert context["readOnlyRootFilesystem"] is True
    assert context["allowPrivilegeEscalation"] is False
    assert context["capabilities"] == {"drop": ["ALL"]}
    assert context["seccompProfile"] == {"type": "RuntimeDefault"}
    assert pod["automountServiceAccountToken"] is False
    assert "/tmp" in [mount["mountPath"] for mount in container["volumeMounts"]]


@pytest.mark.parametrize(("pod", "container"), containers())
def test_every_container_says_what_it_needs_and_is_probed(pod: dict[str, Any], container: dict[str, Any]) -> None:
    assert {"cpu", "memory"} <= container["resources"]["requests"].keys()
    assert "memory" in container["resources"]["limits"]
    assert {"startupProbe", "livenessProbe"} <= container.keys()
    mounted = {mount["name"] for mount in container["volumeMounts"]}
    assert mounted <= {volume["name"] for volume in pod["volumes"]} | {"handover"}


def test_probes_ask_for_health_that_the_gateway_tells() -> None:
    probes = [
        container[probe]
        for _, template in pods()
        for container in template["spec"]["containers"]
        for probe in ("startupProbe", "livenessProbe", "readinessProbe")
        if probe in container
    ]
    assert {probe["grpc"]["service"] for probe in probes if "grpc" in probe} == {MODERATION, MODELS, CANARIES}
    assert {probe["httpGet"]["path"] for probe in probes if "httpGet" in probe} <= {HEALTH_PATH, METRICS_PATH}


def test_services_budgets_and_policies_choose_pods_that_there_are() -> None:
    labels = [template["metadata"]["labels"].items() for _, template in pods()]
    selectors = [each["spec"]["selector"] for each in of("Service")]
    selectors += [each["spec"]["selector"]["matchLabels"] for each in of("PodDisruptionBudget")]
    selectors += [each["spec"]["podSelector"].get("matchLabels", {}) for each in of("NetworkPolicy")]
    assert len(selectors) >= 9
    for selector in selectors:
        assert any(selector.items() <= each for each in labels), selector


def test_there_is_a_policy_that_lets_nothing_else_in_or_out() -> None:
    assert {"podSelector": {}, "policyTypes": ["Ingress", "Egress"]} in [each["spec"] for each in of("NetworkPolicy")]


def test_replicas_grow_with_waiting_by_the_metric_that_the_adapter_makes() -> None:
    (scaler,) = of("HorizontalPodAutoscaler")
    adapter = yaml.safe_load((KUBERNETES / "prometheus-adapter.yaml").read_text())
    (metric,) = scaler["spec"]["metrics"]
    assert metric["pods"]["metric"]["name"] == adapter["rules"]["custom"][0]["name"]["as"]
    assert scaler["spec"]["scaleTargetRef"]["name"] in [each["metadata"]["name"] for each in of("StatefulSet")]


def test_images_are_of_this_version() -> None:
    images = {container["image"] for _, template in pods() for container in template["spec"]["containers"]}
    images |= {each["image"] for each in COMPOSE["services"].values() if "build" in each}
    assert images == {f"gatepost-gateway:{__version__}", f"gatepost-triton:{__version__}"}
    assert set(re.findall(r"/gatepost-\w+:([\d.]+)", (DEPLOY / "README.md").read_text())) == {__version__}


def test_compose_hardens_every_service_and_opens_ports_on_this_machine_alone() -> None:
    for name, service in COMPOSE["services"].items():
        assert service["read_only"] is True, name
        assert service["cap_drop"] == ["ALL"], name
        assert "no-new-privileges:true" in service["security_opt"], name
        assert all(port.startswith("127.0.0.1:") for port in service.get("ports", [])), name


def test_compose_keeps_models_and_stores_from_the_outside() -> None:
    inside = {name for name, network in COMPOSE["networks"].items() if network.get("internal")}
    assert inside == {"models", "stores"}
    assert set(COMPOSE["services"]["triton"]["networks"]) == {"models"}
    for store in ("postgres", "images"):
        assert set(COMPOSE["services"][store]["networks"]) == {"stores"}


def test_gateways_of_compose_share_no_hand_over() -> None:
    gateways = [service for name, service in COMPOSE["services"].items() if name.startswith("gateway-")]
    assert len(gateways) == 2
    places = [volume for gateway in gateways for volume in gateway["volumes"] if volume.endswith(":/var/lib/gatepost")]
    assert len(set(places)) == 2


def test_the_example_of_secrets_names_every_secret() -> None:
    example = {path.name for path in (DEPLOY / "compose" / "secrets.example").iterdir()}
    wanted = {Path(secret["file"]).name for secret in COMPOSE["secrets"].values()}
    wanted |= {Path(file).name for service in COMPOSE["services"].values() for file in service.get("env_file", [])}
    assert wanted - example == {"credentials.json"}  # made by gatepostd tokens new
