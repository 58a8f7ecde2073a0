import io
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest
from anomaly.app import create_app
from anomaly.learning.training import TrainingOptions, train
from anomaly.lifecycle.registry import BUILTIN_FILE, WEIGHTS
from anomaly.model import Model, Sensor
from anomaly.routes import scoring
from anomaly.settings import Settings
from starlette.testclient import TestClient

NORMAL = [1.2, 0.9, 1.1]
FAR = [9.0, 0.9, 1.1]


@pytest.fixture(scope="module")
def client(tmp_path_factory: pytest.TempPathFactory) -> Iterator[TestClient]:
    """The service with its shipped model."""
    url = f"sqlite:///{tmp_path_factory.mktemp('scoring')}/anomaly.db"
    with TestClient(create_app(Settings(database_url=url, max_rows=50))) as client:
        yield client


@pytest.fixture(scope="module")
def model() -> Model:
    return Model.load((WEIGHTS / BUILTIN_FILE).read_bytes())


@pytest.mark.parametrize("path", ["/", "/anomaly", "/anomaly/"])
def test_scores_one_row_with_and_without_the_prefix(client: TestClient, model: Model, path: str) -> None:
    answer = client.post(path, json={"values": NORMAL})
    assert answer.json() == {"score": model.score(NORMAL), "status": "normal"}
    assert client.post(path, json={"values": FAR}).json()["status"] == "anomaly"


def test_answers_exactly_two_fields_unless_asked_for_detail(client: TestClient, model: Model) -> None:
    assert set(client.post("/", json={"values": FAR}).json()) == {"score", "status"}
    detail = client.post("/?detail=true", json={"values": FAR}).json()
    assert detail["threshold"] == model.threshold
    assert (detail["severity"], detail["model"], detail["model_version"]) == ("critical", "autoencoder", 1)
    assert sum(share["contribution"] for share in detail["contributions"]) == pytest.approx(1)
    assert max(detail["contributions"], key=lambda share: share["contribution"])["sensor"] == model.sensors[0].name


def test_a_batch_scores_each_row_as_it_would_be_scored_alone(client: TestClient) -> None:
    rows = [NORMAL, FAR, [1.0, 1.1, 0.95]]
    answer = client.post("/batch", json={"rows": rows}).json()
    alone = [client.post("/", json={"values": row}).json() for row in rows]
    assert answer["scores"] == pytest.approx([one["score"] for one in alone], rel=1e-12)
    assert answer["statuses"] == [one["status"] for one in alone]


def test_csv_and_npy_are_scored_like_json(client: TestClient) -> None:
    rows = [NORMAL, FAR]
    expected = client.post("/batch", json={"rows": rows}).json()
    csv = "\n".join(",".join(map(str, row)) for row in rows)
    file = io.BytesIO()
    np.save(file, np.array(rows))
    for media_type, body in (("text/csv", csv.encode()), ("application/x-npy", file.getvalue())):
        answer = client.post("/batch", content=body, headers={"Content-Type": media_type})
        assert answer.json() == expected


def test_a_header_may_name_the_sensors_in_any_order(client: TestClient, model: Model) -> None:
    names = [sensor.name for sensor in model.sensors]
    csv = ",".join(reversed(names)) + "\n" + ",".join(map(str, reversed(NORMAL)))
    answer = client.post("/batch", content=csv, headers={"Content-Type": "text/csv"}).json()
    assert answer["scores"] == pytest.approx([model.score(NORMAL)], rel=1e-12)


def refusal(client: TestClient, body: bytes, media_type: str) -> tuple[int, str, str]:
    answer = client.post("/batch", content=body, headers={"Content-Type": media_type})
    problem = answer.json()
    assert answer.headers["content-type"] == "application/problem+json"
    return answer.status_code, problem["type"].rpartition(":")[2], problem["detail"]


def test_a_batch_is_refused_whole_by_row(client: TestClient) -> None:
    status, slug, detail = refusal(client, b'{"rows":[[1,1,1],[1,1]]}', "application/json")
    assert (status, slug) == (422, "wrong-dimension")
    assert detail == "row 2: 2 values came, the model takes 3"
    status, slug, detail = refusal(client, b"1,1,1\n1,,1\n", "text/csv")
    assert (status, slug) == (422, "table-invalid")
    assert detail.startswith("row 2: ")
    assert refusal(client, b'{"rows":[]}', "application/json")[0] == 422


def test_a_batch_over_the_limit_of_rows_is_refused(client: TestClient) -> None:
    body = ('{"rows":[' + ",".join(["[1,1,1]"] * 51) + "]}").encode()
    status, slug, detail = refusal(client, body, "application/json")
    assert (status, slug) == (422, "too-many-rows")
    assert "51" in detail
    assert "50" in detail


def test_a_pickled_array_is_refused(client: TestClient) -> None:
    file = io.BytesIO()
    np.save(file, np.array([{"a": 1}], dtype=object), allow_pickle=True)
    assert refusal(client, file.getvalue(), "application/x-npy")[:2] == (422, "table-invalid")


def test_a_model_that_needs_a_window_says_where_to_post(tmp_path: Path) -> None:
    rows = np.random.default_rng(0).normal(size=(200, 3))
    file = tmp_path / "windowed.safetensors"
    file.write_bytes(train(rows, TrainingOptions(kind="pca", window=4)).dump())
    settings = Settings(database_url=f"sqlite:///{tmp_path}/anomaly.db", model_file=file)
    with TestClient(create_app(settings)) as client:
        answer = client.post("/", json={"values": NORMAL})
        assert (answer.status_code, answer.json()["type"]) == (422, "urn:lineside:problem:model-needs-window")
        batch = client.post("/batch", json={"rows": rows[:6].tolist()}).json()
        assert batch["statuses"][:3] == ["unknown"] * 3
        assert batch["scores"][:3] == [None] * 3
        assert all(score is not None for score in batch["scores"][3:])


def test_the_document_has_what_the_hot_path_serves(client: TestClient) -> None:
    paths = client.get("/openapi.json").json()["paths"]
    for path in ("/", "/batch"):
        assert list(paths[path]) == ["post"]
    assert set(paths["/batch"]["post"]["requestBody"]["content"]) == set(scoring.PARSERS)
    assert "application/json" in paths["/"]["post"]["requestBody"]["content"]


def test_scores_are_counted_by_status(client: TestClient) -> None:
    def count(status: str) -> float:
        line = f'anomaly_scores_total{{status="{status}"}} '
        return float(client.get("/metrics").text.partition(line)[2].partition("\n")[0])

    before = count("normal"), count("anomaly")
    client.post("/", json={"values": NORMAL})
    client.post("/", json={"values": FAR})
    client.post("/", json={"values": [1]})
    assert (count("normal"), count("anomaly")) == (before[0] + 1, before[1] + 1)


@pytest.mark.parametrize("window", [1, 3])
def test_a_value_outside_its_physical_range_is_unknown_and_never_normal(tmp_path: Path, window: int) -> None:
    rows = np.random.default_rng(0).normal(size=(200, 2))
    sensors = (Sensor("pressure", "bar", -10.0, 10.0), Sensor("flow"))
    file = tmp_path / "ranged.safetensors"
    file.write_bytes(train(rows, TrainingOptions(kind="pca", window=window, sensors=sensors)).dump())
    settings = Settings(database_url=f"sqlite:///{tmp_path}/anomaly.db", model_file=file)
    sent = [[0.0, 0.0]] * 8
    sent[4] = [-11.0, 0.0]
    with TestClient(create_app(settings)) as client:
        batch = client.post("/batch", json={"rows": sent}).json()
        unknown = {*range(window - 1), *range(4, 4 + window)}
        assert {i for i, status in enumerate(batch["statuses"]) if status == "unknown"} == unknown
        assert {i for i, score in enumerate(batch["scores"]) if score is None} == unknown
        if window == 1:
            assert client.post("/", json={"values": sent[4]}).json() == {"score": None, "status": "unknown"}
            detail = client.post("/?detail=1", json={"values": sent[4]}).json()
            assert (detail["status"], detail["severity"], detail["contributions"]) == ("unknown", None, [])


def test_the_document_shows_the_idempotency_key_where_something_is_remembered(client: TestClient) -> None:
    paths = client.get("/openapi.json").json()["paths"]

    def takes_key(path: str, method: str) -> bool:
        return any(each["name"] == "Idempotency-Key" for each in paths[path][method].get("parameters", []))

    assert takes_key("/assets/{asset}", "post")
    assert takes_key("/models/{asset}/train", "post")
    assert takes_key("/alerts/{alert_id}/acknowledge", "post")
    assert not takes_key("/", "post")
    assert not takes_key("/assets/{asset}", "get")
