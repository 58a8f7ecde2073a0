"""Models over HTTP, against the whole service."""

import base64
import hashlib
import io
import json
import pickle
import struct
import zipfile
from collections.abc import Iterator
from typing import Any

import numpy as np
import pytest
from anomaly.app import create_app
from anomaly.learning.training import TrainingOptions, train
from anomaly.model import Model
from anomaly.settings import Settings
from servicekit import auth
from starlette.testclient import TestClient

SECRET, KEY = auth.generate("kim", "admin")
READER, READER_KEY = auth.generate("scada", "read")
ADMIN = {"X-API-Key": SECRET}


def model(level: float = 0.0) -> Model:
    rows = np.random.default_rng(0).normal(level, 1.0, (400, 3))
    return train(rows, TrainingOptions(kind="pca"), lambda _share, _message: None)


@pytest.fixture(scope="module")
def files() -> list[bytes]:
    first = model()
    return [first.dump(), first.with_threshold(2.5).dump(), first.with_threshold(3.5).dump()]


@pytest.fixture
def client(sqlite_url: str) -> Iterator[TestClient]:
    with TestClient(create_app(Settings(database_url=sqlite_url, api_keys=[KEY, READER_KEY]))) as client:
        client.headers.update(ADMIN)
        yield client


def problem(response: Any, status: int, slug: str) -> str:
    assert (response.status_code, response.headers["content-type"]) == (status, "application/problem+json")
    assert response.json()["type"] == f"urn:lineside:problem:{slug}"
    return str(response.json()["detail"])


@pytest.fixture
def press(client: TestClient, files: list[bytes]) -> TestClient:
    """The asset `press` with the versions 1 to 3, all of which were active in turn."""
    for file in files:
        assert client.put("/models/press?activate=true", content=file).status_code == 201
    return client


def test_an_uploaded_model_is_a_version(client: TestClient, files: list[bytes]) -> None:
    response = client.put("/models/press", content=files[0])
    assert response.status_code == 201
    assert response.headers["location"] == "/models/press/versions/1"
    at_gateway = client.put("/anomaly/models/lathe", content=files[0])
    assert at_gateway.headers["location"] == "/anomaly/models/lathe/versions/1"
    version = client.get(response.headers["location"]).json()
    assert version == response.json()
    assert (version["asset"], version["version"], version["origin"], version["active"]) == (
        "press",
        1,
        "uploaded",
        False,
    )
    assert version["sha256"] == hashlib.sha256(files[0]).hexdigest()
    assert [sensor["name"] for sensor in version["sensors"]] == ["sensor_1", "sensor_2", "sensor_3"]
    assert version["report"]["rows"] == 400


def test_the_same_file_again_is_the_same_version(press: TestClient, files: list[bytes]) -> None:
    response = press.put("/models/press", content=files[1])
    assert (response.status_code, response.json()["version"]) == (200, 2)


def test_versions_are_listed_newest_first_in_pages(press: TestClient) -> None:
    first = press.get("/models/press?limit=2").json()
    assert [(item["version"], item["active"]) for item in first["items"]] == [(3, True), (2, False)]
    rest = press.get(f"/models/press?limit=2&cursor={first['next_cursor']}").json()
    assert [item["version"] for item in rest["items"]] == [1]
    assert rest["next_cursor"] is None
    assert "report" not in first["items"][0]


def test_assets_with_models_are_listed_by_name(press: TestClient, files: list[bytes]) -> None:
    press.put("/models/lathe", content=files[0])
    items: list[Any] = []
    cursor = ""
    while cursor is not None:
        page = press.get(f"/models?limit=1{cursor and '&cursor=' + cursor}").json()
        items += page["items"]
        cursor = page["next_cursor"]
    known = {item["asset"]: (item["versions"], item["active"] and item["active"]["version"]) for item in items}
    assert known["lathe"] == (1, None)
    assert known["press"] == (3, 3)


def test_a_file_is_downloaded_as_it_was_stored(press: TestClient, files: list[bytes]) -> None:
    response = press.get("/models/press/versions/2/file")
    digest = hashlib.sha256(files[1])
    assert response.content == files[1]
    assert response.headers["etag"] == f'"{digest.hexdigest()}"'
    assert response.headers["repr-digest"] == f"sha-256=:{base64.b64encode(digest.digest()).decode()}:"
    assert response.headers["content-disposition"] == 'attachment; filename="press-2.safetensors"'


@pytest.mark.parametrize("form", ['"{}"', 'W/"{}"', '"other", "{}"', "*"])
def test_a_file_that_the_client_has_is_not_sent_again(press: TestClient, files: list[bytes], form: str) -> None:
    etag = form.format(hashlib.sha256(files[1]).hexdigest())
    response = press.get("/models/press/versions/2/file", headers={"If-None-Match": etag})
    assert (response.status_code, response.content) == (304, b"")


def test_activation_answers_with_the_version_and_rolls_back_step_by_step(press: TestClient) -> None:
    assert press.post("/models/press/versions/1/activate").json()["active"] is True
    rolled = [press.post("/models/press/rollback").json()["version"] for _ in range(3)]
    assert rolled == [3, 2, 1]
    problem(press.post("/models/press/rollback"), 409, "nothing-to-roll-back")
    assert press.get("/models/press/versions/1").json()["active"] is True


def test_the_default_model_is_swapped_at_once(press: TestClient, files: list[bytes]) -> None:
    def detail() -> Any:
        return press.post("/?detail=true", json={"values": [0.0, 0.0, 0.0]}).json()

    first = press.put("/models/default?activate=true", content=files[1]).json()["version"]
    assert (detail()["model_version"], detail()["threshold"]) == (first, 2.5)
    second = press.put("/models/default?activate=true", content=files[2]).json()["version"]
    assert (detail()["model_version"], detail()["threshold"]) == (second, 3.5)
    press.post("/models/default/rollback")
    assert (detail()["model_version"], detail()["threshold"]) == (first, 2.5)
    assert press.delete("/models/default").status_code == 204
    problem(press.post("/", json={"values": [0.0, 0.0, 0.0]}), 503, "no-model")


def test_a_version_is_deleted_unless_it_is_active(press: TestClient) -> None:
    assert "version 3" in problem(press.delete("/models/press/versions/3"), 409, "version-active")
    assert press.delete("/models/press/versions/2").status_code == 204
    problem(press.get("/models/press/versions/2"), 404, "unknown-version")
    problem(press.get("/models/press/versions/2/file"), 404, "unknown-version")
    assert [item["version"] for item in press.get("/models/press").json()["items"]] == [3, 1]


def test_what_does_not_exist_is_404(client: TestClient) -> None:
    for path in ("/models/none", "/models/none/versions/1", "/models/none/versions/1/file"):
        problem(client.get(path), 404, "unknown-asset")
    for path in ("/models/none/versions/1/activate", "/models/none/rollback"):
        problem(client.post(path), 404, "unknown-asset")
    problem(client.delete("/models/none"), 404, "unknown-asset")


@pytest.mark.parametrize("name", ["a%2Fb", "a/b", "..%2F..%2Fetc"])
def test_a_name_with_a_slash_is_404(client: TestClient, files: list[bytes], name: str) -> None:
    problem(client.put(f"/models/{name}", content=files[0]), 404, "not-found")


@pytest.mark.parametrize("name", ["%00", ".hidden", "a" * 129, "%F0%9F%98%80", "a%20b"])
def test_a_name_that_no_asset_can_have_is_refused(client: TestClient, files: list[bytes], name: str) -> None:
    problem(client.put(f"/models/{name}", content=files[0]), 422, "invalid-input")


@pytest.mark.parametrize("number", ["0", "-1", "x", "1.5", "99999999999999999999"])
def test_a_number_that_no_version_can_have_is_refused(press: TestClient, number: str) -> None:
    problem(press.get(f"/models/press/versions/{number}"), 422, "invalid-input")


def header_of(file: bytes) -> tuple[dict[str, Any], bytes]:
    length = struct.unpack("<Q", file[:8])[0]
    return json.loads(file[8 : 8 + length]), file[8 + length :]


def with_header(header: dict[str, Any], data: bytes) -> bytes:
    text = json.dumps(header).encode()
    return struct.pack("<Q", len(text)) + text + data


def zip_bomb() -> bytes:
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("archive/data.pkl", bytes(10_000_000))
    return buffer.getvalue()


def no_numbers(file: bytes) -> bytes:
    header, data = header_of(file)
    return with_header(header, b"\xff" * len(data))


def wrong_shape(file: bytes) -> bytes:
    header, data = header_of(file)
    name = next(name for name, entry in header.items() if name != "__metadata__" and len(entry["shape"]) == 1)
    header[name]["shape"] = [1, *header[name]["shape"]]
    return with_header(header, data)


def other_metadata(file: bytes) -> bytes:
    header, data = header_of(file)
    header["__metadata__"] = {"anomaly": "[" * 50_000}
    return with_header(header, data)


@pytest.mark.parametrize(
    "spoil",
    [
        lambda _file: b"",
        lambda _file: pickle.dumps({"weights": [1.0]}),
        lambda _file: zip_bomb(),
        lambda file: file[: len(file) // 2],
        lambda file: file[:-1],
        lambda file: file + b"\x00",
        lambda file: struct.pack("<Q", 2**63) + file[8:],
        lambda _file: struct.pack("<Q", 100_000_000) + b"{" * 1000,
        lambda _file: struct.pack("<Q", 50_000) + b"[" * 50_000,
        lambda _file: with_header({}, b""),
        other_metadata,
        wrong_shape,
        no_numbers,
    ],
)
def test_a_file_that_is_no_model_is_refused_with_a_sentence(client: TestClient, files: list[bytes], spoil: Any) -> None:
    response = client.put("/models/press", content=spoil(files[0]))
    assert len(problem(response, 422, "model-file-invalid")) > 20
    assert len(response.content) < 16_384
    problem(client.get("/models/press"), 404, "unknown-asset")  # nothing was made on the way


def test_a_file_over_the_limit_is_refused(client: TestClient) -> None:
    problem(client.put("/models/press", content=bytes(4 * 1024 * 1024 + 1)), 413, "body-too-large")


def test_another_media_type_is_refused(client: TestClient, files: list[bytes]) -> None:
    response = client.put("/models/press", content=files[0], headers={"Content-Type": "application/json"})
    problem(response, 415, "unsupported-media-type")


def test_the_limit_of_versions_is_told(sqlite_url: str, files: list[bytes]) -> None:
    with TestClient(create_app(Settings(database_url=sqlite_url, max_versions=2))) as client:
        for file in files[:2]:
            client.put("/models/press", content=file)
        assert "limit is 2" in problem(client.put("/models/press", content=files[2]), 409, "too-many-versions")


def test_changes_need_the_scope_admin(press: TestClient, files: list[bytes]) -> None:
    reader = {"X-API-Key": READER}
    assert press.get("/models/press", headers=reader).status_code == 200
    for method, path in (
        ("PUT", "/models/press"),
        ("POST", "/models/press/versions/1/activate"),
        ("POST", "/models/press/rollback"),
        ("DELETE", "/models/press/versions/1"),
        ("DELETE", "/models/press"),
    ):
        content = files[0] if method == "PUT" else b""
        problem(press.request(method, path, headers=reader, content=content), 403, "forbidden")


def test_a_key_makes_a_change_once(client: TestClient, files: list[bytes]) -> None:
    key = {"Idempotency-Key": "upload-1"}
    first = client.put("/models/press", content=files[0], headers=key)
    again = client.put("/models/press", content=files[0], headers=key)
    assert (again.status_code, again.content) == (201, first.content)
    assert again.headers["idempotency-replayed"] == "true"
    assert again.headers["location"] == first.headers["location"]
    problem(client.put("/models/press", content=files[1], headers=key), 422, "idempotency-key-reused")
    problem(
        client.put("/models/press", content=files[1], headers={"Idempotency-Key": ""}), 400, "idempotency-key-invalid"
    )


def test_a_roll_back_with_a_key_is_made_once(press: TestClient) -> None:
    key = {"Idempotency-Key": "back"}
    assert [press.post("/models/press/rollback", headers=key).json()["version"] for _ in range(2)] == [2, 2]
    assert press.get("/models/press/versions/2").json()["active"] is True


def test_a_service_that_starts_again_has_the_same_models(sqlite_url: str, files: list[bytes]) -> None:
    settings = Settings(database_url=sqlite_url)
    with TestClient(create_app(settings)) as client:
        client.put("/models/default?activate=true", content=files[1])
        before = client.get("/models/default").json()
    with TestClient(create_app(settings)) as client:
        assert client.get("/models/default").json() == before
        assert client.post("/?detail=true", json={"values": [0.0, 0.0, 0.0]}).json()["threshold"] == 2.5
