import hashlib
import json

from digit.settings import Settings
from starlette.testclient import TestClient


def test_lists_the_models_as_their_files_are(client: TestClient) -> None:
    weights = Settings().weights
    recorded = json.loads((weights / "weights.json").read_text())
    listed = client.get("/models").json()
    assert listed["next_cursor"] is None
    items = {item["name"]: item for item in listed["items"]}
    assert {"cnn_transformer", "cnn", "ensemble"} <= set(items)
    for name in ("cnn_transformer", "cnn"):
        file = (weights / f"{name}.onnx").read_bytes()
        assert items[name]["sha256"] == hashlib.sha256(file).hexdigest()
        assert items[name]["size_bytes"] == len(file)
        assert items[name]["accuracy"] == recorded[f"{name}.onnx"]["accuracy"]
        assert items[name]["input"] == "28x28 grey"
    assert items["ensemble"]["size_bytes"] == items["cnn"]["size_bytes"] + items["cnn_transformer"]["size_bytes"]


def test_one_of_them_is_the_default(client: TestClient) -> None:
    defaults = [item["name"] for item in client.get("/models").json()["items"] if item["default"]]
    assert defaults == [Settings().model]
