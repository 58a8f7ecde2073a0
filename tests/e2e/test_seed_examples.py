"""The seed's own Python, cURL and JavaScript examples, unchanged but for host and port, against the real process."""

import importlib.util
import json
import shutil
import subprocess
import sys
from ast import literal_eval
from pathlib import Path

import httpx2
import pytest

HOST = "http://localhost:8000"  # the seed's

PYTHON = """\
import requests

payload = {"values": [1.2, 0.9, 1.1]}
res = requests.post("http://localhost:8000/anomaly", json=payload)

print(res.json())
"""
CURL = """\
curl -X POST http://localhost:8000/anomaly \\
  -H "Content-Type: application/json" \\
  -d '{"values":[1.2,0.9,1.1]}'
"""
JAVASCRIPT = """\
const res = await fetch("http://localhost:8000/anomaly", {
  method: "POST",
  headers: { "Content-Type": "application/json" },
  body: JSON.stringify({ values: [1.2, 0.9, 1.1] })
});
console.log(await res.json());
"""


def run(command: list[str], folder: Path) -> str:
    done = subprocess.run(command, cwd=folder, capture_output=True, text=True, timeout=60, check=False)
    assert done.returncode == 0, done.stderr
    return done.stdout


def check(answer: dict[str, object]) -> None:
    assert set(answer) == {"score", "status"}
    assert answer["status"] == "normal"
    score = answer["score"]
    assert isinstance(score, float)
    assert score >= 0


@pytest.mark.skipif(not importlib.util.find_spec("requests"), reason="the package requests is not installed")
def test_the_seeds_python_runs(base_url: str, tmp_path: Path) -> None:
    script = tmp_path / "example.py"
    script.write_text(PYTHON.replace(HOST, base_url))
    check(literal_eval(run([sys.executable, str(script)], tmp_path)))


@pytest.mark.skipif(not shutil.which("curl"), reason="curl is not installed")
def test_the_seeds_curl_runs(base_url: str, tmp_path: Path) -> None:
    check(json.loads(run(["sh", "-c", CURL.replace(HOST, base_url)], tmp_path)))


@pytest.mark.skipif(not shutil.which("node"), reason="node is not installed")
def test_the_seeds_javascript_runs(base_url: str, tmp_path: Path) -> None:
    script = tmp_path / "example.mjs"
    script.write_text(JAVASCRIPT.replace(HOST, base_url))
    printed = run([str(shutil.which("node")), str(script)], tmp_path)
    quoted = printed.replace("score", '"score"').replace("status", '"status"').replace("'", '"')
    check(json.loads(quoted))


@pytest.mark.parametrize("readme", ["README.md", "services/anomaly/README.md", "services/anomaly/docs/ja.md"])
def test_the_answer_that_a_guide_shows_is_the_real_one(base_url: str, readme: str) -> None:
    text = (Path(__file__).parents[2] / readme).read_text("utf-8")
    shown = json.loads(text.partition("```json\n")[2].partition("```")[0])
    real = httpx2.post(f"{base_url}/anomaly", json={"values": [1.2, 0.9, 1.1]}).json()
    assert (shown["status"], shown["score"]) == (real["status"], pytest.approx(real["score"]))


def test_the_examples_of_the_guides_are_the_seeds() -> None:
    root = Path(__file__).parents[2]
    ours = "http://localhost:8080"
    japanese = (root / "services" / "anomaly" / "docs" / "ja.md").read_text("utf-8")
    for example in (PYTHON, CURL, JAVASCRIPT):
        assert example.replace(HOST, ours) in japanese
    for readme in ("README.md", "services/anomaly/README.md"):
        assert CURL.replace(HOST, ours) in (root / readme).read_text("utf-8")
