from collections.abc import Callable

import msgspec
import pytest
from servicekit.problems import InvalidInput, MalformedJSON
from servicekit.strict import decode
from starlette.testclient import TestClient


class Row(msgspec.Struct, forbid_unknown_fields=True):
    values: list[float]
    name: str | None = None


def test_reads_what_is_right() -> None:
    assert decode(b'{"values":[1,2.5,-1e-3],"name":"\xc3\xa4"}', Row) == Row([1.0, 2.5, -0.001], "ä")


@pytest.mark.parametrize(
    "body",
    [b"", b"{", b'{"values":[1]}x', b'{"values":[01]}', b"{'values':[1]}", b'{"values":[1],}',
     b'\xef\xbb\xbf{"values":[1]}', b'{"values":[1],"name":"\xff"}', b"\x00", '{"values":[1]}'.encode("utf-16")],
)  # fmt: skip
def test_refuses_what_is_not_json(body: bytes) -> None:
    with pytest.raises(MalformedJSON, match="the body is not JSON") as refusal:
        decode(body, Row)
    assert len(refusal.value.detail) < 400


@pytest.mark.parametrize(
    "body",
    [b"null", b"[]", b"3", b"{}", b'{"values":null}', b'{"values":[true]}', b'{"values":["1"]}', b'{"values":[null]}',
     b'{"values":[[1]]}', b'{"values":{}}', b'{"values":[NaN]}', b'{"values":[-Infinity]}', b'{"values":[1e400]}',
     b'{"values":[1],"other":2}', b'{"values":[1],"values":[2]}', b'{"values":[1],"name":"a","na\\u006de":"b"}',
     b'{"values":[' + b"9" * 400 + b"]}", b'{"' + b"x" * 100_000 + b'":1}'],
)  # fmt: skip
def test_refuses_json_that_is_not_the_type(body: bytes) -> None:
    with pytest.raises(InvalidInput) as refusal:
        decode(body, Row)
    assert 0 < len(refusal.value.detail) < 400


def test_never_crashes_on_deep_nesting() -> None:
    for body in (b'{"values":' + b"[" * 100_000 + b"]" * 100_000 + b"}", b'{"a":' * 100_000 + b"1" + b"}" * 100_000):
        with pytest.raises((InvalidInput, MalformedJSON)):
            decode(body, Row)


@pytest.mark.parametrize(
    ("body", "status", "slug"), [("{", 400, "malformed-json"), ('{"numbers":[NaN]}', 422, "invalid-input")]
)
def test_is_answered_as_a_problem(client: Callable[..., TestClient], body: str, status: int, slug: str) -> None:
    refusal = client().post("/sum", content=body, headers={"Content-Type": "application/json"})
    assert (refusal.status_code, refusal.headers["content-type"]) == (status, "application/problem+json")
    assert refusal.json()["type"] == f"urn:lineside:problem:{slug}"
