import msgspec
from anomaly.storage.reply import Reply


def test_a_value_becomes_json() -> None:
    response = Reply.of({"score": 0.5}, 201, headers={"Location": "/x"}).response()
    assert msgspec.json.decode(response.body) == {"score": 0.5}
    assert response.status_code == 201
    assert response.headers["location"] == "/x"
    assert response.headers["content-type"] == "application/json"


def test_an_empty_reply_declares_no_media_type() -> None:
    response = Reply(204).response()
    assert response.body == b""
    assert "content-type" not in response.headers
