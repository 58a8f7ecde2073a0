"""Prometheus, Alertmanager and Grafana as they are deployed: checked by their own tools, and run over real services."""

import contextlib
import hashlib
import importlib.util
import io
import json
import re
import shutil
import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from types import ModuleType
from typing import Any

import deployments
import httpx2
import pytest
import yaml
from PIL import Image, ImageDraw, ImageFont

ROOT = Path(__file__).parents[1]
PROMETHEUS = ROOT / "deploy" / "prometheus"
RULES = sorted((PROMETHEUS / "rules").glob("*.yml"))
UNIT_TESTS = sorted((PROMETHEUS / "tests").glob("*.yml"))
ALERTMANAGER = ROOT / "deploy" / "alertmanager" / "alertmanager.yml"
GRAFANA = ROOT / "deploy" / "grafana"
RUNBOOK = ROOT / "docs" / "monitoring.md"
KEY_FILE = "/run/secrets/metrics_key"
SECRET = "a-key-of-this-test"
KEY = f"test:admin:{hashlib.sha256(SECRET.encode()).hexdigest()}"
WAIT_S = 60
FOR_S = 3  # what every `for` is cut down to, where rules are run for real

Expression = tuple[str, str]  # where it stands, and itself


def tool(name: str) -> str:
    found = shutil.which(name)
    if not found:
        pytest.skip(f"no {name}: Debian has it in prometheus or prometheus-alertmanager")
    return found


def checked(*command: str | Path) -> str:
    done = subprocess.run([str(part) for part in command], capture_output=True, text=True, timeout=300, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout + done.stderr


@cache
def rules() -> tuple[dict[str, Any], ...]:
    groups = [group for path in RULES for group in yaml.safe_load(path.read_text())["groups"]]
    return tuple(rule for group in groups for rule in group["rules"])


def alerts() -> dict[str, dict[str, Any]]:
    return {rule["alert"]: rule for rule in rules() if "alert" in rule}


def unit_tests() -> Iterator[dict[str, Any]]:
    for path in UNIT_TESTS:
        for test in yaml.safe_load(path.read_text())["tests"]:
            yield from test["alert_rule_test"]


each_alert = pytest.mark.parametrize("name", sorted(alerts()))


# --- files ------------------------------------------------------------------------------------------------------------


def test_prometheus_accepts_its_configuration_and_the_rules(tmp_path: Path) -> None:
    promtool = tool("promtool")
    copy = shutil.copytree(PROMETHEUS, tmp_path / "prometheus")
    (tmp_path / "key").touch()
    (copy / "prometheus.yml").write_text((copy / "prometheus.yml").read_text().replace(KEY_FILE, str(tmp_path / "key")))
    checked(promtool, "check", "config", copy / "prometheus.yml")
    checked(promtool, "check", "rules", *RULES)


@pytest.mark.parametrize("path", UNIT_TESTS, ids=lambda path: path.stem)
def test_the_rules_do_what_their_unit_tests_say(path: Path) -> None:
    checked(tool("promtool"), "test", "rules", path)


def test_alertmanager_accepts_its_configuration() -> None:
    assert "SUCCESS" in checked(tool("amtool"), "check-config", ALERTMANAGER)


def test_out_of_the_box_nobody_is_told() -> None:
    route = checked(tool("amtool"), "config", "routes", "test", f"--config.file={ALERTMANAGER}", "severity=critical")
    receivers = {receiver["name"]: receiver for receiver in yaml.safe_load(ALERTMANAGER.read_text())["receivers"]}
    assert "nobody" in route
    assert list(receivers["nobody"]) == ["name"]


@each_alert
def test_an_alert_is_seen_to_fire_and_to_stay_silent(name: str) -> None:
    expected = [bool(test["exp_alerts"]) for test in unit_tests() if test["alertname"] == name]
    assert set(expected) == {True, False}


@each_alert
def test_an_alert_says_how_bad_it_is_what_it_is_and_what_to_do(name: str) -> None:
    rule = alerts()[name]
    assert rule["labels"]["severity"] in ("critical", "warning")
    assert set(rule["annotations"]) == {"summary", "description", "runbook"}
    assert "$value" in rule["annotations"]["description"]
    assert rule["annotations"]["runbook"] == f"docs/monitoring.md#{name.lower()}"
    section = RUNBOOK.read_text("utf-8").partition(f"\n### {name}\n")[2].partition("\n#")[0]
    assert "**Means**" in section, f"docs/monitoring.md has no section on {name}"
    assert "**Do**" in section


def test_the_runbook_and_inhibitions_name_no_alert_that_is_gone() -> None:
    named = set(re.findall(r"^### (Lineside\w+)$", RUNBOOK.read_text("utf-8"), re.MULTILINE))
    assert named == set(alerts())
    for pattern in re.findall(r'alertname=~?"([^"]+)"', ALERTMANAGER.read_text()):
        for part in re.sub(r"\((.*?)\)", lambda m: m[0].replace("|", "§"), pattern).split("|"):
            assert any(re.fullmatch(part.replace("§", "|"), name) for name in alerts()), part


# --- dashboards -------------------------------------------------------------------------------------------------------


def generator() -> ModuleType:
    spec = importlib.util.spec_from_file_location("dashboards", GRAFANA / "dashboards.py")
    assert spec
    assert spec.loader
    module = importlib.util.module_from_spec(spec)
    sys.modules[spec.name] = module  # dataclasses look there
    spec.loader.exec_module(module)
    return module


def dashboards() -> dict[str, dict[str, Any]]:
    return {path.stem: json.loads(path.read_text("utf-8")) for path in sorted((GRAFANA / "dashboards").glob("*.json"))}


def test_the_dashboards_are_what_the_generator_writes() -> None:
    files = generator().files()
    assert set(files) == set((GRAFANA / "dashboards").iterdir())
    for path, text in files.items():
        assert path.read_text("utf-8") == text, "run `python deploy/grafana/dashboards.py`"


def test_dashboards_have_stable_names_and_panels_that_explain_themselves() -> None:
    for uid, dashboard in dashboards().items():
        assert (dashboard["uid"], "id" in dashboard) == (uid, False)
        assert len({panel["id"] for panel in dashboard["panels"]}) == len(dashboard["panels"])
        for panel in dashboard["panels"]:
            assert panel["title"], uid
            assert panel["description"].endswith("."), (uid, panel["title"])
            assert panel["fieldConfig"]["defaults"]["unit"], (uid, panel["title"])
            at = panel["gridPos"]
            assert at["x"] + at["w"] <= 24
    titles = [dashboard["title"] for dashboard in dashboards().values()]
    assert len(set(titles)) == len(titles)


def test_every_dashboard_asks_the_datasource_that_is_provisioned() -> None:
    provisioned = yaml.safe_load((GRAFANA / "provisioning" / "datasources" / "prometheus.yml").read_text())
    kinds = {source["uid"]: source["type"] for source in provisioned["datasources"]}
    for dashboard in dashboards().values():
        (variable,) = dashboard["templating"]["list"]
        assert kinds[variable["current"]["value"]] == variable["query"] == "prometheus"
        for panel in dashboard["panels"]:
            for place in (panel, *panel["targets"]):
                assert place["datasource"] == {"type": "prometheus", "uid": f"${{{variable['name']}}}"}


# --- everything, running ----------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class World:
    """Real services, watched by a real Prometheus and a real Alertmanager with the repository's files."""

    parts: Mapping[str, Any]
    prometheus: str
    alertmanager: str
    outside: str | None  # where Traefik answers, where there is one

    @property
    def has_traefik(self) -> bool:
        return self.outside is not None

    def ask(self, path: str, **parameters: str) -> Any:
        answer = httpx2.get(f"{self.prometheus}/api/v1/{path}", params=parameters, timeout=30)
        assert answer.status_code == 200, (parameters, answer.text)
        return answer.json()["data"]

    def state(self, alert: str, **labels: str) -> str | None:
        for found in self.ask("alerts")["alerts"]:
            if found["labels"].items() >= {"alertname": alert, **labels}.items():
                return str(found["state"])
        return None


def until(condition: Callable[[], Any], what: str, wait_s: float = WAIT_S) -> Any:
    deadline = time.monotonic() + wait_s
    while time.monotonic() < deadline:
        with contextlib.suppress(httpx2.TransportError):
            if found := condition():
                return found
        time.sleep(0.2)
    raise AssertionError(f"not within {wait_s} s: {what}")


@contextlib.contextmanager
def daemon(log: Path, *command: str | Path) -> Iterator[None]:
    with log.open("wb") as file:
        process = subprocess.Popen([str(part) for part in command], cwd=log.parent, stdout=file, stderr=file)
    try:
        yield
    finally:
        process.terminate()
        process.wait(30)


def written(folder: Path, addresses: Mapping[str, str]) -> Path:
    """Writes the repository's configuration with these addresses, by job, and with seconds in place of minutes."""
    configuration = yaml.safe_load((PROMETHEUS / "prometheus.yml").read_text())
    configuration["global"] |= {"scrape_interval": "1s", "scrape_timeout": "1s", "evaluation_interval": "1s"}
    jobs = configuration["scrape_configs"]
    for job in jobs:
        job["static_configs"][0]["targets"] = [addresses[job["job_name"]]]
        if "authorization" in job:
            job["authorization"]["credentials_file"] = str(folder / "key")
    (manager,) = configuration["alerting"]["alertmanagers"]
    manager["static_configs"][0]["targets"] = [addresses["alertmanager"]]
    (folder / "key").write_text(SECRET)
    (folder / "rules").mkdir()
    for path in RULES:
        text = re.sub(r"^( +for:) \w+$", rf"\1 {FOR_S}s", path.read_text(), flags=re.MULTILINE)
        (folder / "rules" / path.name).write_text(re.sub(r"^    interval: .*\n", "", text, flags=re.MULTILINE))
    (folder / "prometheus.yml").write_text(yaml.safe_dump(configuration))
    return folder / "prometheus.yml"


@contextlib.contextmanager
def watched(folder: Path, deployment: deployments.Deployment, traefik: str | None) -> Iterator[World]:
    own, manager = (f"127.0.0.1:{deployments.free_port()}" for _ in range(2))
    addresses = {name: of_service[0].url.removeprefix("http://") for name, of_service in deployment.parts.items()}
    nobody = f"127.0.0.1:{deployments.free_port()}"
    addresses |= {"prometheus": own, "alertmanager": manager, "traefik": traefik or nobody}
    folder.mkdir()
    with (
        daemon(
            folder / "alertmanager.log", tool("prometheus-alertmanager"), f"--config.file={ALERTMANAGER}",
            f"--storage.path={folder / 'alertmanager'}", f"--web.listen-address={manager}", "--cluster.listen-address=",
        ),
        daemon(
            folder / "prometheus.log", tool("prometheus"), f"--config.file={written(folder, addresses)}",
            f"--storage.tsdb.path={folder / 'data'}", f"--web.listen-address={own}",
        ),
    ):  # fmt: skip
        world = World(deployment.parts, f"http://{own}", f"http://{manager}", deployment.base_url if traefik else None)
        until(lambda: httpx2.get(f"{world.prometheus}/-/ready").status_code == 200, "Prometheus is ready")
        yield world


def certificate(folder: Path) -> None:
    """Gives the running Traefik a certificate of ten days."""
    pair = {"certFile": str(folder / "certificate.pem"), "keyFile": str(folder / "key.pem")}
    checked(
        "openssl", "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-days", "10", "-subj", "/CN=factory.example",
        "-out", pair["certFile"], "-keyout", pair["keyFile"],
    )  # fmt: skip
    (folder / "routes" / "tls.yml").write_text(yaml.safe_dump({"tls": {"certificates": [pair]}}))


@pytest.fixture(scope="module")
def world(tmp_path_factory: pytest.TempPathFactory) -> Iterator[World]:
    """Yields everything running, with requests of every kind behind it."""
    tool("prometheus"), tool("prometheus-alertmanager")
    folder = tmp_path_factory.mktemp("monitoring")
    settings = {
        "LINESIDE_API_KEYS": KEY,
        "ANOMALY_WEBHOOK_URLS": "http://127.0.0.1:9/",  # so that deliveries are counted
        "ANOMALY_WEBHOOK_ALLOW": "127.0.0.1",
    }
    runs = deployments.traefik_before_processes if deployments.TRAEFIK else deployments.processes
    with runs(folder / "services", **settings) as deployment:
        traefik = None
        if deployments.TRAEFIK:
            configuration = yaml.safe_load((folder / "services" / "traefik" / "traefik.yml").read_text())
            traefik = configuration["entryPoints"]["metrics"]["address"]
            if shutil.which("openssl"):
                certificate(folder / "services" / "traefik")
        with watched(folder / "watched", deployment, traefik) as world:
            use(deployment)
            until(lambda: world.ask("query", query="service:http_requests:rate3d")["result"], "rules are computed")
            time.sleep(3)
            use(deployment)
            # Each group of rules has its own turn, and a ratio wants the rates of the turn before.
            recorded = [rule["record"] for rule in rules() if "record" in rule and "traefik_" not in rule["expr"]]
            until(lambda: all(world.ask("query", query=name)["result"] for name in recorded), "all rules are computed")
            yield world


def use(deployment: deployments.Deployment) -> None:
    """Asks each service something that it answers and something that it refuses."""
    headers = {"X-API-Key": SECRET}
    rows = {"values": [1.2, 0.9, 1.1]}
    for name in deployments.SERVICES:
        httpx2.get(f"{deployment.base_url}/{name}/health", headers=headers)
        with httpx2.Client(base_url=deployment.part(name).url, headers=headers, timeout=60) as client:
            for path in {"digit": ("/predict",), "ocr": ("/upload",), "cars": ("/recognize", "/upload/")}.get(name, ()):
                for data in (drawn(), b"no picture"):
                    client.post(path, files={"file": ("a.png", data)})
            if name == "anomaly":
                model = client.get("/models/default").json()["items"][0]["version"]
                file = client.get(f"/models/default/versions/{model}/file").content
                client.put("/models/pump?activate=true", content=file)
                client.post("/", json=rows)
                client.post("/assets/pump", json=rows)
            client.get("/nothing")
    httpx2.get(f"{deployment.part('front').url}/services", headers=headers)


def drawn() -> bytes:
    picture = Image.new("RGB", (320, 120), "white")
    ImageDraw.Draw(picture).text((20, 20), f"7 {time.time_ns() % 1000}", fill="black", font=ImageFont.load_default(60))
    file = io.BytesIO()
    picture.save(file, "PNG")
    return file.getvalue()


# --- expressions ------------------------------------------------------------------------------------------------------

KEYWORDS = {"and", "or", "unless", "bool", "offset", "by", "on", "without", "ignoring"}
GROUPING = re.compile(r"\b(?:by|on|without|ignoring|group_left|group_right)\s*\(([^)]*)\)")
SELECTOR = re.compile(r"([a-zA-Z_:][\w:]*)\s*(\{[^}]*\})?(?!\s*\()(?![\w:])")
TARGET_LABELS = {"job", "instance", "service"}


@dataclass(frozen=True)
class Parsed:
    """The metrics of an expression with the labels that are asked for, what it groups by, and what it adds."""

    selectors: tuple[tuple[str, frozenset[str]], ...]
    grouped: frozenset[str]
    added: frozenset[str]

    @classmethod
    def of(cls, expression: str) -> "Parsed":
        added = re.findall(r',\s*"(\w+)",\s*"[^"]*",\s*"\w*",\s*"[^"]*"\s*\)', expression)
        bare = re.sub(r'"(?:[^"\\]|\\.)*"', '""', expression.replace("$__rate_interval", "5m"))
        grouped = {label.strip() for labels in GROUPING.findall(bare) for label in labels.split(",")}
        bare = re.sub(r"\[\w+\]", "", GROUPING.sub("", bare))
        found = [
            (name, frozenset(re.findall(r"(\w+)\s*(?:=~|!~|!=|=)", labels or "")))
            for name, labels in SELECTOR.findall(bare)
            if name not in KEYWORDS
        ]
        return cls(tuple(found), frozenset(grouped), frozenset(added))


def expressions() -> list[Expression]:
    of_rules = [(rule.get("alert") or rule["record"], rule["expr"]) for rule in rules()]
    of_panels = [
        (f"{uid}: {panel['title']}", target["expr"])
        for uid, dashboard in dashboards().items()
        for panel in dashboard["panels"]
        for target in panel["targets"]
    ]
    return of_rules + of_panels


def documented_labels() -> dict[str, set[str]]:
    """Returns our own metrics' labels as docs/metrics.md has them, for those that have no series on a good day."""
    text = (ROOT / "docs" / "metrics.md").read_text("utf-8")
    rows = re.findall(r"^\| `(\w+)` \| \w+ \|([^|]*)\|", text, re.MULTILINE)
    return {name: set(re.findall(r"`(\w+)`", labels)) for name, labels in rows}


def labels_of(world: World, metric: str) -> set[str] | None:
    """Returns the labels of a metric as Prometheus knows it; None where there is no such metric."""
    if metric == "ALERTS":
        return {"alertname", "alertstate", "severity"} | TARGET_LABELS
    series = world.ask("series", **{"match[]": metric})
    if series:
        return {label for labels in series for label in labels}
    if metric in documented_labels() and world.ask("metadata", metric=metric):
        return documented_labels()[metric] | TARGET_LABELS
    return None


def test_expressions_are_parsed() -> None:
    of = 'sum by (service, le) (rate(a_b:c{d="x{y}",e=~"f"}[5m])) / on (job) label_replace(g, "q", "", "", "")'
    parsed = Parsed.of(of)
    assert parsed.selectors == (("a_b:c", frozenset({"d", "e"})), ("g", frozenset()))
    assert (parsed.grouped, parsed.added) == ({"service", "le", "job"}, {"q"})


def test_every_metric_and_label_of_every_expression_exists(world: World) -> None:
    missing, unchecked = [], set()
    for place, expression in expressions():
        parsed = Parsed.of(expression)
        assert parsed.selectors or expression.startswith("vector("), place
        known = set(parsed.added)
        for metric, asked in parsed.selectors:
            if metric.startswith("traefik_") and not world.has_traefik:
                unchecked.add(metric)
                known |= parsed.grouped | asked
                continue
            labels = labels_of(world, metric)
            if labels is None or not asked <= labels:
                missing.append((place, metric, asked - (labels or set())))
            known |= labels or set()
        if not parsed.grouped <= known:
            missing.append((place, "", parsed.grouped - known))
    assert missing == []
    if unchecked:
        pytest.skip(f"no traefik: not checked are {', '.join(sorted(unchecked))}")


def test_every_label_that_a_text_shows_exists(world: World) -> None:
    texts = [
        (place, rule["expr"], set(re.findall(r"\$labels\.(\w+)", json.dumps(rule["annotations"]))))
        for place, rule in alerts().items()
    ]
    texts += [
        (f"{uid}: {panel['title']}", target["expr"], set(re.findall(r"\{\{(\w+)\}\}", target["legendFormat"])))
        for uid, dashboard in dashboards().items()
        for panel in dashboard["panels"]
        for target in panel["targets"]
    ]
    for place, expression, shown in texts:
        if "traefik_" in expression and not world.has_traefik:
            continue
        parsed = Parsed.of(expression)
        known = set(parsed.added | parsed.grouped)
        if not parsed.grouped:
            known |= {label for metric, _ in parsed.selectors for label in labels_of(world, metric) or ()}
        assert shown <= known | TARGET_LABELS, (place, shown - known)


def test_every_expression_is_one_that_prometheus_computes(world: World) -> None:
    for place, expression in expressions():
        query = {"query": expression.replace("$__rate_interval", "5m")}
        answer = httpx2.get(f"{world.prometheus}/api/v1/query", params=query, timeout=30)
        assert answer.status_code == 200, (place, answer.text)
    groups = world.ask("rules")["groups"]
    failed = [rule["name"] for group in groups for rule in group["rules"] if rule["health"] != "ok"]
    assert failed == []


def test_everything_that_runs_is_scraped_with_the_key(world: World) -> None:
    targets = {target["labels"]["job"]: target for target in world.ask("targets")["activeTargets"]}
    down = {job: target["lastError"] for job, target in targets.items() if target["health"] != "up"}
    assert set(down) == (set() if world.has_traefik else {"traefik"}), down
    for job, service in (("digit", "digit"), ("front", "gateway")):
        labels = {series.get("service") for series in world.ask("series", **{"match[]": f'{{job="{job}"}}'})}
        assert labels == {service}


def test_services_that_are_well_raise_no_alert(world: World) -> None:
    """But for Traefik where there is none, for the certificate of ten days, and for what this machine is."""
    of_the_machine = {"LinesideSlow", "LinesideDiskFull", "LinesideDiskFilling", "LinesideMemoryNearLimit"}
    expected = {"LinesideCertificateEnding"} if world.has_traefik else {"LinesideServiceDown"}
    firing = {alert["labels"]["alertname"] for alert in world.ask("alerts")["alerts"] if alert["state"] == "firing"}
    assert firing - of_the_machine <= expected


def test_a_certificate_that_ends_is_seen(world: World) -> None:
    if not world.has_traefik or not shutil.which("openssl"):
        pytest.skip("no traefik, or no openssl to make a certificate with")
    until(lambda: world.state("LinesideCertificateEnding", cn="factory.example") == "firing", "the alert fires")
    assert world.state("LinesideCertificateEnds") is None


@pytest.mark.parametrize("path", ["/metrics", "/digit/metrics", "/ocr/metrics", "/cars/metrics", "/anomaly/metrics"])
def test_metrics_are_not_told_to_the_outside(world: World, path: str) -> None:
    if not world.outside:
        pytest.skip("no traefik")
    assert httpx2.get(f"{world.outside}{path}", headers={"X-API-Key": SECRET}).status_code == 404


def test_a_service_that_was_killed_is_an_alert_and_alertmanager_learns_of_it(world: World) -> None:
    seen: list[str] = []

    def fires() -> bool:
        state = world.state("LinesideServiceDown", service="digit")
        if state and state not in seen:
            seen.append(state)
        return state == "firing"

    world.parts["digit"][0].kill()
    until(fires, "LinesideServiceDown fires")
    assert seen in (["pending", "firing"], ["firing"])
    told = until(
        lambda: [
            alert
            for alert in httpx2.get(f"{world.alertmanager}/api/v2/alerts").json()
            if alert["labels"]["alertname"] == "LinesideServiceDown" and alert["labels"]["service"] == "digit"
        ],
        "Alertmanager knows it",
    )
    assert told[0]["annotations"]["summary"] == "digit does not answer"
    assert world.ask("query", query='up{job="ocr"}')["result"][0]["value"][1] == "1", "the others go on"
    world.parts["digit"][0].start()
    until(lambda: world.state("LinesideServiceDown", service="digit") is None, "the alert ends")


def labels(name: str, **others: str) -> dict[str, str]:
    return {"alertname": f"Lineside{name}", **others}


@pytest.mark.parametrize(
    ("cause", "effect", "silenced"),
    [
        (labels("ServiceDown", service="cars"), labels("BudgetBurn1h", service="cars"), True),
        (labels("ServiceDown", service="cars"), labels("BudgetBurn1h", service="ocr"), False),
        (labels("ServiceDown", service="traefik"), labels("AnomalySilent", service="anomaly"), True),
        (labels("BudgetBurn1h", service="ocr"), labels("BudgetBurn3d", service="ocr"), True),
        (labels("BudgetBurn3d", service="ocr"), labels("BudgetBurn1h", service="ocr"), False),
        (labels("DiskFull", service="ocr", folder="jobs"), labels("DiskFilling", service="ocr", folder="jobs"), True),
    ],
)
def test_what_follows_from_something_worse_is_not_told(
    tmp_path: Path, cause: dict[str, str], effect: dict[str, str], silenced: bool
) -> None:
    own = f"127.0.0.1:{deployments.free_port()}"
    with daemon(
        tmp_path / "log", tool("prometheus-alertmanager"), f"--config.file={ALERTMANAGER}",
        f"--storage.path={tmp_path / 'data'}", f"--web.listen-address={own}", "--cluster.listen-address=",
    ):  # fmt: skip
        api = f"http://{own}/api/v2/alerts"
        until(lambda: httpx2.get(api).status_code == 200, "Alertmanager answers")
        assert httpx2.post(api, json=[{"labels": cause}, {"labels": effect}]).status_code == 200

        def state() -> str | None:
            found = {tuple(sorted(a["labels"].items())): a["status"]["state"] for a in httpx2.get(api).json()}
            return found.get(tuple(sorted(effect.items())))

        until(lambda: state() == ("suppressed" if silenced else "active"), "as it should be", 40)
