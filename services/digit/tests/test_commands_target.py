from pathlib import Path

import pytest
from digit.commands.target import BOUNDARY, form, target_of


def test_the_call_is_below_the_address() -> None:
    target = target_of("http://127.0.0.1:8080/digit/", None, None)
    assert (target.secure, target.host, target.port, target.path) == (False, "127.0.0.1", 8080, "/digit/predict")
    assert target.url == "http://127.0.0.1:8080/digit/predict"
    assert "X-API-Key" not in target.headers


def test_the_scheme_chooses_port_and_encryption() -> None:
    target = target_of("https://factory.example", "cnn", None)
    assert (target.secure, target.port, target.path) == (True, None, "/predict?model=cnn")


def test_a_key_is_sent(tmp_path: Path) -> None:
    file = tmp_path / "key.txt"
    file.write_text("secret\n")
    assert target_of("http://x", None, "secret").headers["X-API-Key"] == "secret"
    assert target_of("http://x", None, f"@{file}").headers["X-API-Key"] == "secret"


@pytest.mark.parametrize("url", ["127.0.0.1:8080", "ftp://x", "http://", "http://x/?a=1", "http://x/#a", "http://x:y/"])
def test_what_is_no_address_of_a_service_is_refused(url: str) -> None:
    with pytest.raises(ValueError, match=r"--url is|Port"):
        target_of(url, None, None)


def test_a_key_with_a_line_in_it_is_refused_and_not_shown() -> None:
    with pytest.raises(ValueError, match="the API key has characters that no key has") as refused:
        target_of("http://x", None, "sec\nret")
    assert "ret" not in str(refused.value)


def test_a_form_holds_the_file_under_its_name() -> None:
    body = form('odd"näme.png', b"\x89PNG")
    head, _, rest = body.partition(b"\r\n\r\n")
    assert head.decode().splitlines() == [
        f"--{BOUNDARY}",
        'Content-Disposition: form-data; name="file"; filename="odd%22näme.png"',
        "Content-Type: image/png",
    ]
    assert rest == f"\x89PNG\r\n--{BOUNDARY}--\r\n".encode("latin-1")
    assert b"Content-Type: image/jpeg" in form("a.JPG", b"")


def test_nobody_at_the_address_is_said_with_the_address() -> None:
    target = target_of("http://127.0.0.1:1/digit", None, None)
    with pytest.raises(ConnectionError, match=r"http://127\.0\.0\.1:1/digit/predict: Connection refused"):
        target.connect(1)
