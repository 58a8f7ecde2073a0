from digit.app import create_app
from digit.settings import Settings
from openapi_spec_validator import validate
from starlette.testclient import TestClient


def test_the_document_is_valid_and_complete(client: TestClient) -> None:
    document = client.get("/openapi.json").json()
    validate(document)
    assert {"/predict", "/predict_batch", "/models", "/health", "/metrics"} <= set(document["paths"])
    assert document["servers"] == [{"url": "/digit"}]
    names = set(document["components"]["schemas"])
    assert {"Prediction", "DetailedPrediction", "Predictions", "DetailedPredictions", "ModelList"} <= names


def test_every_refusal_has_an_example(client: TestClient) -> None:
    for path in client.get("/openapi.json").json()["paths"].values():
        for operation in path.values():
            for response in operation["responses"].values():
                problem = response.get("content", {}).get("application/problem+json")
                if problem:
                    assert all(example["value"]["type"] for example in problem["examples"].values())


def test_page_docs_and_operations_answer_with_and_without_the_prefix(client: TestClient) -> None:
    for prefix in ("", "/digit"):
        for path in ("/", "/docs", "/redoc", "/openapi.json", "/health", "/health/live", "/health/ready", "/metrics"):
            assert client.get(prefix + path).status_code == 200, path


def test_two_services_in_one_process_share_nothing() -> None:
    with (
        TestClient(create_app(Settings(model="cnn"))) as one,
        TestClient(create_app(Settings(model="ensemble"))) as two,
    ):
        assert [each.get("/health").json()["model"] for each in (one, two)] == ["cnn", "ensemble"]
