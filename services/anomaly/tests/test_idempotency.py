import pytest
from anomaly.problems import IdempotencyKeyInUse, IdempotencyKeyInvalid, IdempotencyKeyReused
from anomaly.storage.idempotency import Idempotency, KeysInUse, recall, remember
from anomaly.storage.reply import Reply
from servicekit.context import RequestContext
from servicekit.database.store import Store
from starlette.requests import Request


def request(*keys: str, method: str = "POST", path: str = "/assets/press", query: str = "", root: str = "") -> Request:
    headers = [(b"idempotency-key", key.encode("latin-1")) for key in keys]
    context = RequestContext(dict(headers), "id")
    context.client = "mes"
    scope = {
        "type": "http",
        "method": method,
        "path": path,
        "root_path": root,
        "query_string": query.encode(),
        "headers": headers,
        "server": ("localhost", 80),
        "scheme": "http",
        "servicekit": context,
    }
    return Request(scope)


def of(*keys: str, body: bytes = b"", **rest: str) -> Idempotency:
    idempotency = Idempotency.of(request(*keys, **rest), body)
    assert idempotency is not None
    return idempotency


def test_the_header_is_optional() -> None:
    assert Idempotency.of(request(), b"") is None


@pytest.mark.parametrize("key", ["a", "a" * 255, '"8e03978e-40d5-43dd-bc93-6894a57f9324"', "!~"])
def test_takes_visible_ascii(key: str) -> None:
    assert of(key).key == key


@pytest.mark.parametrize("keys", [("",), ("a" * 256,), ("a b",), ("ü",), ("a\x7f",), ("\t",), ("a", "b"), ("a", "a")])
def test_refuses_what_is_not_one_line_of_visible_ascii(keys: tuple[str, ...]) -> None:
    with pytest.raises(IdempotencyKeyInvalid):
        Idempotency.of(request(*keys), b"")


def test_the_fingerprint_knows_method_path_query_and_body() -> None:
    prints = {
        of("k").fingerprint,
        of("k", method="PUT").fingerprint,
        of("k", path="/assets/saw").fingerprint,
        of("k", query="detail=true").fingerprint,
        of("k", body=b"{}").fingerprint,
    }
    assert len(prints) == 5


def test_a_request_is_the_same_at_the_gateway_and_directly() -> None:
    assert of("k").fingerprint == of("k", path="/anomaly/assets/press", root="/anomaly").fingerprint


def test_a_key_in_use_is_refused_until_it_is_given_back() -> None:
    keys = KeysInUse()
    keys.take(of("k"))
    with pytest.raises(IdempotencyKeyInUse):
        keys.take(of("k"))
    with pytest.raises(IdempotencyKeyReused):
        keys.take(of("k", body=b"other"))
    keys.give_back(of("k"))
    keys.take(of("k"))


def test_an_answer_is_kept_with_its_headers(store: Store) -> None:
    with store.begin() as connection:
        assert recall(connection, of("k")) is None
        remember(connection, of("k"), Reply(201, b"{}", headers={"Location": "/x"}), 1)
        connection.commit()
    with store.begin() as connection:
        reply = recall(connection, of("k"))
    assert reply == Reply(201, b"{}", headers={"Location": "/x", "Idempotency-Replayed": "true"})


def test_a_key_of_another_request_is_refused(store: Store) -> None:
    with store.begin() as connection:
        remember(connection, of("k"), Reply(200), 1)
        with pytest.raises(IdempotencyKeyReused):
            recall(connection, of("k", body=b"other"))
