from collections.abc import Callable

from digit.app import create_app
from digit.settings import Settings
from starlette.testclient import TestClient


def value(client: TestClient, sample: str) -> float:
    return float(client.get("/metrics").text.partition(f"\n{sample} ")[2].partition("\n")[0] or 0)


def test_pictures_are_counted_by_model_and_route(png: Callable[..., bytes], zipped: Callable[..., bytes]) -> None:
    with TestClient(create_app(Settings())) as client:
        for _ in range(2):
            client.post("/predict?model=cnn", files={"file": ("a.png", png(1))})
        archive = zipped(*((f"{i}.png", png(i)) for i in range(5)))
        client.post("/predict_batch?model=ensemble", files={"files": ("a.zip", archive)})
        client.post("/predict", files={"file": ("a.png", b"text")})
        assert value(client, 'digit_images_total{model="cnn",route="/predict"}') == 2
        assert value(client, 'digit_images_total{model="ensemble",route="/predict_batch"}') == 5
        assert value(client, 'digit_refused_total{reason="not-an-image"}') == 1
        assert value(client, "digit_queue_length") == 0
        assert (
            value(client, "digit_inference_seconds_count") == 3 + 3
        )  # two alone, one chunk; one for each at the start


def test_what_is_no_digit_is_counted(png: Callable[..., bytes]) -> None:
    with TestClient(create_app(Settings())) as client:
        reader = client.app.state.services.reader  # type: ignore[attr-defined]
        reader.counts.read("cnn", "/predict", is_digit=False)
        reader.counts.read("cnn", "/predict", is_digit=True)
        assert value(client, 'digit_not_digits_total{model="cnn"}') == 1
        assert value(client, 'digit_images_total{model="cnn",route="/predict"}') == 2
