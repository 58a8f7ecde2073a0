from pathlib import Path

from ocr.app import create_app
from ocr.settings import Settings
from openapi_spec_validator import validate
from starlette.testclient import TestClient

PATHS = {
    "/paddleocr",
    "/easyocr",
    "/v1/ocr",
    "/upload",
    "/upload_pdf",
    "/render",
    "/jobs",
    "/models",
    "/health",
    "/metrics",
}


def test_the_document_is_valid_and_complete(client: TestClient) -> None:
    document = client.get("/openapi.json").json()
    validate(document)
    assert set(document["paths"]) >= PATHS
    assert document["servers"] == [{"url": "/ocr"}]
    names = set(document["components"]["schemas"])
    assert {"PaddleRequest", "EasyRequest", "Request", "Answer", "DocumentAnswer", "ModelList", "Health"} <= names
    assert document["components"]["schemas"]["Problem"]["properties"]["success"] == {"const": False}


def test_every_refusal_has_an_example_with_success_false(client: TestClient) -> None:
    for path in client.get("/openapi.json").json()["paths"].values():
        for operation in path.values():
            for response in operation["responses"].values():
                problem = response.get("content", {}).get("application/problem+json")
                if problem:
                    values = [example["value"] for example in problem["examples"].values()]
                    assert all(value["type"] and value["success"] is False for value in values)


def test_every_reading_call_shows_a_request_and_an_answer(client: TestClient) -> None:
    paths = client.get("/openapi.json").json()["paths"]
    for path in ("/paddleocr", "/easyocr", "/v1/ocr"):
        assert paths[path]["post"]["requestBody"]["content"]["application/json"]["example"]["image"]
    for path in ("/upload", "/upload_pdf"):
        form = paths[path]["post"]["requestBody"]["content"]["multipart/form-data"]["schema"]
        assert form["required"] == ["file"]
        assert {"use_det", "use_cls", "use_rec", "text_score", "return_word_box", "format"} <= set(form["properties"])
        forms = paths[path]["post"]["responses"]["200"]["content"]
        assert {"application/json", "text/plain", "application/pdf", "application/x-ndjson"} <= set(forms)
        assert forms["application/json"]["example"]["success"] is True


def test_the_calls_that_draw_show_their_fields_and_pictures(client: TestClient) -> None:
    paths = client.get("/openapi.json").json()["paths"]
    form = paths["/render"]["post"]["requestBody"]["content"]["multipart/form-data"]["schema"]
    assert form["required"] == ["file"]
    assert all(form["properties"][name]["examples"] for name in ("page", "dpi", "password"))
    for operation in (paths["/render"]["post"], paths["/jobs/{job_id}/pages/{number}/image"]["get"]):
        assert set(operation["responses"]["200"]["content"]) == {"image/jpeg", "image/png"}
        refused = operation["responses"]["422"]["content"]["application/problem+json"]["examples"]
        assert {"pages-invalid", "pdf-encrypted", "pdf-invalid", "pdf-too-slow", "not-an-image"} <= set(refused)


def test_page_docs_and_operations_answer_with_and_without_the_prefix(client: TestClient) -> None:
    for prefix in ("", "/ocr"):
        for path in ("/", "/docs", "/redoc", "/openapi.json", "/health", "/health/live", "/health/ready", "/metrics"):
            assert client.get(prefix + path).status_code == 200, path


def test_the_frameworks_own_errors_say_success_false(client: TestClient) -> None:
    for answer, status in (
        (client.get("/nothing"), 404),
        (client.get("/upload"), 405),
        (client.get("/jobs?limit=none"), 422),
    ):
        assert (answer.status_code, answer.json()["success"]) == (status, False)


def test_two_services_in_one_process_share_nothing(tmp_path: Path) -> None:
    one, two = (Settings(environment=name, jobs_dir=tmp_path / name) for name in ("one", "two"))
    with TestClient(create_app(one)) as first, TestClient(create_app(two)) as second:
        assert [each.get("/health").json()["environment"] for each in (first, second)] == ["one", "two"]
