"""The peers: what a constant answer costs, and the seed's stack doing the same work."""

import os
from typing import Any

from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse
from starlette.routing import Route


def constant() -> Starlette:
    """Bare Starlette with one route that answers the same for every request."""

    async def answer(_request: Request) -> JSONResponse:
        return JSONResponse({"score": 0.034, "status": "normal"})

    return Starlette(routes=[Route("/anomaly", answer, methods=["GET", "POST"])])


def seed_stack() -> Any:
    """FastAPI, pydantic and torch: the service as the document that this one descends from has it."""
    import torch
    from fastapi import FastAPI
    from pydantic import BaseModel

    sensors = int(os.environ["BENCH_SENSORS"])
    torch.set_num_threads(1)
    hidden, bottleneck = max(4, 2 * sensors), max(2, sensors // 2)
    model = torch.nn.Sequential(
        torch.nn.Linear(sensors, hidden), torch.nn.ReLU(), torch.nn.Linear(hidden, bottleneck), torch.nn.ReLU(),
        torch.nn.Linear(bottleneck, hidden), torch.nn.ReLU(), torch.nn.Linear(hidden, sensors),
    )  # fmt: skip
    app = FastAPI()

    class Values(BaseModel):
        values: list[float]

    @app.get("/anomaly")
    async def ready() -> dict[str, str]:
        return {"status": "ready"}

    @app.post("/anomaly")
    async def score(body: Values) -> dict[str, Any]:
        with torch.no_grad():
            x = torch.tensor([body.values], dtype=torch.float32)
            error = torch.linalg.vector_norm(x - model(x)).item()
        return {"score": error, "status": "anomaly" if error > 0.5 else "normal"}

    return app
