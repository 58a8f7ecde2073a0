from msgspec.structs import replace
from ocr.jobs.answer import iso, view
from ocr.jobs.record import File, Order, Record
from ocr.options import Options

RECORD = Record("a" * 32, "anonymous", Order(Options()), File("a.pdf", "pdf", 9, "0" * 64), 1_700_000_000_000)


def test_times_are_shown_in_utc() -> None:
    assert iso(1_700_000_000_123) == "2023-11-14T22:13:20.123Z"
    assert iso(None) is None


def test_a_job_that_waits_has_neither_total_nor_result_nor_end() -> None:
    job = view(RECORD, "/ocr/jobs/a", 60)
    assert (job.pages_total, job.result, job.started_at, job.finished_at, job.expires_at) == (None,) * 5
    assert job.created_at == "2023-11-14T22:13:20.000Z"


def test_only_a_job_that_has_succeeded_has_a_result() -> None:
    ended = replace(RECORD, numbers=(1, 2), pages_done=2, ended_ms=1_700_000_001_000)
    succeeded = view(replace(ended, status="succeeded"), "/ocr/jobs/a", 60)
    assert (succeeded.result, succeeded.pages_total) == ("/ocr/jobs/a/result?format=json", 2)
    assert succeeded.expires_at == "2023-11-14T22:14:21.000Z"
    assert view(replace(ended, status="failed", error={"status": 422}), "/ocr/jobs/a", 60).result is None
