"""The digit service's peers: the seeds' stacks, FastAPI with PyTorch and FastAPI with Keras, on the same networks.

Each reads a picture as its seed does: grey, resized to 28 × 28, scaled. The networks are this repository's own, with
weights as they are before training: their time is the same. One thread each, as our service takes for one picture.
A peer may need a Python of its own; it wants fastapi, python-multipart, pillow, uvicorn, httptools and uvloop beside
torch or keras with tensorflow.
"""

import contextlib
import importlib.util
import io
import os
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from bench import servers

TRAINING = Path(__file__).parents[1] / "services" / "digit"
SERVER = ("-m", "uvicorn", "--factory", "--http", "httptools", "--loop", "uvloop", "--port", "{port}")


def pythons(torch_python: str | None, keras_python: str | None) -> dict[str, str]:
    """Returns the interpreter of each peer that can be run: the named one, or this one where it has what is needed."""
    named = {"torch": torch_python, "keras": keras_python}
    found = {name: path or (sys.executable if importlib.util.find_spec(name) else "") for name, path in named.items()}
    return {name: path for name, path in found.items() if path}


@contextlib.contextmanager
def start(name: str, python: str) -> Iterator[servers.Server]:
    """Runs the peer `torch` or `keras` until the block ends."""
    path = os.pathsep.join([str(TRAINING), str(TRAINING.parents[1])])
    environment = {"PYTHONPATH": path, "TF_CPP_MIN_LOG_LEVEL": "2", "CUDA_VISIBLE_DEVICES": ""}
    arguments = (*SERVER, f"bench.peers_digit:{name}_stack")
    with servers.start(*arguments, ready="/", environment=environment, python=python) as server:
        yield server


def torch_stack() -> Any:
    """FastAPI and torch in eager mode."""
    import numpy as np
    import torch
    from train.torch_model import CnnTransformer

    torch.set_num_threads(1)
    model = CnnTransformer().eval()

    def predict(data: bytes) -> int:
        pixels = torch.from_numpy(np.asarray(_resized(data), np.float32) / 255).reshape(1, 1, 28, 28)
        with torch.no_grad():
            logits, _ = model(pixels)
        return int(logits.argmax(dim=1).item())

    return _app(predict)


def keras_stack() -> Any:
    """FastAPI and `keras.Model.predict`."""
    import numpy as np
    import tensorflow as tf
    from train.keras_model import build

    tf.config.threading.set_intra_op_parallelism_threads(1)
    tf.config.threading.set_inter_op_parallelism_threads(1)
    model = build()

    def predict(data: bytes) -> int:
        pixels = np.asarray(_resized(data), np.float32).reshape(1, 28, 28, 1) / 255
        logits, _ = model.predict(pixels, verbose=0)
        return int(logits.argmax(axis=1)[0])

    return _app(predict)


def _resized(data: bytes) -> Any:
    from PIL import Image

    return Image.open(io.BytesIO(data)).convert("L").resize((28, 28))


def _app(predict: Any) -> Any:
    from fastapi import FastAPI, UploadFile

    app = FastAPI()

    @app.get("/")
    async def ready() -> dict[str, str]:
        return {"status": "ready"}

    @app.post("/predict")
    async def answer(file: UploadFile) -> dict[str, int]:
        return {"prediction": predict(await file.read())}

    return app
