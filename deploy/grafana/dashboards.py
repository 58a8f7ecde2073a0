"""Writes Grafana's dashboards: `python deploy/grafana/dashboards.py`; a test holds the JSON files equal.

Panels stand side by side in the order in which they are written, three of them in a row where none is wider.
"""

import json
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

FOLDER = Path(__file__).parent / "dashboards"
DATASOURCE = {"type": "prometheus", "uid": "${datasource}"}
WIDTH = 24  # of Grafana's grid
HEIGHT = 8
REQUESTS = "http_server_request_duration_seconds_count"
NO_PROBES = 'http_route!~"/health.*|/metrics"'


@dataclass(frozen=True)
class Query:
    expression: str
    legend: str


@dataclass(frozen=True)
class Panel:
    """`unit` is Grafana's name of it; `kind` its panel type; `red_from` colours what is worse."""

    title: str
    description: str
    unit: str
    queries: tuple[Query, ...]
    kind: str = "timeseries"
    width: int = 8
    red_from: float | None = None
    red_below: float | None = None


@dataclass(frozen=True)
class Dashboard:
    uid: str
    title: str
    description: str
    panels: Sequence[Panel]


def panel(title: str, description: str, unit: str, *queries: tuple[str, str], **options: Any) -> Panel:
    return Panel(title, description, unit, tuple(Query(*query) for query in queries), **options)


def http(service: str) -> tuple[Panel, ...]:
    """Returns rate, errors and duration of one service: the first row of its dashboard."""
    of = f'service="{service}"'
    failed = f'{{{of},{NO_PROBES},http_response_status_code=~"[45].."}}'
    return (
        panel(
            "Requests", "By route; probes and scrapes are left out.", "reqps",
            (f"sum by (http_route) (rate({REQUESTS}{{{of},{NO_PROBES}}}[$__rate_interval]))", "{{http_route}}"),
        ),
        panel(
            "Errors", "Answers with 4xx (what clients did wrong) and 5xx (what we did).", "reqps",
            (rate(REQUESTS, "http_response_status_code", failed), "{{http_response_status_code}}"),
        ),
        panel(
            "Duration", "Of calls with one picture, page or row; the histogram ends at 10 s.", "s",
            *((f'service:http_request_duration_seconds:p{n}{{{of}}}', f"{n} %") for n in (50, 95, 99)),
            (f'service:http_request_duration_seconds:objective{{{of}}}', "95 % should be below"),
        ),
    )  # fmt: skip


def process(service: str) -> tuple[Panel, ...]:
    """Returns the last row: what the process takes."""
    of = f'service="{service}"'
    return (
        panel(
            "CPU", "CPUs that the process keeps busy; children are not counted.", "none",
            (f"rate(process_cpu_seconds_total{{{of}}}[$__rate_interval])", "{{instance}}"),
        ),
        panel(
            "Memory", "What the process holds, and the control group with its children and its limit.", "bytes",
            (f"process_resident_memory_bytes{{{of}}}", "process {{instance}}"),
            (f"memory_used_bytes{{{of}}}", "group {{instance}}"),
            (f"memory_limit_bytes{{{of}}}", "limit {{instance}}"),
        ),
        panel(
            "Free disk", "Share of the file system that is free where the service writes.", "percentunit",
            (f"storage_free_bytes{{{of}}} / storage_size_bytes{{{of}}}", "{{folder}}"),
        ),
    )  # fmt: skip


def rate(metric: str, by: str, selector: str = "") -> str:
    return f"sum by ({by}) (rate({metric}{selector}[$__rate_interval]))"


def share(part: str, whole: str, by: str) -> str:
    return f"{rate(part, by)} / {rate(whole, by)}"


def mean(histogram: str, by: str = "") -> str:
    grouped = f"sum by ({by}) " if by else "sum "
    return f"{grouped}(rate({histogram}_sum[$__rate_interval])) / {grouped}(rate({histogram}_count[$__rate_interval]))"


OVERVIEW = Dashboard("lineside-overview", "Lineside: overview", "All services at one glance.", (
    panel("Up", "1: Prometheus reads its metrics.", "none",
          ('min by (service) (up{job=~"digit|ocr|cars|anomaly|front|traefik"})', "{{service}}"),
          kind="stat", red_below=1),
    panel("Ready", "1: /health/ready answers 200.", "none", ("min by (service) (service_ready)", "{{service}}"),
          kind="stat", red_below=1),
    panel("Alerts", "Firing now, by name; docs/monitoring.md says what to do.", "none",
          ('count by (alertname, service) (ALERTS{alertstate="firing"})', "{{alertname}} {{service}}"),
          kind="stat", red_from=1),
    panel("Requests", "Answered requests, by service; probes and scrapes are left out.", "reqps",
          ("service:http_requests:rate5m", "{{service}}")),
    panel("Errors", "Share of requests that were answered with 5xx.", "percentunit",
          ("service:http_errors:ratio5m", "{{service}}")),
    panel("Duration", "95 % of the calls with one picture, page or row take less.", "s",
          ("service:http_request_duration_seconds:p95", "{{service}}")),
    panel("Refusals", "Errors answered, by their type.", "reqps",
          (rate("http_server_problems_total", "service, problem"), "{{service}} {{problem}}")),
    panel("Requests under way", "Streams included.", "none",
          ("sum by (service) (http_server_active_requests)", "{{service}}")),
    panel("Free disk", "The fullest disk of each service.", "percentunit",
          ("min by (service) (storage_free_bytes / storage_size_bytes)", "{{service}}")),
    panel("CPU", "CPUs that each process keeps busy.", "none",
          ("sum by (service) (rate(process_cpu_seconds_total[$__rate_interval]))", "{{service}}")),
    panel("Memory", "What each process holds.", "bytes",
          ("sum by (service) (process_resident_memory_bytes)", "{{service}}")),
    panel("Running since", "Age of the youngest process.", "s",
          ("time() - max by (service) (process_start_time_seconds)", "{{service}}"), kind="stat"),
))  # fmt: skip

DIGIT = Dashboard("lineside-digit", "Lineside: digit", "Handwritten digits.", (
    *http("digit"),
    panel("Pictures", "Read, by model and route.", "cps",
          (rate("digit_images_total", "model, route"), "{{model}} {{route}}")),
    panel("No digits", "Share of the pictures that do not look like a digit.", "percentunit",
          (share("digit_not_digits_total", "digit_images_total", "model"), "{{model}}")),
    panel("Refused", "Pictures that could not be read, by reason.", "cps",
          (rate("digit_refused_total", "reason"), "{{reason}}")),
    panel("Inference", "Mean duration of one run of a model.", "s", (mean("digit_inference_seconds"), "mean")),
    panel("Queue", "Pictures that wait or are being read.", "none", ("digit_queue_length", "{{instance}}")),
    panel("Model", "What answers where a call names no model.", "none",
          ("digit_model_info", "{{model}} on {{provider}}"), kind="stat"),
    *process("digit"),
))  # fmt: skip

OCR = Dashboard("lineside-ocr", "Lineside: ocr", "Text recognition.", (
    *http("ocr"),
    panel("Pages", "Read by OCR, or from the text layer of a PDF.", "cps",
          (rate("ocr_pages_total", "source, route"), "{{source}} {{route}}")),
    panel("Characters", "Read each second.", "cps", (rate("ocr_characters_total", "source"), "{{source}}")),
    panel("Lines a page", "A fall to 0 says that pages come in which nothing is found.", "none",
          (share("ocr_lines_total", "ocr_pages_total", "source"), "{{source}}")),
    panel("Stages", "Mean duration of each stage of one page.", "s", (mean("ocr_stage_seconds", "stage"), "{{stage}}")),
    panel("Refused", "Images and documents that could not be read, by reason.", "cps",
          (rate("ocr_refused_total", "reason"), "{{reason}}")),
    panel("Queue", "Pages that wait or are being read.", "none", ("ocr_queue_length", "{{instance}}")),
    panel("Networks", "Where they compute, and what was asked for.", "none",
          ("ocr_model_info", "{{version}} on {{provider}}, asked: {{asked}}"), kind="stat", width=12),
    panel("PDF processes replaced", "Within an hour.", "none",
          ("increase(ocr_child_restarts_total[1h])", "{{instance}}"), width=12),
    *process("ocr"),
))  # fmt: skip

CARS = Dashboard("lineside-cars", "Lineside: cars", "Cars and their archive.", (
    *http("cars"),
    panel("Recognitions", "By outcome.", "cps",
          (rate("cars_recognitions_total", "backend, reason"), "{{backend}} {{reason}}")),
    panel("Uploads", "Pictures taken in.", "cps", (rate("cars_uploads_total", "result"), "{{result}}")),
    panel("Refused", "Pictures that could not be taken, by reason.", "cps",
          (rate("cars_refused_total", "reason"), "{{reason}}")),
    panel("Archive", "Files stored, by status.", "none", ("sum by (status) (cars_files)", "{{status}}")),
    panel("Stages", "Mean duration of each stage of one picture.", "s",
          (mean("cars_stage_seconds", "stage"), "{{stage}}")),
    panel("Queues", "Pictures that are recognised or wait, and changes that wait for the database.", "none",
          ("cars_queue_length", "pictures {{instance}}"), ("cars_writes_waiting", "changes {{instance}}"),
          ("cars_writes_limit", "limit of changes {{instance}}")),
    panel("Storage that fails", "Looks at the database and the pictures that failed.", "cps",
          (rate("cars_storage_errors_total", "part"), "{{part}}"), width=12),
    panel("Model", "What recognises.", "none",
          ("cars_model_info", "{{backend}} {{model}} {{model_version}}"), kind="stat", width=12),
    *process("cars"),
))  # fmt: skip

ANOMALY = Dashboard("lineside-anomaly", "Lineside: anomaly", "Scores of machines.", (
    *http("anomaly"),
    panel("Rows scored", "By POST /anomaly, by status.", "cps", (rate("anomaly_scores_total", "status"), "{{status}}")),
    panel("Readings", "Of assets, by status. A line at 0: nobody posts.", "cps",
          (rate("anomaly_readings_total", "status"), "{{status}}")),
    panel("Open alerts", "Of machines, by kind.", "none", ("sum by (kind) (anomaly_alerts_open)", "{{kind}}")),
    panel("Deliveries", "Attempts to send a notice.", "cps",
          (rate("anomaly_deliveries_total", "receiver_kind, outcome"), "{{receiver_kind}} {{outcome}}")),
    panel("Deliveries waiting", "Notices that wait to be sent.", "none",
          ("anomaly_deliveries_pending", "{{instance}}")),
    panel("Model version", "What answers POST /anomaly; 0: nothing does.", "none",
          ("anomaly_model_version", "{{instance}}"), kind="stat", red_below=1),
    panel("Writes waiting", "For their commit, and how many may.", "none",
          ("anomaly_write_queue_length", "{{instance}}"), ("anomaly_write_queue_limit", "limit {{instance}}"),
          width=12),
    panel("Streams", "Open event streams.", "none", ("anomaly_streams_open", "{{instance}}"), width=12),
    *process("anomaly"),
))  # fmt: skip

EDGE = 'entrypoint=~"web|websecure"'
GATEWAY = Dashboard("lineside-gateway", "Lineside: gateway", "Traefik, and the gateway's own small service.", (
    panel("Requests", "At the door, by status.", "reqps",
          (rate("traefik_entrypoint_requests_total", "code", f"{{{EDGE}}}"), "{{code}}")),
    panel("Requests by service", "As Traefik hands them on.", "reqps",
          (rate("traefik_service_requests_total", "service"), "{{service}}")),
    panel("Duration", "Mean, by service, bodies and streams included.", "s",
          (mean("traefik_service_request_duration_seconds", "service"), "{{service}}")),
    panel("Servers", "1: Traefik finds it ready.", "none",
          ("min by (service, url) (traefik_service_server_up)", "{{service}} {{url}}"), kind="stat", red_below=1),
    panel("Connections", "Open now.", "none",
          (f"sum by (entrypoint) (traefik_open_connections{{{EDGE}}})", "{{entrypoint}}")),
    panel("Certificates", "Time until they end.", "s",
          ("min by (cn) (traefik_tls_certs_not_after) - time()", "{{cn}}"), kind="stat", red_below=21 * 86400),
    panel("Configuration", "Age of the one that was read last.", "s",
          ("time() - max(traefik_config_last_reload_success)", "age"), kind="stat"),
    panel("Traefik's memory", "What it holds.", "bytes",
          ('process_resident_memory_bytes{service="traefik"}', "{{instance}}")),
    panel("Traefik's CPU", "CPUs that it keeps busy.", "none",
          ('rate(process_cpu_seconds_total{service="traefik"}[$__rate_interval])', "{{instance}}")),
    *http("gateway")[:2],
    panel("Bytes", "Received and sent at the door.", "Bps",
          (f"sum(rate(traefik_entrypoint_requests_bytes_total{{{EDGE}}}[$__rate_interval]))", "received"),
          (f"sum(rate(traefik_entrypoint_responses_bytes_total{{{EDGE}}}[$__rate_interval]))", "sent")),
))  # fmt: skip

SLO = Dashboard("lineside-slo", "Lineside: service level", "99.9 % of the requests within 30 days are no 5xx.", (
    panel("Availability, 3 days", "Share of the requests that were no 5xx.", "percentunit",
          ("1 - service:http_errors:ratio3d", "{{service}}"), kind="stat", red_below=0.999, width=12),
    panel("Availability, 1 day", "Share of the requests that were no 5xx.", "percentunit",
          ("1 - service:http_errors:ratio1d", "{{service}}"), kind="stat", red_below=0.999, width=12),
    *(panel(f"Burn rate, {long} and {short}",
            f"1: all errors of 30 days are used up in 30 days. An alert fires where both are above {factor}.", "none",
            (f"service:http_errors:ratio{long} / 0.001", f"{{{{service}}}} {long}"),
            (f"service:http_errors:ratio{short} / 0.001", f"{{{{service}}}} {short}"), width=12, red_from=factor)
      for long, short, factor in (("1h", "5m", 14.4), ("6h", "30m", 6), ("1d", "2h", 3), ("3d", "6h", 1))),
    panel("Failed requests", "Each second.", "reqps", ("service:http_errors:rate5m", "{{service}}"), width=12),
    panel("Duration against its objective", "95th percentile over what it should stay below.", "none",
          ("service:http_request_duration_seconds:p95 / on (service) service:http_request_duration_seconds:objective",
           "{{service}}"), width=12, red_from=1),
))  # fmt: skip

DASHBOARDS = (OVERVIEW, DIGIT, OCR, CARS, ANOMALY, GATEWAY, SLO)


def rendered(dashboard: Dashboard) -> str:
    """Returns the dashboard's file: no `id`, which is the database's, and a `uid`, which links keep."""
    document = {
        "uid": dashboard.uid,
        "title": dashboard.title,
        "description": dashboard.description,
        "tags": ["lineside"],
        "schemaVersion": 39,
        "editable": False,
        "refresh": "30s",
        "time": {"from": "now-6h", "to": "now"},
        "templating": {"list": [_datasource()]},
        "links": [{"type": "dashboards", "title": "Lineside", "tags": ["lineside"], "asDropdown": True}],
        "panels": [_panel(number, at, panel) for number, (at, panel) in enumerate(_placed(dashboard.panels), 1)],
    }
    return json.dumps(document, indent=2, ensure_ascii=False) + "\n"


def _datasource() -> dict[str, Any]:
    current = {"text": "Prometheus", "value": "lineside-prometheus"}
    return {
        "type": "datasource",
        "name": "datasource",
        "label": "Data source",
        "query": "prometheus",
        "current": current,
    }


def _placed(panels: Sequence[Panel]) -> Iterator[tuple[dict[str, int], Panel]]:
    x = y = 0
    for panel in panels:
        if x + panel.width > WIDTH:
            x, y = 0, y + HEIGHT
        yield {"x": x, "y": y, "w": panel.width, "h": HEIGHT}, panel
        x += panel.width


def _panel(number: int, at: dict[str, int], panel: Panel) -> dict[str, Any]:
    targets = [
        {
            "refId": chr(ord("A") + place),
            "datasource": DATASOURCE,
            "expr": query.expression,
            "legendFormat": query.legend,
            "instant": panel.kind == "stat",
            "range": panel.kind != "stat",
        }
        for place, query in enumerate(panel.queries)
    ]
    return {
        "id": number,
        "type": panel.kind,
        "title": panel.title,
        "description": panel.description,
        "datasource": DATASOURCE,
        "gridPos": at,
        "fieldConfig": {"defaults": {"unit": panel.unit, "min": 0, **_thresholds(panel)}, "overrides": []},
        "options": _options(panel),
        "targets": targets,
    }


def _thresholds(panel: Panel) -> dict[str, Any]:
    if panel.red_from is not None:
        steps = [{"color": "green", "value": None}, {"color": "red", "value": panel.red_from}]
    elif panel.red_below is not None:
        steps = [{"color": "red", "value": None}, {"color": "green", "value": panel.red_below}]
    else:
        return {}
    line = {"custom": {"thresholdsStyle": {"mode": "line"}}} if panel.kind == "timeseries" else {}
    return {"thresholds": {"mode": "absolute", "steps": steps}, **line}


def _options(panel: Panel) -> dict[str, Any]:
    if panel.kind == "stat":
        return {"reduceOptions": {"calcs": ["lastNotNull"]}, "textMode": "value_and_name", "colorMode": "background"}
    return {"legend": {"displayMode": "list", "placement": "bottom"}, "tooltip": {"mode": "multi", "sort": "desc"}}


def files() -> dict[Path, str]:
    return {FOLDER / f"{dashboard.uid}.json": rendered(dashboard) for dashboard in DASHBOARDS}


if __name__ == "__main__":
    for path, text in files().items():
        path.write_text(text, encoding="utf-8")
