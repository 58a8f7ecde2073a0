"""Whatever is sent: a 4xx that says what was wrong, in one shape, and a service that goes on answering."""

import io
import json
import pickle
import socket
import struct
import time
import zipfile
from collections.abc import Iterator
from urllib.parse import urlsplit

import httpx2
import pytest

MAX_ERROR_BYTES = 16 * 1024
GOOD = {"values": [1.2, 0.9, 1.1]}


@pytest.fixture
def client(base_url: str) -> Iterator[httpx2.Client]:
    with httpx2.Client(base_url=base_url, timeout=30) as client:
        yield client
        answer = client.post("/anomaly", json=GOOD)  # whatever came before, the service goes on
        assert answer.json()["status"] == "normal"


def refused(answer: httpx2.Response, *statuses: int) -> dict[str, object]:
    """Checks the one shape of all refusals and returns the problem."""
    assert answer.status_code in statuses, answer.text[:500]
    assert answer.headers["content-type"] == "application/problem+json"
    assert len(answer.content) <= MAX_ERROR_BYTES
    problem: dict[str, object] = answer.json()
    assert problem["status"] == answer.status_code
    assert problem["detail"] == problem["error"]
    assert str(problem["type"]).startswith("urn:lineside:problem:")
    assert problem["request_id"] == answer.headers["x-request-id"]
    assert "Traceback" not in answer.text
    assert "/src/" not in answer.text
    return problem


BODIES = {
    "too few values": b'{"values":[1,2]}',
    "too many values": b'{"values":[1,2,3,4]}',
    "100,000 values": b'{"values":[' + b"1," * 99_999 + b"1]}",
    "no values": b'{"values":[]}',
    "a string": b'{"values":["1","2","3"]}',
    "booleans": b'{"values":[true,false,true]}',
    "NaN": b'{"values":[NaN,1,1]}',
    "Infinity": b'{"values":[Infinity,1,1]}',
    "minus Infinity": b'{"values":[-Infinity,1,1]}',
    "1e400": b'{"values":[1e400,1,1]}',
    "an integer of 5,000 digits": b'{"values":[' + b"9" * 5000 + b",1,1]}",
    "nested": b'{"values":[[1,2,3]]}',
    "null values": b'{"values":null}',
    "a null among the values": b'{"values":[1,null,1]}',
    "null": b"null",
    "an empty object": b"{}",
    "an array": b"[1,2,3]",
    "a number": b"3",
    "nothing": b"",
    "an unknown field": b'{"values":[1,1,1],"threshold":99}',
    "a repeated key": b'{"values":[9,9,9],"values":[1.2,0.9,1.1]}',
    "a repeated key in disguise": b'{"values":[9,9,9],"\\u0076alues":[1.2,0.9,1.1]}',
    "100,000 deep": b'{"values":' + b"[" * 100_000 + b"]" * 100_000 + b"}",
    "100,000 deep objects": b'{"a":' * 100_000,
    "invalid UTF-8": b'{"values":[1,1,1],"\xff\xfe":1}',
    "UTF-16": '{"values":[1,1,1]}'.encode("utf-16"),
    "a byte order mark": b'\xef\xbb\xbf{"values":[1,1,1]}',
    "truncated": b'{"values":[1,1',
    "two documents": b'{"values":[1,1,1]}{"values":[1,1,1]}',
    "a comment": b'{"values":[1,1,1]/*x*/}',
    "single quotes": b"{'values':[1,1,1]}",
    "hexadecimal": b'{"values":[0x1,1,1]}',
    "a huge field name": b'{"' + b"x" * 200_000 + b'":1}',
}


@pytest.mark.parametrize("body", BODIES.values(), ids=BODIES.keys())
@pytest.mark.parametrize("path", ["/anomaly", "/anomaly/assets/default"])
def test_a_bad_body_is_refused(client: httpx2.Client, path: str, body: bytes) -> None:
    if path.endswith("default") and body == BODIES["a null among the values"]:
        pytest.skip("a null is allowed where there is a memory: the reading is unknown")
    refused(client.post(path, content=body, headers={"Content-Type": "application/json"}), 400, 422)


@pytest.mark.parametrize("number", ["NaN", "Infinity", "-Infinity", "1e400"])
def test_what_is_no_finite_number_is_422(client: httpx2.Client, number: str) -> None:
    body = f'{{"values":[{number},1,1]}}'.encode()
    refused(client.post("/anomaly", content=body, headers={"Content-Type": "application/json"}), 422)


@pytest.mark.parametrize(
    "content_type",
    ["text/plain", "application/x-www-form-urlencoded", "multipart/form-data", "", "application/json; charset=utf-16"],
)
def test_a_wrong_media_type_is_415(client: httpx2.Client, content_type: str) -> None:
    answer = client.post("/anomaly", content=json.dumps(GOOD).encode(), headers={"Content-Type": content_type})
    refused(answer, 415)


def test_values_at_the_edge_of_a_double_are_never_normal(client: httpx2.Client) -> None:
    for value in (1e308, -1e308, 1.7976931348623157e308):
        answer = client.post("/anomaly", json={"values": [value, 0.9, 1.1]})
        assert answer.status_code == 422 or answer.json()["status"] == "anomaly"


def test_a_body_over_the_limit_is_413_with_its_length_declared(client: httpx2.Client) -> None:
    body = b'{"values":[' + b" " * 2_000_000 + b"1]}"
    problem = refused(client.post("/anomaly", content=body, headers={"Content-Type": "application/json"}), 413)
    assert "1048576" in str(problem["detail"])


def test_a_body_over_the_limit_is_413_without_its_length(client: httpx2.Client) -> None:
    def chunks() -> Iterator[bytes]:
        for _ in range(40):
            yield b" " * 65_536

    answer = client.post("/anomaly", content=chunks(), headers={"Content-Type": "application/json"})
    refused(answer, 413)


def raw(base_url: str, data: bytes, timeout_s: float = 10) -> bytes:
    """Sends bytes as they are and returns all that comes back."""
    url = urlsplit(base_url)
    assert url.hostname
    assert url.port
    with socket.create_connection((url.hostname, url.port), timeout=timeout_s) as connection:
        connection.sendall(data)
        received = b""
        try:
            while chunk := connection.recv(65_536):
                received += chunk
        except TimeoutError:
            pass
        return received


HEAD = b"POST /anomaly HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\n"


def test_half_a_body_and_silence_is_408(deployment: str, request: pytest.FixtureRequest) -> None:
    if deployment in ("traefik", "compose"):
        pytest.skip(
            "Traefik keeps an answer back until the body is whole or its own timeout ends: tests/traefik/test_slow"
        )
    impatient_url: str = request.getfixturevalue("impatient_url")
    started = time.monotonic()
    answer = raw(impatient_url, HEAD + b'Content-Length: 30\r\n\r\n{"values":[1.2,')
    assert answer.startswith(b"HTTP/1.1 408 ")
    assert b"application/problem+json" in answer
    assert time.monotonic() - started < 8


@pytest.mark.parametrize(
    "data",
    [
        HEAD + b"Content-Length: -1\r\n\r\n{}",
        HEAD + b"Content-Length: 1e3\r\n\r\n{}",
        HEAD + b"Content-Length: 5\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n",
        HEAD + b"Transfer-Encoding: chunked\r\n\r\nZZ\r\n{}\r\n0\r\n\r\n",
        b"POST /anomaly HTTP/9.9\r\n\r\n",
        b"\x00\x01\x02\x03\r\n\r\n",
        b"GET " + b"/" * 100_000 + b" HTTP/1.1\r\n\r\n",
    ],
)  # fmt: skip
def test_a_broken_request_is_refused_or_closed(
    client: httpx2.Client, base_url: str, data: bytes, deployment: str
) -> None:
    answer = raw(base_url, data, timeout_s=2)
    refusals = (b"HTTP/1.1 4", b"HTTP/1.1 505 ")
    if deployment in ("traefik", "compose"):
        refusals += (b"HTTP/1.1 500 ",)  # what Traefik says where a body's chunks cannot be read
    assert answer == b"" or answer.startswith(refusals)


NAMES = ["a%00b", "a%0Ab", "%2e%2e", "a%2Fb", "%E2%80%AE", "-a", "a b", "x" * 129, "%FF", "a;b", "<img>"]


@pytest.mark.parametrize("name", NAMES)
@pytest.mark.parametrize("path", ["assets/{}", "assets/{}/history", "models/{}", "models/{}/threshold"])
def test_a_bad_name_is_refused(client: httpx2.Client, name: str, path: str) -> None:
    refused(client.get(f"/anomaly/{path.format(name)}"), 400, 404, 422)


@pytest.mark.parametrize("name", NAMES)
def test_a_bad_name_cannot_be_created(client: httpx2.Client, name: str) -> None:
    before = client.get("/anomaly/assets").json()
    refused(client.put(f"/anomaly/assets/{name}"), 400, 404, 405, 422)
    assert client.get("/anomaly/assets").json() == before


READINGS = {
    "an unknown sensor": {"sensors": {"nonsense": 1.0}},
    "both forms": {"values": [1.2, 0.9, 1.1], "sensors": {}},
    "neither form": {"timestamp": "2026-01-01T00:00:00Z"},
    "year 0": {**GOOD, "timestamp": "0000-01-01T00:00:00Z"},
    "year 1": {**GOOD, "timestamp": "0001-01-01T00:00:00+14:00"},
    "year 9999": {**GOOD, "timestamp": "9999-12-31T23:59:59Z"},
    "no zone": {**GOOD, "timestamp": "2026-01-01T00:00:00"},
    "no time": {**GOOD, "timestamp": "yesterday"},
    "epoch far away": {**GOOD, "timestamp": 10**18},
    "epoch negative": {**GOOD, "timestamp": -(10**18)},
    "a fraction of a millisecond": {**GOOD, "timestamp": 1.5},
    "an unknown quality": {**GOOD, "quality": "excellent"},
    "an unknown field": {**GOOD, "colour": "red"},
}


@pytest.mark.parametrize("reading", READINGS.values(), ids=READINGS.keys())
def test_a_bad_reading_is_refused_and_leaves_nothing(client: httpx2.Client, reading: dict[str, object]) -> None:
    before = client.get("/anomaly/assets/default/history").json()
    refused(client.post("/anomaly/assets/default", json=reading), 422)
    assert client.get("/anomaly/assets/default/history").json() == before


TABLES = {
    "a NUL": b"1.2,0.9,1.1\n1.2,\x00,1.1\n",
    "a field of 200 kB": b"1.2,0.9," + b"1" * 200_000 + b"\n",
    "an open quote": b'1.2,0.9,"1.1\n1.2,0.9,1.1\n',
    "ragged": b"1.2,0.9,1.1\n1.2,0.9\n",
    "underscores": b"1_000,0.9,1.1\n",
    "full-width digits": "１２,0.9,1.1\n".encode(),
    "UTF-16": "1.2,0.9,1.1\n".encode("utf-16"),
    "invalid UTF-8": b"1.2,0.9,\xff\n",
    "words": b"1.2,0.9,1.1\n1.2,high,1.1\n",
    "nan": b"1.2,nan,1.1\n",
    "inf": b"1.2,inf,1.1\n",
    "1e400": b"1.2,1e400,1.1\n",
    "empty": b"",
    "only a header": b"a,b,c\n",
    "a formula": b"1.2,=1+1,1.1\n",
    "two columns": b"1.2,0.9\n",
}


@pytest.mark.parametrize("table", TABLES.values(), ids=TABLES.keys())
def test_a_bad_table_is_refused(client: httpx2.Client, table: bytes) -> None:
    refused(client.post("/anomaly/batch", content=table, headers={"Content-Type": "text/csv"}), 422)
    before = client.get("/anomaly/jobs").json()
    refused(client.post("/anomaly/models/default/train", content=table, headers={"Content-Type": "text/csv"}), 422)
    assert client.get("/anomaly/jobs").json() == before


def zip_bomb() -> bytes:
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("archive/data.pkl", b"\0" * 3_000_000)
    return file.getvalue()


class Malicious:
    def __reduce__(self) -> tuple[object, tuple[str]]:
        import os

        return os.system, ("touch /tmp/lineside-was-here",)


def safetensors(header: bytes, data: bytes = b"") -> bytes:
    return struct.pack("<Q", len(header)) + header + data


MODEL_FILES = {
    "a pickle": pickle.dumps({"weights": [1, 2, 3]}),
    "a malicious pickle": pickle.dumps(Malicious()),
    "a zip bomb": zip_bomb(),
    "nothing": b"",
    "a header longer than the file": struct.pack("<Q", 2**62) + b"{}",
    "a header that is no JSON": safetensors(b"not json"),
    "a header 10,000 deep": safetensors(b'{"a":' * 10_000),
    "offsets out of bounds": safetensors(b'{"w":{"dtype":"F64","shape":[9],"data_offsets":[0,72]}}'),
    "a shape that overflows": safetensors(
        b'{"w":{"dtype":"F64","shape":[9223372036854775807,8],"data_offsets":[0,0]}}'
    ),
    "no metadata": safetensors(b'{"w":{"dtype":"F64","shape":[1],"data_offsets":[0,8]}}', b"\0" * 8),
}


@pytest.mark.parametrize("file", MODEL_FILES.values(), ids=MODEL_FILES.keys())
def test_a_bad_model_file_is_refused(client: httpx2.Client, file: bytes) -> None:
    before = client.get("/anomaly/models/default").json()
    refused(
        client.put("/anomaly/models/default", content=file, headers={"Content-Type": "application/octet-stream"}), 422
    )
    assert client.get("/anomaly/models/default").json() == before


def test_a_truncated_model_file_is_refused(client: httpx2.Client) -> None:
    version = client.get("/anomaly/models/default").json()["items"][0]["version"]
    file = client.get(f"/anomaly/models/default/versions/{version}/file").content
    for cut in (1, 8, len(file) // 2, len(file) - 1):
        content = file[:cut]
        refused(
            client.put(
                "/anomaly/models/default", content=content, headers={"Content-Type": "application/octet-stream"}
            ),
            422,
        )


@pytest.mark.parametrize(
    "key", ["", "x" * 256, "a\tb", "sch\xf6n"]
)  # fmt: skip
def test_a_bad_idempotency_key_is_400(client: httpx2.Client, key: str) -> None:
    answer = client.post("/anomaly/assets/default", json=GOOD, headers=[(b"Idempotency-Key", key.encode("latin-1"))])
    refused(answer, 400)


def test_random_paths_make_no_metrics(client: httpx2.Client, deployment: str) -> None:
    if deployment != "process":
        pytest.skip("a gateway passes no metrics on; the services behind it are the same")

    def series() -> int:
        return len([line for line in client.get("/metrics").text.splitlines() if not line.startswith("#")])

    refused(client.get("/anomaly/no-such-path"), 404)
    refused(client.get("/no-such-path"), 404)
    series()  # the scrape has a series of its own from now on
    before = series()
    for number in range(500):
        refused(client.get(f"/anomaly/{number}/{number}"), 404)
        refused(client.get(f"/{number}"), 404)
    assert series() == before


@pytest.mark.parametrize("method", ["PATCH", "BREW", "TRACE", "X" * 40])
def test_an_unknown_method_is_refused(client: httpx2.Client, method: str) -> None:
    refused(client.request(method, "/anomaly/assets"), 400, 404, 405)


@pytest.mark.parametrize("path", ["/anomalyx", "/anomaly%2fx", "//anomaly", "/ANOMALY", "/anomaly/../../etc/passwd"])
def test_a_path_beside_the_prefix_leads_nowhere(client: httpx2.Client, base_url: str, path: str) -> None:
    answer = raw(base_url, f"GET {path} HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n".encode())
    assert answer.startswith((b"HTTP/1.1 404 ", b"HTTP/1.1 400 ")), answer[:200]  # 400: nginx, of a path above the root


def test_bad_queries_are_422(client: httpx2.Client) -> None:
    for path in (
        "/anomaly/assets?limit=0", "/anomaly/assets?limit=x", "/anomaly/assets?cursor=%ff",
        "/anomaly/alerts?state=none",
        "/anomaly/assets/default/history?from=never", "/anomaly/assets/default/history?limit=100000000",
        "/anomaly/assets/default/history?cursor=zzz", "/anomaly/jobs?limit=-1",
    ):  # fmt: skip
        refused(client.get(path), 422)
    refused(client.post("/anomaly?detail=perhaps", json=GOOD), 422)
