"""Which backend recognises: the one that the settings name, and no other in its place."""

from servicekit.threads import Pool

from cars.backends import Backend
from cars.settings import Settings


def backend(settings: Settings, pool: Pool) -> Backend:
    """Makes the backend, which computes on the pool; raises ValueError for settings that cannot be used."""
    if settings.backend == "huggingface":
        if settings.model_dir:
            raise ValueError("CARS_MODEL_DIR is set: it is for CARS_BACKEND=local, not huggingface")
        from cars.backends.huggingface import HuggingFace  # an HTTP client that the others do not need

        return HuggingFace(settings)
    if settings.model_dir:
        from cars.backends.folder import Folder

        return Folder(pool, settings.model_dir, threshold=settings.threshold)
    from cars.backends.local import Local

    return Local(pool, threshold=settings.threshold)
