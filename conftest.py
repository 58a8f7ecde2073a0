"""What tests of a page share: the real service in a process of its own, and real Chromium that may not complain."""

import os
import re
import shutil
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import TYPE_CHECKING

import httpx2
import pytest

import gateway  # noqa: F401 - before pytest's importlib mode takes the folder of this name for the package

if TYPE_CHECKING:
    from playwright.sync_api import Browser, BrowserContext, Page, Request

CHROMIUM = os.environ.get("CHROMIUM_BIN") or shutil.which("chromium") or shutil.which("chromium-browser")
FLAGS = [
    "--headless",
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
]
WAIT_MS = 20_000
OURS = ("LINESIDE_", "GATEWAY_", "ANOMALY_", "CARS_", "DIGIT_", "HF_", "OCR_")


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption(
        "--deployment",
        choices=("process", "traefik", "compose", "nginx"),
        default="process",
        help="what tests/e2e speaks to: one process, Traefik before processes, containers, nginx before one process",
    )


def _start(arguments: list[str], folder: Path, settings: dict[str, str]) -> tuple[subprocess.Popen[str], str]:
    shared = {
        "LINESIDE_PORT": "0",
        "LINESIDE_DRAIN_S": "0",
        "LINESIDE_SHUTDOWN_S": "1",
        "LINESIDE_LOG_LEVEL": "warning",
    }
    clean = {name: value for name, value in os.environ.items() if not name.startswith(OURS)}
    environment = {**clean, **shared, "ANOMALY_DATABASE_URL": f"sqlite:///{folder}/anomaly.db", **settings}
    command = [sys.executable, "-m", *arguments]
    process = subprocess.Popen(command, env=environment, cwd=folder, stdout=subprocess.PIPE, text=True)
    assert process.stdout is not None
    base = process.stdout.readline().rpartition(" ")[2].strip()
    deadline = time.monotonic() + 60
    while not _is_ready(base):
        assert process.poll() is None, "the service ended at its start"
        assert time.monotonic() < deadline, "the service does not become ready"
        time.sleep(0.1)
    return process, base


def _is_ready(base: str) -> bool:
    try:
        return httpx2.get(f"{base}/health/ready").status_code == 200
    except httpx2.HTTPError:
        return False


@pytest.fixture(scope="module")
def serve(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Callable[..., str]]:
    """Starts `python -m …` with settings on a free port, and returns its base URL; all are stopped at the end."""
    running: list[subprocess.Popen[str]] = []

    def serve(*arguments: str, **settings: str) -> str:
        process, base = _start(list(arguments), tmp_path_factory.mktemp("serve"), settings)
        running.append(process)
        return base

    yield serve
    for process in running:
        process.terminate()
        process.communicate(timeout=30)


@pytest.fixture(scope="module")
def browser() -> "Iterator[Browser]":
    """Chromium; of the module, because Playwright's event loop must be gone before other tests run theirs."""
    if CHROMIUM is None:
        pytest.skip("no chromium: install Debian's package chromium, or name one in CHROMIUM_BIN")
    from playwright.sync_api import expect, sync_playwright

    expect.set_options(timeout=WAIT_MS)
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=CHROMIUM, args=FLAGS)
        yield browser
        browser.close()


@pytest.fixture
def refused() -> set[int]:
    """Statuses that the test provokes; the browser writes each to the console. 0 is no answer at all."""
    return set()


@pytest.fixture
def open_page(browser: "Browser", refused: set[int]) -> "Iterator[Callable[[str], Page]]":
    """Opens pages in a fresh profile: console errors, violations of the policy, and requests off their origin fail."""
    contexts: list[BrowserContext] = []
    complaints: list[str] = []

    def open_page(base: str) -> "Page":
        context = browser.new_context(viewport={"width": 1280, "height": 800}, locale="en-GB")
        context.set_default_timeout(WAIT_MS)
        contexts.append(context)
        origin = "/".join(base.split("/", 3)[:3]) + "/"

        def ask(request: "Request") -> None:
            if not request.url.removeprefix("blob:").startswith(origin):
                complaints.append(f"asked {request.url}")

        context.on("request", ask)
        context.on("weberror", lambda error: complaints.append(str(error.error)))
        context.on("console", lambda said: complaints.append(said.text) if said.type in ("error", "warning") else None)
        return context.new_page()

    yield open_page
    for context in contexts:
        context.close()
    expected = [f"status of {status} " if status else "net::ERR_" for status in refused]
    assert [text for text in complaints if not any(re.search(pattern, text) for pattern in expected)] == []


@pytest.fixture
def page(open_page: "Callable[[str], Page]", base: str) -> "Page":
    return open_page(base)
