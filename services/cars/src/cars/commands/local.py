"""The archive of this machine's settings, opened without a server; a service may work on it meanwhile."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

from servicekit.database.engine import parse_url

from cars.archive import migrate
from cars.services import Services
from cars.settings import Settings


@asynccontextmanager
async def opened(settings: Settings, *, make: bool) -> AsyncIterator[Services]:
    """Gives the parts of the service, with a database and a storage; the backend is not loaded.

    Raises ValueError for settings that cannot be used, and where there is no archive and `make` is false.
    """
    if not make:
        _refuse_missing(settings.database_url)
    services = Services(settings)
    try:
        await asyncio.to_thread(migrate.ensure, settings.database_url)
        services.ledger.start()
        yield services
    except migrate.MigrationError as error:
        raise ValueError(str(error)) from error
    finally:
        await services.runner.close()
        services.ledger.stop()
        await services.recogniser.close()
        services.keeper.close()
        services.store.close()


def _refuse_missing(url: str) -> None:
    """A misspelt path would otherwise become a new, empty archive."""
    parsed = parse_url(url)
    if parsed.get_backend_name() == "sqlite" and not Path(parsed.database or "").exists():
        raise ValueError(f"there is no archive at {parsed.database}: CARS_DATABASE_URL names it")
