"""Jobs over HTTP, with the shipped networks and real documents; a process of its own is killed in the middle of one."""

import io
import json
import os
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import httpx2
import pdfs
import pikepdf
import pytest
from ocr.app import create_app
from ocr.settings import Settings
from PIL import Image, ImageDraw, ImageFont
from servicekit import auth
from starlette.testclient import TestClient

ENDED = ("succeeded", "failed", "cancelled")
WAIT_S = 120
FORMS = {
    "text": b"Scanned words",
    "markdown": b"Scanned words",
    "hocr": b"ocrx_word",
    "alto": b"<String ",
    "pdf": b"%PDF-",
    "ndjson": b'{"page":1,',
}


def wait_for(condition: Callable[[], Any]) -> Any:
    """Returns what `condition` returns once that is true."""
    until = time.monotonic() + WAIT_S
    while not (value := condition()):
        assert time.monotonic() < until, "it does not come"
        time.sleep(0.02)
    return value


@contextmanager
def serving(**settings: Any) -> Iterator[TestClient]:
    with TestClient(create_app(Settings(access_log=False, **settings))) as client:
        wait_for(lambda: client.get("/health/ready").status_code == 200)
        wait_for(lambda: client.get("/jobs").status_code != 503)
        yield client


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("jobs")


@pytest.fixture(scope="module")
def client(folder: Path) -> Iterator[TestClient]:
    with serving(jobs_dir=folder) as client:
        yield client


@pytest.fixture
def narrow(tmp_path: Path) -> Iterator[TestClient]:
    """A service that keeps two jobs, of small files."""
    with serving(jobs_dir=tmp_path / "jobs", jobs_max_stored=2, jobs_max_file_size=60_000) as client:
        yield client


def post(
    client: TestClient, data: bytes, name: str = "scan.pdf", headers: Any = None, **fields: str
) -> httpx2.Response:
    return client.post("/jobs", files={"file": (name, data)}, data=fields, headers=headers)


def ended(client: Any, job_id: str) -> dict[str, Any]:
    def look() -> dict[str, Any] | None:
        job: dict[str, Any] = client.get(f"/jobs/{job_id}").json()
        assert 0 <= job["progress"] <= 1
        return job if job["status"] in ENDED else None

    job: dict[str, Any] = wait_for(look)
    return job


def read(client: TestClient, data: bytes, name: str = "scan.pdf", **fields: str) -> dict[str, Any]:
    answer = post(client, data, name, **fields)
    assert answer.status_code == 202, answer.text
    return ended(client, answer.json()["id"])


def refused(answer: httpx2.Response, status: int, slug: str) -> str:
    assert (answer.status_code, answer.headers["content-type"]) == (status, "application/problem+json"), answer.text
    problem = answer.json()
    assert problem["type"] == f"urn:lineside:problem:{slug}"
    assert problem["success"] is False
    assert problem["error"] == problem["detail"]
    return str(problem["detail"])


def picture(*texts: str, kind: str = "PNG") -> bytes:
    """Returns an image of a line of text; of a TIFF several texts are a frame each."""
    images = []
    for text in texts:
        image = Image.new("L", (480, 100), 255)
        ImageDraw.Draw(image).text((30, 25), text, fill=0, font=ImageFont.load_default(40))
        images.append(image)
    file = io.BytesIO()
    more = {"save_all": True, "append_images": images[1:]} if len(images) > 1 else {}
    images[0].save(file, kind, **more)
    return file.getvalue()


def timeless(answer: dict[str, Any]) -> dict[str, Any]:
    return {**answer, "results": [{**page, "processing_time": 0} for page in answer["results"]]}


def test_a_document_is_accepted_read_and_deleted(client: TestClient) -> None:
    data = pdfs.mixed()
    answer = post(client, data, "été.pdf")
    assert answer.status_code == 202
    job = answer.json()
    assert answer.headers["location"] == f"/jobs/{job['id']}"
    assert (job["status"], job["result"], job["filename"], job["size_bytes"]) == ("queued", None, "été.pdf", len(data))
    job = ended(client, job["id"])
    assert (job["status"], job["progress"], job["pages_done"], job["pages_total"]) == ("succeeded", 1, 2, 2)
    assert job["error"] is None
    assert job["created_at"] <= job["started_at"] <= job["finished_at"] < job["expires_at"]
    result = client.get(job["result"]).json()
    assert [(page["source"], page["result"][0]["text"]) for page in result["results"]] == [
        ("text", "Pressure valve 7 opened"),
        ("ocr", pdfs.SCANNED),
    ]
    assert client.delete(f"/jobs/{job['id']}").status_code == 204
    for gone in (client.get(f"/jobs/{job['id']}"), client.get(job["result"]), client.delete(f"/jobs/{job['id']}")):
        refused(gone, 404, "unknown-job")


def test_behind_the_gateway_addresses_have_its_prefix(client: TestClient) -> None:
    answer = client.post("/ocr/jobs", files={"file": ("a.pdf", pdfs.digital())})
    assert answer.headers["location"] == f"/ocr/jobs/{answer.json()['id']}"
    wait_for(lambda: client.get(answer.headers["location"]).json()["status"] == "succeeded")
    job = client.get(answer.headers["location"]).json()
    assert client.get(job["result"]).json()["results"][0]["source"] == "text"


@pytest.mark.parametrize("words", ["false", "true"])
def test_the_result_is_what_the_call_answers(client: TestClient, words: str) -> None:
    fields = {"return_word_box": words, "pages": "2-", "text_score": "0.3"}
    job = read(client, pdfs.mixed(), **fields)
    answer = client.post("/upload_pdf", files={"file": ("a.pdf", pdfs.mixed())}, data=fields).json()
    assert timeless(client.get(job["result"]).json()) == timeless(answer)


@pytest.mark.parametrize("form", list(FORMS))
def test_a_result_comes_in_every_form(client: TestClient, form: str) -> None:
    job = read(client, pdfs.scanned(), "my scan.pdf", format=form)
    answers = client.get(f"/jobs/{job['id']}/result"), client.get(f"/jobs/{job['id']}/result?format={form}")
    for answer in answers:
        assert answer.status_code == 200
        assert FORMS[form] in answer.content
        assert "filename*=UTF-8''my%20scan." in answer.headers["content-disposition"]
    assert job["result"].endswith(f"format={form}")


def test_a_searchable_document_is_made_once(client: TestClient, folder: Path) -> None:
    job = read(client, pdfs.scanned())
    path = folder / job["id"] / "searchable.pdf"
    assert not path.exists()
    first = client.get(f"/jobs/{job['id']}/result?format=pdf").content
    made = path.stat().st_mtime_ns
    assert client.get(f"/jobs/{job['id']}/result?format=pdf").content == first
    assert path.stat().st_mtime_ns == made
    with pikepdf.open(io.BytesIO(first)) as pdf:
        assert len(pdf.pages) == 1


def test_an_image_is_a_document_of_its_frames(client: TestClient) -> None:
    texts = ["First frame", "Second frame", "Last of them"]
    job = read(client, picture(*texts, kind="TIFF"), "fax.tif")
    assert (job["kind"], job["pages_done"], job["pages_total"]) == ("image", 3, 3)
    result = client.get(job["result"]).json()
    assert [page["result"][0]["text"] for page in result["results"]] == texts
    assert client.get(f"/jobs/{job['id']}/result?format=pdf").content.startswith(b"%PDF-")


def test_a_failed_job_tells_why_and_what_it_had_read(client: TestClient) -> None:
    job = read(client, pdfs.encrypted("open sesame"))
    assert (job["status"], job["result"]) == ("failed", None)
    assert job["error"]["type"] == "urn:lineside:problem:pdf-encrypted"
    detail = refused(client.get(f"/jobs/{job['id']}/result"), 409, "no-result")
    assert job["error"]["detail"] in detail
    lines = client.get(f"/jobs/{job['id']}/result?format=ndjson").text.splitlines()
    assert [json.loads(line)["success"] for line in lines] == [False]


def test_a_password_opens_the_document_and_is_told_nowhere(
    client: TestClient, folder: Path, caplog: pytest.LogCaptureFixture
) -> None:
    job = read(client, pdfs.encrypted("open sesame"), password="open sesame")
    assert job["status"] == "succeeded"
    assert "Pressure" in client.get(f"/jobs/{job['id']}/result?format=text").text
    searchable = client.get(f"/jobs/{job['id']}/result?format=pdf").content
    with pikepdf.open(io.BytesIO(searchable), password="open sesame") as pdf:
        assert pdf.is_encrypted
    assert "sesame" not in json.dumps(job) + caplog.text
    kept = [path for path in (folder / job["id"]).iterdir() if b"sesame" in path.read_bytes()]
    assert kept == []


@pytest.mark.parametrize(
    ("data", "slug"),
    [(b"", "not-an-image"), (b"only a text", "not-an-image"), (b"PK\3\4 a DOCX", "not-an-image")],
)
def test_a_file_of_another_kind_makes_no_job(client: TestClient, folder: Path, data: bytes, slug: str) -> None:
    before = sorted(folder.iterdir())
    refused(post(client, data), 422, slug)
    assert sorted(folder.iterdir()) == before


@pytest.mark.parametrize("make", [pdfs.truncated, pdfs.without_pages, pdfs.looped_tree])
def test_a_damaged_document_fails_as_a_job(client: TestClient, make: Callable[[], bytes]) -> None:
    job = read(client, make())
    assert job["status"] == "failed"
    assert job["error"]["status"] == 422


@pytest.mark.parametrize(
    ("fields", "named"),
    [
        ({"mode": "guess"}, "mode"),
        ({"use_det": "perhaps"}, "use_det"),
        ({"text_score": "nan"}, "text_score"),
        ({"dpi": "7"}, "dpi"),
        ({"format": "docx"}, "docx"),
        ({"colour": "red"}, "colour"),
    ],
)
def test_a_field_that_is_not_understood_is_named(client: TestClient, fields: dict[str, str], named: str) -> None:
    assert named in refused(post(client, pdfs.digital(), **fields), 422, "invalid-input")


@pytest.mark.parametrize("field", ["pages", "password", "dpi", "mode"])
def test_what_only_documents_have_is_refused_of_an_image(client: TestClient, field: str) -> None:
    value = {"dpi": "200", "mode": "ocr"}.get(field, "1")
    assert field in refused(post(client, picture("x"), **{field: value}), 422, "invalid-input")


def test_a_form_without_a_file_is_refused(client: TestClient) -> None:
    refused(client.post("/jobs", data={"mode": "ocr"}, files={"other": b"x"}), 422, "file-missing")
    refused(client.post("/jobs", json={}), 415, "unsupported-media-type")


@pytest.mark.parametrize(
    "path", ["/jobs?colour=red", "/jobs?limit=0", "/jobs?limit=1&limit=2", "/jobs?cursor=x", "/jobs?status=lost"]
)
def test_a_query_is_read_strictly(client: TestClient, path: str) -> None:
    refused(client.get(path), 422, "invalid-input")


def test_a_form_of_the_result_that_there_is_not_is_refused(client: TestClient) -> None:
    job = read(client, pdfs.digital())
    refused(client.get(f"/jobs/{job['id']}/result?format=docx"), 422, "invalid-input")
    refused(client.get(f"/jobs/{job['id']}/result?page=1"), 422, "invalid-input")


@pytest.mark.parametrize(
    "job_id", ["0" * 32, "lock", "%2e%2e", "..%2f..%2fetc%2fpasswd", "%00", "a" * 64, "%ff", ".new-1"]
)
@pytest.mark.parametrize("method", ["GET", "DELETE"])
def test_an_id_that_is_none_is_not_found(client: TestClient, folder: Path, method: str, job_id: str) -> None:
    before = sorted(folder.iterdir())
    assert client.request(method, f"/jobs/{job_id}").status_code == 404
    assert client.get(f"/jobs/{job_id}/result").status_code == 404
    assert sorted(folder.iterdir()) == before


def test_a_repetition_with_the_same_key_gets_the_same_job(client: TestClient) -> None:
    key = {"Idempotency-Key": "order-4711"}
    first, again = (post(client, pdfs.digital(), headers=key) for _ in range(2))
    assert (first.status_code, again.status_code) == (202, 202)
    assert first.json()["id"] == again.json()["id"]
    assert "idempotency-replayed" not in first.headers
    assert again.headers["idempotency-replayed"] == "true"
    refused(post(client, pdfs.digital(), headers=key, mode="ocr"), 422, "idempotency-key-reused")
    refused(post(client, pdfs.scanned(), headers=key), 422, "idempotency-key-reused")
    for bad in ("", "with space", "x" * 256):
        refused(post(client, pdfs.digital(), headers={"Idempotency-Key": bad}), 400, "idempotency-key-invalid")


def test_a_list_is_walked_from_the_newest(client: TestClient) -> None:
    ids = [read(client, pdfs.digital())["id"] for _ in range(3)]
    walked: list[str] = []
    cursor = ""
    while cursor is not None:
        page = client.get(f"/jobs?limit=2&status=succeeded{cursor and '&cursor='}{cursor}").json()
        assert len(page["items"]) <= 2
        walked += [item["id"] for item in page["items"]]
        cursor = page["next_cursor"]
    assert walked[:3] == ids[::-1]
    assert len(walked) == len(set(walked))
    assert client.get("/jobs?status=running").json() == {"items": [], "next_cursor": None}


def test_a_full_store_and_a_large_file_are_refused_with_the_limit(narrow: TestClient) -> None:
    assert "60000 bytes" in refused(post(narrow, b"%PDF-" + bytes(60_000)), 413, "file-too-large")
    for _ in range(2):
        job = read(narrow, pdfs.digital())
    answer = post(narrow, pdfs.digital())
    assert "the limit is 2" in refused(answer, 503, "too-many-jobs")
    assert int(answer.headers["retry-after"]) > 1
    narrow.delete(f"/jobs/{job['id']}")
    assert post(narrow, pdfs.digital()).status_code == 202


def test_a_running_job_is_cancelled_and_shows_what_it_has(narrow: TestClient) -> None:
    job = post(narrow, pdfs.scanned(60), mode="ocr").json()
    place = f"/jobs/{job['id']}"
    wait_for(lambda: narrow.get(place).json()["pages_done"])
    detail = refused(narrow.get(f"{place}/result"), 409, "no-result")
    assert "of 60 pages" in detail
    done = narrow.get(f"{place}/result?format=ndjson").text.splitlines()
    assert json.loads(done[0])["page"] == 1
    cancelled = narrow.delete(place)
    assert (cancelled.status_code, cancelled.json()["status"]) == (200, "cancelled")
    assert narrow.get(place).json()["pages_done"] < 60
    refused(narrow.get(f"{place}/result"), 409, "no-result")
    assert narrow.delete(place).status_code == 204


def test_a_key_sees_the_jobs_that_it_has_made(tmp_path: Path) -> None:
    keys = {name: auth.generate(name, scope) for name, scope in (("a", "read"), ("b", "read"), ("boss", "admin"))}
    as_ = {name: {"X-API-Key": secret} for name, (secret, _) in keys.items()}
    with serving(jobs_dir=tmp_path / "jobs", api_keys=[line for _, line in keys.values()]) as client:
        job_id = post(client, pdfs.digital(), headers=as_["a"]).json()["id"]
        for name in ("a", "boss"):
            assert client.get(f"/jobs/{job_id}", headers=as_[name]).status_code == 200
            assert [job["id"] for job in client.get("/jobs", headers=as_[name]).json()["items"]] == [job_id]
        assert client.get("/jobs", headers=as_["b"]).json()["items"] == []
        for method in ("GET", "DELETE"):
            refused(client.request(method, f"/jobs/{job_id}", headers=as_["b"]), 404, "unknown-job")
        refused(client.get("/jobs"), 401, "unauthenticated")


def test_every_refusal_is_documented(client: TestClient) -> None:
    paths = client.get("/openapi.json").json()["paths"]
    told = {
        (path, method): {
            slug
            for answer in operation["responses"].values()
            for slug in answer.get("content", {}).get("application/problem+json", {}).get("examples", {})
        }
        for path in ("/jobs", "/jobs/{job_id}", "/jobs/{job_id}/result")
        for method, operation in paths[path].items()
    }
    assert {"too-many-jobs", "idempotency-key-reused", "not-an-image", "upload-storage-full"} <= told["/jobs", "post"]
    assert "unknown-job" in told["/jobs/{job_id}", "get"] & told["/jobs/{job_id}", "delete"]
    assert {"unknown-job", "no-result"} <= told["/jobs/{job_id}/result", "get"]
    assert "multipart/form-data" in paths["/jobs"]["post"]["requestBody"]["content"]


@contextmanager
def process(folder: Path) -> Iterator[tuple["subprocess.Popen[str]", httpx2.Client]]:
    """Runs `python -m ocr serve` on a free port."""
    others = {name: value for name, value in os.environ.items() if not name.startswith(("OCR_", "LINESIDE_"))}
    settings = {"OCR_PORT": "0", "OCR_DRAIN_S": "0", "OCR_JOBS_DIR": str(folder), "OCR_LOG_LEVEL": "warning"}
    command = [sys.executable, "-m", "ocr", "serve"]
    running = subprocess.Popen(command, env={**others, **settings}, stdout=subprocess.PIPE, text=True)
    try:
        assert running.stdout
        address = running.stdout.readline().rpartition(" ")[2].strip()
        with httpx2.Client(base_url=address, timeout=30) as client:
            wait_for(lambda: _answers(client))
            yield running, client
    finally:
        running.kill()
        running.communicate()


def _answers(client: httpx2.Client) -> bool:
    try:
        return client.get("/jobs").status_code == 200
    except httpx2.HTTPError:
        return False


def test_a_job_outlives_processes_that_are_killed(tmp_path: Path) -> None:
    data = pdfs.scanned(8)
    with process(tmp_path) as (running, client):
        answer = client.post("/jobs", files={"file": ("long.pdf", data)}, data={"mode": "ocr"})
        place = answer.headers["location"].removeprefix("/ocr")
        wait_for(lambda: client.get(place).json()["pages_done"])
        running.kill()
        running.wait()
    path = tmp_path / answer.json()["id"] / "pages.ndjson"
    before = path.read_bytes()
    assert 0 < before.count(b"\n") < 8, "it was read too fast to be interrupted"
    with process(tmp_path) as (_, client):
        job = ended(client, answer.json()["id"])
        result = client.get(f"{place}/result").json()
    assert (job["status"], job["pages_done"], job["pages_total"]) == ("succeeded", 8, 8)
    assert [page["page"] for page in result["results"]] == list(range(1, 9))
    assert {page["result"][0]["text"] for page in result["results"]} == {pdfs.SCANNED}
    assert path.read_bytes().startswith(before.rpartition(b"\n")[0])
