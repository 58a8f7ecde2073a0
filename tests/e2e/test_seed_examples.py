"""The seed's own Python, cURL and JavaScript examples, unchanged but for host and port, against the real process."""

import importlib.util
import json
import random
import re
import shutil
import subprocess
import sys
import time
from ast import literal_eval
from pathlib import Path

import hostile
import httpx2
import pytest
from PIL import Image, ImageDraw, ImageFont

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


# --- digit: the seeds name calls and answers, and show no code; these are the clients that they describe -------------

DIGIT_REQUESTS = """\
import requests

with open("img_0_label_7.png", "rb") as file:
    print(requests.post("http://localhost:8000/digit/predict", files={"file": file}).json())
with open("digits.zip", "rb") as file:
    print(requests.post("http://localhost:8000/digit/predict_batch", files={"files": file}).json())
with open("notes.txt", "rb") as file:
    print(requests.post("http://localhost:8000/digit/predict", files={"file": file}).json()["error"])
"""
DIGIT_CURL = """\
curl -X POST http://localhost:8000/digit/predict -F "file=@img_0_label_7.png"
curl -X POST http://localhost:8000/digit/predict_batch -F "files=@img_0_label_7.png" -F "files=@digits.zip"
"""
DIGIT_SOCKET = """\
import asyncio, base64, websockets

async def main():
    async with websockets.connect("ws://localhost:8000/digit/ws") as websocket:
        with open("img_0_label_7.png", "rb") as file:
            await websocket.send(base64.b64encode(file.read()).decode())
        print(await websocket.recv())

asyncio.run(main())
"""


@pytest.fixture
def digits(tmp_path: Path) -> Path:
    """Returns a folder with the files that the digit examples send."""
    picture = hostile.png(hostile.header(64, 64), hostile.rows_of(hostile.seven()))
    (tmp_path / "img_0_label_7.png").write_bytes(picture)
    (tmp_path / "digits.zip").write_bytes(hostile.zipped(("a/img_1_label_7.png", picture)))
    (tmp_path / "notes.txt").write_text("no picture")
    return tmp_path


@pytest.mark.skipif(not importlib.util.find_spec("requests"), reason="the package requests is not installed")
def test_the_digit_seeds_multipart_client_runs(base_url: str, digits: Path) -> None:
    (digits / "example.py").write_text(DIGIT_REQUESTS.replace(HOST, base_url))
    single, batch, error = run([sys.executable, "example.py"], digits).splitlines()
    assert literal_eval(single) == {"prediction": 7}
    assert literal_eval(batch) == {"predictions": {"img_1_label_7.png": 7}}
    assert error == "File is not an image: notes.txt"


@pytest.mark.skipif(not shutil.which("curl"), reason="curl is not installed")
def test_the_digit_seeds_curl_runs(base_url: str, digits: Path) -> None:
    printed = run(["sh", "-c", DIGIT_CURL.replace(HOST, base_url)], digits)
    assert printed == '{"prediction":7}{"predictions":{"img_0_label_7.png":7,"img_1_label_7.png":7}}'


def test_the_digit_seeds_websocket_client_runs(base_url: str, digits: Path) -> None:
    address = HOST.removeprefix("http"), base_url.removeprefix("http")
    (digits / "example.py").write_text(DIGIT_SOCKET.replace(*address))
    assert json.loads(run([sys.executable, "example.py"], digits))["prediction"] == 7


# --- ocr: the seed's clients, unchanged but for host and path ---------------------------------------------------------

OCR_HOST = "http://localhost:7861"

OCR_PYTHON = """\
import requests
import base64

# 读取图片并编码
with open("image.jpg", "rb") as f:
    image_base64 = base64.b64encode(f.read()).decode('utf-8')

# 发送OCR请求
payload = {
    "image": image_base64,
    "use_det": True,
    "use_cls": True,
    "use_rec": True,
    "text_score": 0.5
}

response = requests.post("http://localhost:7861/v1/ocr", json=payload)
result = response.json()

# 处理结果
if result["success"]:
    for item in result["results"]:
        print(f"文本: {item['text']}, 置信度: {item['confidence']:.3f}")
"""
OCR_CURL = """\
curl -X POST "http://localhost:7861/upload" \\
     -F "file=@image.jpg" \\
     -F "use_det=true" \\
     -F "use_cls=true" \\
     -F "use_rec=true" \\
     -F "text_score=0.5"
"""
OCR_HEALTH = "curl http://localhost:7861/health\n"
OCR_JAVASCRIPT = """\
async function performOCR(base64) {
    const response = await fetch('http://localhost:7861/v1/ocr', {
        method: 'POST',
        headers: {
            'Content-Type': 'application/json',
        },
        body: JSON.stringify({
            image: base64,
            use_det: true,
            use_cls: true,
            use_rec: true,
            text_score: 0.5
        })
    });

    const result = await response.json();
    return result;
}
"""
OCR_READ = "import { readFileSync } from 'node:fs';\nconst image = readFileSync('image.jpg').toString('base64');\n"
OCR_PRINT = "console.log(JSON.stringify(await performOCR(image)));\n"


# --- cars: the seed's curl, unchanged but for host and path -----------------------------------------------------------

CARS_CURL = """\
# Загрузить изображение
curl -X POST http://localhost:8000/upload/ -F "file=@car.jpg"

# Распознать (image_id из ответа загрузки)
curl -X POST http://localhost:8000/inference/1

# Посмотреть результаты
curl http://localhost:8000/files/1

# Экспорт в CSV
curl http://localhost:8000/visualization/export/csv -o results.csv
"""


@pytest.mark.skipif(not shutil.which("curl"), reason="curl is not installed")
def test_the_cars_seeds_curl_runs(base_url: str, tmp_path: Path) -> None:
    noise = random.Random(time.time_ns()).randbytes(48)  # a picture of its own, on a service that may have run for long
    picture = Image.frombytes("RGB", (4, 4), noise).resize((640, 400), Image.Resampling.NEAREST)
    picture.save(tmp_path / "car.jpg")
    upload, _, rest = CARS_CURL.replace(HOST, f"{base_url}/cars").partition("\n\n")
    stored = json.loads(run(["sh", "-c", upload], tmp_path))
    assert (stored["filename"], stored["status"], stored["duplicate"]) == ("car.jpg", "pending", False)
    number = stored["id"]  # the seed's is 1, of the first upload
    own = rest.replace("/inference/1", f"/inference/{number}").replace("/files/1", f"/files/{number}")
    printed = run(["sh", "-c", own], tmp_path)
    recognised, after = json.JSONDecoder().raw_decode(printed)
    assert recognised["status"] in ("recognized", "unrecognized")
    assert json.loads(printed[after:]) == recognised
    rows = (tmp_path / "results.csv").read_text("utf-8").splitlines()
    assert rows[0].startswith("id,filename,status,")
    assert any(row.startswith(f"{number},car.jpg,") for row in rows)
    httpx2.delete(f"{base_url}/cars/files/{number}")


@pytest.fixture
def photo(tmp_path: Path) -> Path:
    """Returns a folder with the picture that the ocr examples send."""
    picture = Image.new("RGB", (480, 120), "white")
    ImageDraw.Draw(picture).text((40, 40), "Batch 2026-1147", fill="black", font=ImageFont.load_default(36))
    picture.save(tmp_path / "image.jpg")
    return tmp_path


@pytest.mark.skipif(not importlib.util.find_spec("requests"), reason="the package requests is not installed")
def test_the_ocr_seeds_python_runs(base_url: str, photo: Path) -> None:
    (photo / "example.py").write_text(OCR_PYTHON.replace(OCR_HOST, f"{base_url}/ocr"))
    printed = run([sys.executable, "example.py"], photo)
    assert re.fullmatch(r"文本: Batch 2026-1147, 置信度: (0\.9\d\d|1\.000)\n", printed)


@pytest.mark.skipif(not shutil.which("curl"), reason="curl is not installed")
def test_the_ocr_seeds_curl_runs(base_url: str, photo: Path) -> None:
    answer = json.loads(run(["sh", "-c", OCR_CURL.replace(OCR_HOST, f"{base_url}/ocr")], photo))
    assert answer["success"] is True
    assert answer["results"][0]["text"] == "Batch 2026-1147"
    assert answer["image_size"] == {"width": 480, "height": 120}
    health = json.loads(run(["sh", "-c", OCR_HEALTH.replace(OCR_HOST, f"{base_url}/ocr")], photo))
    assert health["status"] == "healthy"


@pytest.mark.skipif(not shutil.which("node"), reason="node is not installed")
def test_the_ocr_seeds_javascript_runs(base_url: str, photo: Path) -> None:
    example = OCR_READ + OCR_JAVASCRIPT.replace(OCR_HOST, f"{base_url}/ocr") + OCR_PRINT
    (photo / "example.mjs").write_text(example)
    answer = json.loads(run([str(shutil.which("node")), "example.mjs"], photo))
    assert answer["results"][0]["text"] == "Batch 2026-1147"
