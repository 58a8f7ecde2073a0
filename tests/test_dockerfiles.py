"""Dockerfiles and compose files as they are written: pinned, hardened alike, documented. None of it needs an engine."""

import importlib.machinery
import importlib.util
import itertools
import os
import re
import shutil
import subprocess
import sys
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest
import yaml

ROOT = Path(__file__).parents[1]
DEPLOY = ROOT / "deploy"
DOCKERFILES = [*sorted((ROOT / "services").glob("*/Dockerfile")), ROOT / "gateway" / "Dockerfile"]
COMPOSE_FILES = sorted(DEPLOY.glob("compose*.yml"))
OVERRIDES = ("compose.cpu.yml", "compose.cdi.yml", "compose.dcu.yml")
REQUIRED = {"LINESIDE_TLS_FOLDER": "/tmp", "LINESIDE_DCU_BASE": "base:1"}
OURS = {"digit", "ocr", "cars", "anomaly", "front"}
HADOLINT = shutil.which("hadolint") or shutil.which("hadolint", path=str(Path(sys.executable).parent))
# DL3008 wants versions of Debian's packages, which Debian takes away when it mends them. DL3013 and DL3042 do not see
# the lock file and PIP_NO_CACHE_DIR. DL3003 wants WORKDIR for one `cd`.
LEFT_OUT = ("DL3003", "DL3008", "DL3013", "DL3042")
VARIABLE = re.compile(r"(?<!\$)\$\{([A-Z_0-9]+)")

each_dockerfile = pytest.mark.parametrize("dockerfile", DOCKERFILES, ids=lambda path: path.parent.name)


class _Loader(yaml.SafeLoader):
    """YAML with compose's own tags, which tell how files are laid over one another."""


for tag in ("!reset", "!override"):
    _Loader.add_constructor(
        tag,
        lambda loader, node: (
            loader.construct_sequence(node, deep=True)
            if isinstance(node, yaml.SequenceNode)
            else loader.construct_mapping(node, deep=True)
        ),
    )


def read(name: str) -> dict[str, Any]:
    document: dict[str, Any] = yaml.load((DEPLOY / name).read_text(), _Loader)
    return document


COMPOSE = read("compose.yml")
SERVICES: dict[str, dict[str, Any]] = COMPOSE["services"]
each_service = pytest.mark.parametrize("name", SERVICES)


def instructions(dockerfile: Path) -> list[tuple[str, str]]:
    """Returns (instruction, rest) of each logical line."""
    text = re.sub(r"^\s*#.*\n", "", dockerfile.read_text(), flags=re.MULTILINE).replace("\\\n", " ")
    parts = [line.split(maxsplit=1) for line in text.splitlines() if line.strip()]
    return [(part[0], " ".join(part[1].split())) for part in parts]


def final_stages(dockerfile: Path) -> list[list[tuple[str, str]]]:
    """Returns the instructions of each stage that ends as an image: those that have an entry point."""
    stages: list[list[tuple[str, str]]] = []
    for instruction, rest in instructions(dockerfile):
        if instruction == "FROM":
            stages.append([])
        elif stages:
            stages[-1].append((instruction, rest))
    return [stage for stage in stages if any(instruction == "ENTRYPOINT" for instruction, _ in stage)]


# --- Dockerfiles ------------------------------------------------------------------------------------------------------


def test_each_service_has_a_dockerfile_with_an_image() -> None:
    assert {path.parent.name for path in DOCKERFILES} == {"digit", "ocr", "cars", "anomaly", "gateway"}
    assert [path for path in DOCKERFILES if not final_stages(path)] == []


@each_dockerfile
def test_hadolint_finds_nothing(dockerfile: Path) -> None:
    if not HADOLINT:
        pytest.skip("hadolint is not installed")
    ignored = [part for rule in LEFT_OUT for part in ("--ignore", rule)]
    done = subprocess.run([HADOLINT, *ignored, dockerfile], capture_output=True, text=True, timeout=60, check=False)
    assert done.stdout + done.stderr == ""


@each_dockerfile
def test_bases_are_pinned_by_version(dockerfile: Path) -> None:
    bases = [rest for instruction, rest in instructions(dockerfile) if instruction == "ARG" and "BASE=" in rest]
    assert bases
    for base in bases:
        assert re.fullmatch(r"\w+=[\w./-]+:\d+\.\d+[\w.-]*", base), base
    stages = [rest for instruction, rest in instructions(dockerfile) if instruction == "FROM"]
    named = {stage.partition(" AS ")[2] for stage in stages}
    assert [s for s in stages if not s.startswith("${") and s.split()[0] not in named] == []


@each_dockerfile
def test_packages_come_from_a_lock_with_hashes_in_a_build_stage(dockerfile: Path) -> None:
    installs = re.findall(r"pip \S*.*?install (.*?)(?:&&|$)", " \n".join(rest for _, rest in instructions(dockerfile)))
    assert installs
    for install in installs:
        assert "--require-hashes" in install or re.fullmatch(r"--no-deps --no-build-isolation (\./\S+ ?)+", install)
    assert not any("install" in rest and "pip" in rest for stage in final_stages(dockerfile) for _, rest in stage)


@each_dockerfile
def test_an_image_runs_as_a_number_that_is_not_root_and_checks_its_own_health(dockerfile: Path) -> None:
    for stage in final_stages(dockerfile):
        said = dict(stage)
        assert re.fullmatch(r"[1-9]\d*:[1-9]\d*", said["USER"])
        assert "servicekit.healthcheck" in said["HEALTHCHECK"]
        for label in ("title", "description", "licenses"):
            assert f"org.opencontainers.image.{label}=" in said["LABEL"]
        text = " ".join(rest for _, rest in stage)
        assert "curl" not in text
        assert "wget" not in text


@each_dockerfile
def test_an_image_has_no_package_tool(dockerfile: Path) -> None:
    for stage in final_stages(dockerfile):
        removed = " ".join(rest for instruction, rest in stage if instruction == "RUN" and "rm -rf" in rest)
        for tool in ("/usr/bin/apt*", "/usr/bin/dpkg*", "/usr/local/bin/pip*", "/ensurepip", "/site-packages/pip*"):
            assert tool in removed


# --- compose files ----------------------------------------------------------------------------------------------------


@each_service
def test_a_container_is_hardened(name: str) -> None:
    service = SERVICES[name]
    assert re.match(r"[1-9]\d*:\d+$", service["user"])
    assert service["read_only"] is True
    assert service["init"] is True
    assert service["cap_drop"] == ["ALL"]
    assert "cap_add" not in service
    assert service["security_opt"] == ["no-new-privileges:true"]
    assert "privileged" not in service
    assert {"mem_limit", "cpus", "pids_limit"} <= set(service)
    assert service["ulimits"]["nofile"] > 0
    assert set(service["logging"]["options"]) == {"max-size", "max-file"}
    assert service["restart"] == "unless-stopped"
    assert "container_name" not in service  # several projects of this file can stand side by side
    assert "network_mode" not in service
    assert "docker.sock" not in str(service)


@each_service
def test_an_image_is_pinned_by_version(name: str) -> None:
    assert re.fullmatch(r"[\w/-]+:v?\d+\.\d+[\w.-]*", SERVICES[name]["image"])


def test_only_the_gateway_is_published_and_grafana_on_loopback_with_its_profile() -> None:
    assert [name for name, service in SERVICES.items() if service.get("ports")] == ["gateway", "grafana"]
    assert all(port.startswith("${LINESIDE_PUBLISH_ADDRESS:-127.0.0.1}:") for port in SERVICES["gateway"]["ports"])
    assert SERVICES["grafana"]["profiles"] == ["monitoring"]
    assert all(port.startswith("127.0.0.1:") for port in SERVICES["grafana"]["ports"])


def test_every_container_is_in_the_network_without_a_way_out_and_few_in_another() -> None:
    assert COMPOSE["networks"]["inside"] == {"internal": True}
    assert [name for name, service in SERVICES.items() if "inside" not in service["networks"]] == []
    others = {name: set(service["networks"]) - {"inside"} for name, service in SERVICES.items()}
    assert {name: networks for name, networks in others.items() if networks} == {
        "gateway": {"edge"},
        "grafana": {"edge"},
        "cars": {"outside"},
        "anomaly": {"outside"},
        "alertmanager": {"outside"},
    }


def test_our_containers_have_time_to_drain_and_to_finish() -> None:
    from servicekit.settings import ServiceSettings

    fields = ServiceSettings.model_fields
    for name in OURS | {"gateway"}:
        seconds = int(re.search(r":-(\d+)s", SERVICES[name]["stop_grace_period"])[1])  # type: ignore[index]
        assert seconds > fields["drain_s"].default + fields["shutdown_s"].default


def test_no_secret_stands_in_a_variable() -> None:
    for name, service in SERVICES.items():
        for variable, value in service.get("environment", {}).items():
            if re.search("PASSWORD|SECRET|TOKEN|API_KEYS", variable):
                assert "/run/secrets/" in value, f"{name}: {variable}"


def test_files_laid_over_the_others_take_no_hardening_away() -> None:
    harmless = {"image", "build", "devices", "group_add", "environment", "volumes", "ports", "develop"}
    for file in COMPOSE_FILES[:]:
        if file.name != "compose.yml":
            for name, service in read(file.name)["services"].items():
                assert set(service) <= harmless, f"{file.name}: {name}"


def test_the_file_for_developers_only_adds() -> None:
    assert "!" not in re.sub(r"#.*", "", (DEPLOY / "compose.dev.yml").read_text())


def test_the_example_documents_every_variable_and_no_other() -> None:
    text = (DEPLOY / ".env.example").read_text()
    documented = set(re.findall(r"^#([A-Z][A-Z_0-9]*)=", text, re.MULTILINE))
    read_by_files = {name for file in COMPOSE_FILES for name in VARIABLE.findall(file.read_text())}
    assert documented == read_by_files | {"LINESIDE_HARDWARE", "COMPOSE_PROFILES"}


def test_the_example_shows_the_defaults() -> None:
    shown = dict(re.findall(r"^#([A-Z][A-Z_0-9]*)=(.*)$", (DEPLOY / ".env.example").read_text(), re.MULTILINE))
    for file in COMPOSE_FILES:
        for name, default in re.findall(r"\$\{([A-Z_0-9]+):-([^}]*)\}", file.read_text()):
            assert shown[name] == default.replace("/dev/null", ""), f"{file.name}: {name}"


@pytest.mark.parametrize("override", [None, *OVERRIDES])
@pytest.mark.parametrize("further", [(), ("compose.dev.yml",), ("compose.tls.yml",)], ids=str)
def test_compose_takes_each_combination_of_files(override: str | None, further: tuple[str, ...]) -> None:
    done = compose(["compose.yml", *([override] if override else []), *further], "--profile", "*", "config", "--quiet")
    assert (done.returncode, done.stderr) == (0, "")


def test_without_a_gpu_no_device_and_no_group_is_asked_for() -> None:
    done = compose(["compose.yml", "compose.cpu.yml"], "config")
    ocr = yaml.safe_load(done.stdout)["services"]["ocr"]
    assert not {"devices", "group_add"} & set(ocr)
    assert ocr["build"]["target"] == "cpu"
    assert "args" not in ocr["build"]


def compose(files: list[str], *arguments: str) -> "subprocess.CompletedProcess[str]":
    if not shutil.which("docker") or subprocess.run(["docker", "compose", "version"], capture_output=True).returncode:
        pytest.skip("no docker compose")
    command = ["docker", "compose", *itertools.chain(*(("-f", str(DEPLOY / file)) for file in files)), *arguments]
    clean = {name: value for name, value in os.environ.items() if not re.match("LINESIDE_|CARS_|ANOMALY_", name)}
    return subprocess.run(
        command, capture_output=True, text=True, timeout=60, check=False, env={**clean, **REQUIRED}, cwd="/"
    )


# --- deploy/up --------------------------------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def up() -> ModuleType:
    loader = importlib.machinery.SourceFileLoader("up", str(DEPLOY / "up"))
    specification = importlib.util.spec_from_loader("up", loader)
    assert specification
    module = importlib.util.module_from_spec(specification)
    written, sys.dont_write_bytecode = sys.dont_write_bytecode, True
    loader.exec_module(module)
    sys.dont_write_bytecode = written
    return module


def machine(folder: Path, *files: str, **texts: str) -> Path:
    for file in files:
        (folder / file).parent.mkdir(parents=True, exist_ok=True)
        (folder / file).write_text(texts.get("vendor", ""))
    return folder


def test_a_machine_without_a_driver_computes_on_its_cpu(up: ModuleType, tmp_path: Path) -> None:
    assert up.choose(machine(tmp_path, "dev/dri/renderD128"), "")[0] == "cpu"


def test_an_amd_gpu_with_its_driver_is_used(up: ModuleType, tmp_path: Path) -> None:
    found = machine(tmp_path, "dev/kfd", "dev/dri/card1", "sys/class/drm/card1/device/vendor", vendor="0x1002\n")
    assert up.choose(found, "")[0] == "gpu"
    assert set(up.groups(found)) == {"LINESIDE_RENDER_GROUP", "LINESIDE_VIDEO_GROUP"}


def test_a_driver_without_an_amd_gpu_is_not_enough(up: ModuleType, tmp_path: Path) -> None:
    found = machine(tmp_path, "dev/kfd", "sys/class/drm/card0/device/vendor", vendor="0x8086\n")
    assert up.choose(found, "")[0] == "cpu"


def test_amds_container_toolkit_goes_before_devices_by_name(up: ModuleType, tmp_path: Path) -> None:
    assert up.choose(machine(tmp_path, "dev/kfd", "etc/cdi/amd.json", vendor='{"kind": "amd.com/gpu"}'), "")[0] == "cdi"
    assert up.choose(machine(tmp_path / "b", "etc/cdi/x.yaml", vendor="kind: nvidia.com/gpu"), "")[0] == "cpu"


def test_a_dcu_is_told_from_an_amd_gpu(up: ModuleType, tmp_path: Path) -> None:
    assert up.choose(machine(tmp_path, "dev/mkfd", "dev/kfd"), "")[0] == "dcu"


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("LINESIDE_PUBLISH_PORT", "http"),
        ("LINESIDE_PUBLISH_PORT", "70000"),
        ("LINESIDE_PUBLISH_ADDRESS", "factory"),
        ("LINESIDE_OCR_MEMORY", "lots"),
        ("LINESIDE_OCR_CPUS", "all"),
        ("LINESIDE_RENDER_GROUP", "render"),
        ("LINESIDE_STOP_GRACE", "soon"),
        ("LINESIDE_ALLOW_ANONYMOUS", "yes"),
        ("LINESIDE_HARDWARE", "tpu"),
        ("LINESIDE_API_KEYS_FILE", "not-there"),
        ("CARS_S3_SECRET_KEY_FILE", "not-there"),
    ],
)
def test_a_bad_value_is_refused_by_its_name(up: ModuleType, name: str, value: str) -> None:
    with pytest.raises(up.RefusedError, match=f"^{name}="):
        up.check({name: value})


@pytest.mark.parametrize("address", ["0.0.0.0", "::", "192.168.1.7"])
def test_nothing_is_published_beyond_loopback_without_keys(up: ModuleType, tmp_path: Path, address: str) -> None:
    with pytest.raises(up.RefusedError, match=r"^LINESIDE_PUBLISH_ADDRESS=.*LINESIDE_API_KEYS_FILE"):
        up.check({"LINESIDE_PUBLISH_ADDRESS": address})
    up.check({"LINESIDE_PUBLISH_ADDRESS": address, "LINESIDE_ALLOW_ANONYMOUS": "true"})
    keys = tmp_path / "api-keys"
    keys.write_text("mes:read:" + "0" * 64)
    keys.chmod(0o644)
    up.check({"LINESIDE_PUBLISH_ADDRESS": address, "LINESIDE_API_KEYS_FILE": str(keys)})


def test_a_secret_that_the_containers_may_not_read_is_refused(up: ModuleType, tmp_path: Path) -> None:
    keys = tmp_path / "api-keys"
    keys.write_text("mes:read:" + "0" * 64)
    keys.chmod(0o600)
    with pytest.raises(up.RefusedError, match=r"^LINESIDE_API_KEYS_FILE=.*may not read"):
        up.check({"LINESIDE_API_KEYS_FILE": str(keys)})


def test_the_defaults_of_the_example_are_accepted(up: ModuleType) -> None:
    up.check(dict(re.findall(r"^#([A-Z][A-Z_0-9]*)=(.*)$", (DEPLOY / ".env.example").read_text(), re.MULTILINE)))


@pytest.mark.parametrize(
    ("script", "said"),
    [(None, "there is no `docker`"), ("exit 1", "`docker compose` is missing"), ("echo 1.29.2", "is missing")],
)
def test_what_is_missing_is_said(tmp_path: Path, script: str | None, said: str) -> None:
    if script:
        (tmp_path / "docker").write_text(f"#!/bin/sh\n{script}\n")
        (tmp_path / "docker").chmod(0o755)
    done = subprocess.run(
        [sys.executable, DEPLOY / "up"], env={"PATH": str(tmp_path)}, capture_output=True, text=True, check=False
    )
    assert (done.returncode, done.stdout) == (1, "")
    assert done.stderr.startswith("lineside: ")
    assert said in done.stderr
