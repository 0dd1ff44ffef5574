"""The Helm chart: what it renders for a matrix of values, against schemas and golden files.

`REWRITE_GOLDEN=1 python -m pytest tests/deploy/test_chart.py` writes the golden files anew.
"""

import importlib
import json
import os
import re
import subprocess
import sys
from collections.abc import Callable, Iterator
from functools import cache
from pathlib import Path
from typing import Any

import pytest
import yaml

from deploy.helm.readme import CHART, readme
from tests.conftest import ROOT

TOOLS = ROOT / "build/tools"
GOLDEN = Path(__file__).with_name("golden")
KUBERNETES = ("1.35.0", "1.36.0", "1.37.0")
S3 = {"store": "s3", "s3": {"bucket": "films", "endpoint": "https://s3.example.org"}}
AUTO = {"autoscaling": {"enabled": True}}
CELLS: dict[str, dict[str, Any]] = {
    "minimal": {},
    "ingress": {
        "ingress": {"enabled": True, "host": "films.example.org", "tlsSecret": "films-tls"},
        "settings": {"COOKIE_SECURE": True, "SITE_NAME": "Films", "BIN_DAYS": 7},
        "gateway": {"trustedProxies": ["10.0.0.0/8"]},
    },
    "http-route": {
        "httpRoute": {"enabled": True, "parentRefs": [{"name": "edge", "namespace": "infra"}]},
        "settings": {"ALLOWED_HOSTS": "other.example.org"},
        "staticBuilds": {"enabled": True},
    },
    "object-store": {"storage": S3, "networkPolicies": {"s3Ports": [443, 8333]}},
    "no-volume": {"storage": S3 | {"uploads": "s3", "scratchSize": "80Gi"}},
    "autoscaling": dict.fromkeys(("gateway", "auth", "upload", "streaming", "transcode"), AUTO),
    "everything": {
        "image": {"registry": "registry.example.org/video", "pullSecrets": ["registry"]},
        "storage": {
            "store": "s3",
            "s3": {"bucket": "films", "prefix": "in", "encryption": "AES256"},
            "videos": {"existingClaim": "films"},
            "cdn": {"kind": "bunny", "url": "https://films.b-cdn.net"},
        },
        "staticBuilds": {"enabled": True, "existingClaim": "static"},
        "keda": {"enabled": True},
        "transcode": AUTO,
        "networkPolicies": {
            "metricsPeers": [{"namespaceSelector": {"matchLabels": {"name": "monitoring"}}}]
        },
        "nodeSelector": {"disk": "fast"},
        "tolerations": [{"key": "video", "operator": "Exists"}],
    },
}

# What the CRDs ask for, as far as the chart uses them: no package here has their schemas.
GATEWAY_API = {
    "type": "object",
    "required": ["parentRefs", "hostnames", "rules"],
    "additionalProperties": False,
    "properties": {
        "parentRefs": {"items": {"required": ["name"]}},
        "hostnames": {"items": {"type": "string"}},
        "rules": {
            "items": {
                "additionalProperties": False,
                "properties": {
                    "matches": {
                        "items": {
                            "properties": {
                                "path": {
                                    "properties": {
                                        "type": {"enum": ["Exact", "PathPrefix"]},
                                        "value": {"type": "string"},
                                    }
                                }
                            }
                        }
                    },
                    "timeouts": {
                        "properties": {"request": {"pattern": "^([0-9]{1,5}(h|m|s|ms)){1,4}$"}}
                    },
                    "backendRefs": {"items": {"required": ["name", "port"]}},
                },
            }
        },
    },
}
KEDA_TRIGGER = {
    "required": ["type", "metadata", "authenticationRef"],
    "properties": {"metadata": {"additionalProperties": {"type": "string"}}},
}
CRDS = {
    "HTTPRoute": GATEWAY_API,
    "ScaledObject": {
        "type": "object",
        "required": ["scaleTargetRef", "triggers"],
        "additionalProperties": False,
        "properties": {
            "scaleTargetRef": {"required": ["name"]},
            "minReplicaCount": {"type": "integer"},
            "maxReplicaCount": {"type": "integer"},
            "pollingInterval": {"type": "integer"},
            "cooldownPeriod": {"type": "integer"},
            "triggers": {"items": KEDA_TRIGGER},
        },
    },
    "TriggerAuthentication": {
        "type": "object",
        "required": ["secretTargetRef"],
        "properties": {"secretTargetRef": {"items": {"required": ["parameter", "name", "key"]}}},
    },
}


def helm(*arguments: str) -> "subprocess.CompletedProcess[str]":
    """Run Helm, which `make build/tools/helm` fetches."""
    program = TOOLS / "helm"
    if not program.exists():
        said = "Helm is not here: make build/tools/helm"
        if os.environ.get("CI") == "true":
            pytest.fail(said)
        pytest.skip(said)
    environment = {"PATH": os.environ["PATH"], "HOME": str(TOOLS)}
    return subprocess.run(
        [program, *arguments], env=environment, capture_output=True, text=True, check=False
    )


def values_of(folder: Path, values: dict[str, Any]) -> str:
    """Write values into a file, and return its path."""
    file = folder / "values.yaml"
    file.write_text(json.dumps(values), encoding="utf-8")
    return str(file)


@cache
def rendered(cell: str) -> str:
    """Return what the chart makes of a cell's values."""
    given = json.dumps(CELLS[cell])
    arguments = ["template", "video", str(CHART), "--namespace", "media"]
    for name, value in json.loads(given).items():
        arguments += ["--set-json", f"{name}={json.dumps(value)}"]
    done = helm(*arguments)
    assert done.returncode == 0, done.stderr
    return done.stdout


@cache
def objects(cell: str) -> list[dict[str, Any]]:
    """Return the objects of a cell."""
    return [found for found in yaml.safe_load_all(rendered(cell)) if found]


@pytest.fixture(scope="module")
def tools() -> Iterator[Callable[[str], Any]]:
    """Imports the packages that are installed beside Helm."""
    helm("version")
    sys.path.append(str(TOOLS / "python"))
    schemas = importlib.import_module("kubernetes_validate.utils")
    # It would read a megabyte of JSON for each object.
    vars(schemas)["schema_contents"] = cache(schemas.schema_contents)
    yield importlib.import_module
    sys.path.remove(str(TOOLS / "python"))


@pytest.mark.parametrize("cell", CELLS)
def test_lint(tmp_path: Path, cell: str) -> None:
    done = helm("lint", "--strict", str(CHART), "--values", values_of(tmp_path, CELLS[cell]))

    assert done.returncode == 0, done.stdout + done.stderr


@pytest.mark.parametrize("cell", CELLS)
@pytest.mark.parametrize("version", KUBERNETES)
def test_every_object_fits_the_schemas(
    cell: str, version: str, tools: Callable[[str], Any]
) -> None:
    for found in objects(cell):
        if schema := CRDS.get(found["kind"]):
            tools("jsonschema").validate(found["spec"], schema)
        else:
            tools("kubernetes_validate").validate(found, version, strict=True)


@pytest.mark.parametrize("cell", CELLS)
def test_golden(cell: str) -> None:
    file = GOLDEN / f"{cell}.yaml"
    text = "\n".join(line.rstrip() for line in rendered(cell).splitlines()) + "\n"
    if os.environ.get("REWRITE_GOLDEN"):
        file.write_text(text, encoding="utf-8")

    assert text == file.read_text(encoding="utf-8"), f"REWRITE_GOLDEN=1 writes {file.name} anew"


def containers(cell: str) -> Iterator[tuple[dict[str, Any], dict[str, Any]]]:
    """Yield each pod's specification with its container."""
    for found in objects(cell):
        template = found["spec"].get("template") if "spec" in found else None
        if template is not None:
            [container] = template["spec"]["containers"]
            yield template["spec"], container


@pytest.mark.parametrize("cell", CELLS)
def test_every_variable_is_documented(cell: str) -> None:
    text = (ROOT / ".env.example").read_text(encoding="utf-8")
    documented = set(re.findall(r"^#?([A-Z][A-Z0-9_]+)=", text, re.MULTILINE))
    names = {one["name"] for _, container in containers(cell) for one in container.get("env", ())}
    for found in objects(cell):
        if found["kind"] == "ConfigMap":
            names |= set(found["data"])

    assert names - documented == set()


# What Compose gives a service in another way: secrets from files, and one name for two settings.
IN_COMPOSE_ONLY = re.compile(r"_FILE$|^[A-Z]+_DB_PASSWORD$")


@pytest.mark.parametrize("service", ["auth", "upload", "streaming", "transcode", "janitor"])
def test_every_variable_of_compose_can_be_set(service: str) -> None:
    compose = yaml.safe_load((ROOT / "docker-compose.yml").read_text(encoding="utf-8"))
    given = compose["services"][service]["environment"]
    schema = json.loads((CHART / "values.schema.json").read_text(encoding="utf-8"))
    known = set(schema["properties"]["settings"]["properties"])
    for cell in ("object-store", "everything"):
        [container] = [one for _, one in containers(cell) if one["name"] == service]
        known |= {one["name"] for one in container["env"]}
    [settings] = [one for one in objects("minimal") if one["kind"] == "ConfigMap"]
    known |= set(settings["data"])

    assert {name for name in given if not IN_COMPOSE_ONLY.search(name)} - known == set()


@pytest.mark.parametrize("cell", CELLS)
def test_every_pod_is_confined_as_in_compose(cell: str) -> None:
    for pod, container in containers(cell):
        assert pod["automountServiceAccountToken"] is False
        assert pod["securityContext"]["runAsNonRoot"] is True
        assert pod["securityContext"]["seccompProfile"] == {"type": "RuntimeDefault"}
        security = container["securityContext"]
        assert security["readOnlyRootFilesystem"] is True
        assert security["allowPrivilegeEscalation"] is False
        assert security["capabilities"] == {"drop": ["ALL"]}
        assert "memory" in container["resources"]["limits"]


def test_whoever_writes_to_the_store_may_reach_it() -> None:
    ports = {
        policy["metadata"]["name"].removeprefix("video-"): {
            port["port"] for rule in policy["spec"]["egress"] for port in rule.get("ports", ())
        }
        for policy in objects("no-volume")
        if policy["kind"] == "NetworkPolicy"
    }
    reach = {name for name, open_ports in ports.items() if 443 in open_ports}

    assert reach == {"matinee-gateway", "matinee-upload", "matinee-transcode", "matinee-janitor"}


def test_names_of_objects_and_claims_belong_together() -> None:
    found = objects("http-route")
    claims = {one["metadata"]["name"] for one in found if one["kind"] == "PersistentVolumeClaim"}
    used = {
        volume["persistentVolumeClaim"]["claimName"]
        for pod, _ in containers("http-route")
        for volume in pod.get("volumes", ())
        if "persistentVolumeClaim" in volume
    }
    services = {one["metadata"]["name"] for one in found if one["kind"] == "Service"}
    [gateway] = [c for _, c in containers("http-route") if c["name"] == "gateway"]
    upstreams = {
        one["value"].split(".")[0] for one in gateway["env"] if one["name"].endswith("_UPSTREAM")
    }

    assert used == claims
    assert upstreams < services


@pytest.mark.parametrize(
    ("values", "named"),
    [
        ({"imag": {}}, "imag"),
        ({"settings": {"SITENAME": "x"}}, "SITENAME"),
        ({"storage": {"uploads": "s3"}}, "/storage/store"),
        ({"storage": {"store": "s3"}}, "bucket"),
        ({"storage": {"store": "nfs"}}, "store"),
        ({"storage": {"cdn": {"kind": "bunny", "url": "https://a.example"}}}, "bucket"),
        ({"auth": {"replicas": 0}}, "replicas"),
        ({"gateway": {"cacheSize": "much"}}, "cacheSize"),
    ],
)
def test_a_wrong_value_is_named(tmp_path: Path, values: dict[str, Any], named: str) -> None:
    done = helm("template", "video", str(CHART), "--values", values_of(tmp_path, values))

    assert done.returncode != 0
    assert named in done.stderr


def test_the_readme_tells_every_value() -> None:
    assert (CHART / "README.md").read_text(encoding="utf-8") == readme()


def test_every_default_is_described(tools: Callable[[str], Any]) -> None:
    schema = json.loads((CHART / "values.schema.json").read_text(encoding="utf-8"))
    values = yaml.safe_load((CHART / "values.yaml").read_text(encoding="utf-8"))

    assert set(schema["properties"]) - {"global"} == set(values)
    tools("jsonschema").validate(values, schema)
    settings = schema["properties"]["settings"]["properties"]
    text = (ROOT / ".env.example").read_text(encoding="utf-8")
    assert [name for name in settings if not re.search(rf"^#?{name}=", text, re.MULTILINE)] == []
