"""The service's parts behind a request, as far as routes know them."""

from typing import Protocol

from fastapi import Request

from cars.archive import Archive
from cars.batches import Batches
from cars.keeper import Keeper
from cars.recogniser import Recogniser
from cars.runner import Runner
from cars.settings import Settings


class Parts(Protocol):
    """What `services.Services` has for them."""

    settings: Settings
    archive: Archive
    keeper: Keeper
    recogniser: Recogniser
    runner: Runner
    batches: Batches


def services_of(request: Request) -> Parts:
    services: Parts = request.app.state.services
    return services
