"""The one table of the services and their prefixes."""

import importlib
import importlib.util
from dataclasses import dataclass
from typing import Any

from servicekit.app import Service
from servicekit.settings import ServiceSettings, load


@dataclass(frozen=True)
class Route:
    """`name` is the service's package, `prefix` where the gateway serves it, `example` a command that shows it.

    `answer_s` is how long its slowest call may think before a proxy gives up.
    """

    name: str
    title: str
    summary: str
    example: str
    answer_s: int = 60

    @property
    def prefix(self) -> str:
        return f"/{self.name}"

    def create(self, **overrides: Any) -> Service:
        """Returns the service's application; its package is imported only here. Raises ValueError where it is not."""
        if not importlib.util.find_spec(self.name):
            raise ValueError(f"the package {self.name} is not installed: only `front` and `routes` work without it")
        settings_class: type[ServiceSettings] = importlib.import_module(f"{self.name}.settings").Settings
        settings = load(settings_class, path_prefix=self.prefix, **overrides)
        service: Service = importlib.import_module(f"{self.name}.app").create_app(settings)
        return service


ROUTES = (
    Route(
        name="digit",
        title="Handwritten digits",
        summary="Reads handwritten digits in whatever pictures people send.",
        example="curl -F file=@seven.png {base}digit/predict",
    ),
    Route(
        name="ocr",
        title="Text recognition",
        summary="Reads text in images and PDFs, on a CPU or an AMD GPU.",
        example="curl -F file=@page.png {base}ocr/upload",
        answer_s=600,  # a scanned document of 200 pages in one call
    ),
    Route(
        name="cars",
        title="Cars",
        summary="Names make, model and year of cars in photographs, and keeps them.",
        example="curl -F file=@car.jpg {base}cars/recognize",
        answer_s=300,  # a batch of pictures in one call
    ),
    Route(
        name="anomaly",
        title="Anomaly detection",
        summary="Scores sensor vectors and says which reading is not normal.",
        example="""curl -H 'Content-Type: application/json' -d '{"values":[1.2,0.9,1.1]}' {base}anomaly""",
    ),
)
