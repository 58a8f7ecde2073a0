import hashlib
from collections.abc import Callable
from typing import Any

import pytest
from servicekit import auth
from starlette.testclient import TestClient

Client = Callable[..., TestClient]

READ, READ_LINE = auth.generate("mes", "read")
ADMIN, ADMIN_LINE = auth.generate("line-4.admin", "admin")


@pytest.fixture
def toy(client: Client) -> TestClient:
    return client(api_keys=[READ_LINE, ADMIN_LINE])


@pytest.mark.parametrize(
    "headers",
    [
        {"Authorization": f"Bearer {READ}"},
        {"Authorization": f"bearer  {READ} "},
        {"X-API-Key": READ},
        {"Authorization": "Basic bWVzOm1lcw==", "X-API-Key": READ},
    ],
)
def test_knows_a_client_by_its_key(toy: TestClient, headers: dict[str, str]) -> None:
    assert toy.get("/items/7", headers=headers).json() == {"number": 7, "client": "mes"}


@pytest.mark.parametrize(
    ("headers", "reason"),
    [
        ({}, "needs an API key"),
        ({"X-API-Key": ""}, "needs an API key"),
        ({"Authorization": READ}, "needs an API key"),
        ({"Authorization": "Basic bWVzOm1lcw=="}, "needs an API key"),
        ({"X-API-Key": READ.lower()}, "not known"),
        ({"X-API-Key": READ_LINE.rpartition(":")[2]}, "not known"),
        ({"Authorization": b"Bearer \xff\xfe"}, "not known"),
    ],
)
def test_refuses_without_a_known_key_and_says_how_to_send_one(
    toy: TestClient, headers: dict[str, Any], reason: str
) -> None:
    refusal = toy.get("/items/7", headers=headers)
    assert (refusal.status_code, refusal.headers["content-type"]) == (401, "application/problem+json")
    assert refusal.headers["www-authenticate"] == 'Bearer realm="lineside"'
    assert refusal.json()["type"] == "urn:lineside:problem:unauthenticated"
    assert reason in refusal.json()["detail"]
    assert READ not in refusal.text


def test_refuses_changes_to_a_key_that_may_only_read(toy: TestClient) -> None:
    refusal = toy.put("/items/7", headers={"X-API-Key": READ})
    assert (refusal.status_code, refusal.headers["content-type"]) == (403, "application/problem+json")
    assert refusal.json()["type"] == "urn:lineside:problem:forbidden"
    assert refusal.json()["detail"] == "this call needs a key with the scope admin, mes has read"


def test_lets_an_admin_read_and_change(toy: TestClient) -> None:
    headers = {"X-API-Key": ADMIN}
    assert toy.get("/items/7", headers=headers).json()["client"] == "line-4.admin"
    assert toy.put("/items/7", headers=headers).status_code == 200


def test_asks_before_it_tells_what_exists(toy: TestClient) -> None:
    assert toy.get("/nothing").status_code == toy.delete("/items/7").status_code == 401


def test_shows_pages_and_health_to_a_client_whose_key_is_wrong(toy: TestClient) -> None:
    for path in ("/", "/health", "/toy/docs", "/toy/static/page.js"):
        assert toy.get(path, headers={"X-API-Key": "old"}).status_code == 200


def test_lets_everybody_do_everything_without_keys(client: Client) -> None:
    assert client().get("/items/7").json()["client"] == "anonymous"
    assert client().put("/items/7").status_code == 200


@pytest.mark.parametrize("headers", [{"Origin": "https://evil.example"}, {}])
def test_refuses_changes_that_another_web_site_makes_a_browser_ask_for(client: Client, headers: dict[str, str]) -> None:
    toy = client(cors_origins=["https://mes.example"])
    refusal = toy.put("/items/7", headers={"Sec-Fetch-Site": "cross-site", **headers})
    assert (refusal.status_code, refusal.headers["content-type"]) == (403, "application/problem+json")
    assert refusal.json()["type"] == "urn:lineside:problem:foreign-site"
    assert toy.get("/items/7", headers={"Sec-Fetch-Site": "cross-site", **headers}).status_code == 200


def test_lets_allowed_origins_and_its_own_page_change_things(client: Client) -> None:
    toy = client(cors_origins=["https://mes.example"])
    for headers in (
        {"Sec-Fetch-Site": "cross-site", "Origin": "https://mes.example"},
        {"Sec-Fetch-Site": "same-origin", "Origin": "http://testserver"},
    ):
        assert toy.put("/items/7", headers=headers).status_code == 200


def test_keeps_only_the_digest_of_a_new_key() -> None:
    secret, line = auth.generate("mes", "read")
    assert len(secret) >= 43
    assert line == f"mes:read:{hashlib.sha256(secret.encode()).hexdigest()}"
    assert secret not in line


@pytest.mark.parametrize(
    "line",
    ["", "secret", "mes:write:" + "0" * 64, "mes:read:" + "0" * 63, "m e s:read:" + "0" * 64, "mes:read:hunter2"],
)
def test_refuses_a_malformed_line_without_repeating_it(line: str) -> None:
    with pytest.raises(ValueError, match="expected name:scope:sha256") as refusal:
        auth.parse(line)
    assert "hunter2" not in str(refusal.value)
