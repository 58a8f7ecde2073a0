"""A file as the archive has it after its recognition, for the tests of reports."""

from datetime import UTC, datetime

from cars.archive import FileRecord
from cars.recognition import Candidate, Share

NOW = datetime(2026, 3, 14, 9, 26, tzinfo=UTC)
FILE = FileRecord(
    id=1,
    filename="car.jpg",
    sha256="1" * 64,
    key="key",
    size_bytes=1000,
    width=640,
    height=480,
    content_type="image/jpeg",
    uploaded_at=NOW,
    status="recognized",
    error=None,
    recognized_at=NOW,
    recognized=True,
    reason=None,
    backend="local",
    model_name="lineside-cars",
    model_version="1",
    region=None,
    make=Share("Tesla", 0.95),
    model=None,
    body=None,
    year=None,
    predictions=(Candidate("Tesla Model S Sedan 2012", "Tesla", "Model S", "Sedan", 2012, 0.9),),
    correction=None,
)
