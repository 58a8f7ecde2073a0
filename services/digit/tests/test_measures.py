from collections.abc import Callable

from digit.app import create_app
from digit.settings import Settings
from starlette.testclient import TestClient


def told(text: str, sample: str) -> float:
    return float(text.partition(f"\n{sample} ")[2].partition("\n")[0] or 0)


def value(client: TestClient, sample: str) -> float:
    return told(client.get("/metrics").text, sample)


def test_pictures_are_counted_by_model_and_route(png: Callable[..., bytes], zipped: Callable[..., bytes]) -> None:
    with TestClient(create_app(Settings())) as client:
        for _ in range(2):
            client.post("/predict?model=cnn", files={"file": ("a.png", png(1))})
        archive = zipped(*((f"{i}.png", png(i)) for i in range(5)))
        client.post("/predict_batch?model=ensemble", files={"files": ("a.zip", archive)})
        client.post("/predict", files={"file": ("a.png", b"text")})
        text = client.get("/metrics").text
        assert told(text, 'digit_images_total{model="cnn",route="/predict"}') == 2
        assert told(text, 'digit_images_total{model="ensemble",route="/predict_batch"}') == 5
        assert told(text, 'digit_refused_total{reason="not-an-image"}') == 1
        assert told(text, "digit_queue_length") == 0
        assert 'digit_model_info{model="ensemble",provider="CPUExecutionProvider",sha256="' in text
        # two alone, one chunk; one for each model at the start; the scrape's own look whether it is ready
        assert told(text, "digit_inference_seconds_count") == 3 + 3 + 1


def test_what_is_no_digit_is_counted(png: Callable[..., bytes]) -> None:
    with TestClient(create_app(Settings())) as client:
        reader = client.app.state.services.reader  # type: ignore[attr-defined]
        reader.counts.read("cnn", "/predict", is_digit=False)
        reader.counts.read("cnn", "/predict", is_digit=True)
        assert value(client, 'digit_not_digits_total{model="cnn"}') == 1
        assert value(client, 'digit_images_total{model="cnn",route="/predict"}') == 2
