import msgspec
import pytest
from cars import schemas
from cars.routes import document
from openapi_spec_validator import validate
from painted import RED, Running, picture

PATHS = {
    "/upload/": {"post"},
    "/upload/batch": {"post"},
    "/inference/{image_id}": {"post"},
    "/inference/batch": {"post"},
    "/recognize": {"post"},
    "/files/": {"get"},
    "/files/{image_id}": {"get", "delete"},
    "/files/{image_id}/image": {"get"},
    "/files/{image_id}/thumbnail": {"get"},
    "/files/{image_id}/reprocess": {"post"},
    "/files/{image_id}/correction": {"put", "delete"},
    "/jobs": {"get"},
    "/jobs/{job_id}": {"get", "delete"},
    "/models": {"get"},
    "/labels": {"get"},
}


def test_the_document_is_valid_and_has_every_call_once(service: Running) -> None:
    described = service.client.get("/openapi.json").json()
    validate(described)
    assert described["servers"] == [{"url": "/cars"}]
    assert {path: set(described["paths"][path]) for path in PATHS} == PATHS
    assert not {path for path in described["paths"] if path.rstrip("/") != path and path[:-1] in described["paths"]}


def test_every_success_that_is_json_and_every_refusal_has_an_example(service: Running) -> None:
    for path, operations in service.client.get("/openapi.json").json()["paths"].items():
        for operation in operations.values():
            for status, response in operation["responses"].items():
                for media_type, media in response.get("content", {}).items():
                    if media_type == "application/problem+json":
                        assert all(example["value"]["type"] for example in media["examples"].values())
                    elif path in ("/upload/", "/files/", "/inference/{image_id}", "/recognize", "/inference/batch"):
                        assert media["example"], (path, status)


@pytest.mark.parametrize(
    ("example", "type_"),
    [
        (document.FILE, schemas.File),
        (document.PENDING, schemas.File),
        (document.UPLOADED, schemas.Uploaded),
        (document.UPLOADS, schemas.UploadBatch),
        (document.INFERENCES, schemas.InferenceBatch),
        (document.JOB, schemas.Job),
    ],
)
def test_each_example_is_what_the_schema_says(example: object, type_: type[msgspec.Struct]) -> None:
    assert msgspec.to_builtins(msgspec.convert(example, type_)) == example


@pytest.mark.parametrize("prefix", ["", "/cars"])
def test_the_seeds_calls_answer_with_and_without_prefix_and_slash(service: Running, prefix: str) -> None:
    client = service.client
    for path in ("/upload/", "/upload"):
        image_id = client.post(prefix + path, files={"file": ("car.png", picture(RED))}).json()["id"]
        assert image_id == 1
    for method, path, status in (
        ("POST", "/inference/1", 200),
        ("GET", "/files/1", 200),
        ("GET", "/files", 200),
        ("GET", "/jobs", 200),
        ("GET", "/labels", 200),
        ("GET", "/models", 200),
        ("POST", "/files/1/reprocess", 200),
    ):
        for slash in ("", "/"):
            answer = client.request(method, f"{prefix}{path}{slash}", follow_redirects=False)
            assert answer.status_code == status, (path, slash)


def test_page_docs_and_operations_answer_with_and_without_the_prefix(service: Running) -> None:
    for prefix in ("", "/cars"):
        for path in ("/", "/docs", "/redoc", "/openapi.json", "/health", "/health/live", "/health/ready", "/metrics"):
            assert service.client.get(prefix + path).status_code == 200, path
