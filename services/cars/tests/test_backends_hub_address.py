"""Where the remote model is asked."""

import pytest
from cars.backends.hub_address import address

MODEL = "kim/vit-cars"
ROUTER = "https://router.huggingface.co/hf-inference"


@pytest.mark.parametrize(
    ("endpoint", "url", "needs_token"),
    [
        (None, f"{ROUTER}/models/kim/vit-cars", True),
        ("https://router.huggingface.co/hf-inference", f"{ROUTER}/models/{MODEL}", True),
        ("https://huggingface.co/models", f"https://huggingface.co/models/{MODEL}", True),
        ("https://hub.example/models/", f"https://hub.example/models/{MODEL}", False),
        ("https://hub.example/{model}/classify?k=5", f"https://hub.example/{MODEL}/classify?k=5", False),
        ("https://abc.endpoints.huggingface.cloud", "https://abc.endpoints.huggingface.cloud", False),
        ("https://nothuggingface.co/x", "https://nothuggingface.co/x", False),
        ("http://127.0.0.1:8080/classify", "http://127.0.0.1:8080/classify", False),
        ("http://localhost:8080/models", f"http://localhost:8080/models/{MODEL}", False),
        ("http://[::1]:8080/x", "http://[::1]:8080/x", False),
    ],
)  # fmt: skip
def test_a_base_is_completed_and_any_other_address_asked_as_it_is(
    endpoint: str | None, url: str, needs_token: bool
) -> None:
    found = address(endpoint, MODEL)
    assert found.url == url
    assert found.needs_token is needs_token


def test_only_the_origin_is_told() -> None:
    assert address("https://hub.example:8443/secret-path?key=hidden", MODEL).origin == "https://hub.example:8443"


@pytest.mark.parametrize(
    "endpoint",
    ["hub", "hub.example/models", "http://hub.example/models", "http://10.0.0.1/models", "ftp://localhost/x", "https://",
     "https:///models", "https://kim:hidden@hub.example/", "https://hub.example/#hidden", "https://hub.example/ hidden",
     "https://hub.example/\nhidden", "https://hüb.example/", "https://hub.example:99999/", "https://[::1/hidden",
     "file:///etc/hidden", "https://hub.example/" + "x" * 3000, "http://localhost.hub.example/"],
)  # fmt: skip
def test_refuses_what_the_token_must_not_be_sent_to_without_repeating_it(endpoint: str) -> None:
    with pytest.raises(ValueError, match="CARS_HF_ENDPOINT") as refused:
        address(endpoint, MODEL)
    assert "hidden" not in str(refused.value)
