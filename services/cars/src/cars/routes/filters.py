"""Which files a list or a table is of, as parameters of a call."""

from datetime import UTC, datetime
from typing import Annotated

from fastapi import Depends, Query
from servicekit.problems import InvalidInput

from cars import schemas
from cars.archive import Filters
from cars.routes import parameters

Words = Annotated[str | None, Query(max_length=255)]
Share = Annotated[float | None, Query(ge=0, le=1, allow_inf_nan=False)]
PARAMETERS = (
    "status",
    "make",
    "model",
    "q",
    "uploaded_from",
    "uploaded_to",
    "confidence_min",
    "confidence_max",
)


def _chosen(
    status: schemas.Status | None = None,
    make: Annotated[str | None, Query(max_length=255, description="Of the correction, else of the prediction.")] = None,
    model: Words = None,
    q: Annotated[str | None, Query(max_length=255, description="A part of the file's name or of its label.")] = None,
    uploaded_from: Annotated[datetime | None, Query(description="UTC unless it says else.")] = None,
    uploaded_to: Annotated[datetime | None, Query(description="The first moment that is not wanted any more.")] = None,
    confidence_min: Share = None,
    confidence_max: Share = None,
) -> Filters:
    return Filters(
        status=status,
        make=parameters.words("make", make),
        model=parameters.words("model", model),
        q=parameters.words("q", q),
        uploaded_from_ms=_ms(uploaded_from),
        uploaded_to_ms=_ms(uploaded_to),
        confidence_min=confidence_min,
        confidence_max=confidence_max,
    )


Chosen = Annotated[Filters, Depends(_chosen)]


def _ms(moment: datetime | None) -> int | None:
    """Returns epoch milliseconds; raises InvalidInput for a year that clocks do not have."""
    if moment is None:
        return None
    try:
        return int((moment if moment.tzinfo else moment.replace(tzinfo=UTC)).timestamp() * 1000)
    except (OverflowError, ValueError):
        raise InvalidInput(f"the moment {moment.isoformat()} is out of range") from None
