import csv
import io
import zipfile
from collections.abc import Callable
from contextlib import AbstractContextManager
from typing import Any

import pytest
from cars.reports.columns import NAMES
from painted import BLUE, GREY, RED, Running, picture
from servicekit.database.problems import StorageUnavailable

Refusal = Callable[[Any], tuple[int, str, str]]
Run = Callable[..., AbstractContextManager[Running]]
HOSTILE = '<img src=x onerror="alert(1)">=cmd.png'


@pytest.fixture
def filled(service: Running) -> Running:
    """A red car and a blue one, a picture without any, and one that nobody has looked at."""
    for number, colour in enumerate((RED, BLUE, GREY)):
        image_id = service.stored(picture(colour, (64, 48 + number)), f"car-{number}.png")
        assert service.client.post(f"/inference/{image_id}").status_code == 200
    service.stored(picture(RED, (80, 80)), HOSTILE)
    return service


def rows(answer: Any) -> list[dict[str, str]]:
    assert answer.status_code == 200, answer.text
    return list(csv.DictReader(io.StringIO(answer.content.decode(), newline="")))


def test_statistics_count_files_and_predictions(filled: Running) -> None:
    stats = filled.client.get("/visualization/stats").json()
    assert (stats["files"], stats["predictions"], stats["corrections"]) == (4, 2, 0)
    assert stats["by_status"] == {"pending": 1, "processing": 0, "recognized": 2, "unrecognized": 1, "failed": 0}
    assert stats["by_make"] == {"Ferrari": 1, "Tesla": 1}
    assert {"make": "Tesla", "model": "Model S", "count": 1} in stats["by_model"]
    assert stats["by_confidence"] == [0, 0, 0, 0, 0, 0, 0, 0, 1, 1]
    assert stats["by_reason"] == {"no_car": 1}
    assert stats["by_backend"] == {"local": 3}
    assert list(stats["by_day"].values()) == [4]


def test_statistics_of_an_empty_archive_are_noughts(service: Running) -> None:
    stats = service.client.get("/visualization/stats").json()
    assert (stats["files"], stats["by_make"], stats["by_day"]) == (0, {}, {})
    assert stats["by_confidence"] == [0] * 10


def test_the_csv_has_a_header_and_a_row_for_each_file_newest_first(filled: Running) -> None:
    answer = filled.client.get("/visualization/export/csv")
    found = rows(answer)
    assert list(found[0]) == list(NAMES)
    assert [row["id"] for row in found] == ["4", "3", "2", "1"]
    assert answer.headers["content-type"] == "text/csv; charset=utf-8; header=present"
    assert answer.headers["content-disposition"] == 'attachment; filename="cars.csv"'
    red = found[-1]
    assert (red["label"], red["confidence"], red["make"], red["year"]) == (
        "Ferrari FF Coupe 2012",
        "0.9",
        "Ferrari",
        "2012",
    )
    assert (red["recognized"], found[1]["recognized"], found[0]["recognized"]) == ("true", "false", "")
    assert found[1]["reason"] == "no_car"


def test_the_csv_takes_the_lists_filters(filled: Running) -> None:
    assert [row["make"] for row in rows(filled.client.get("/visualization/export/csv?make=Tesla"))] == ["Tesla"]
    assert rows(filled.client.get("/visualization/export/csv?status=failed")) == []


def test_a_mark_for_excel_is_written_on_request_alone(service: Running) -> None:
    assert service.client.get("/visualization/export/csv").content.startswith(b"id,")
    assert service.client.get("/visualization/export/csv?bom=true").content.startswith(b"\xef\xbb\xbfid,")


@pytest.mark.parametrize("name", ["=cmd|'calc'!A1.png", "+1.png", "-1.png", "@SUM(1).png"])
def test_a_name_is_no_formula_in_the_csv(service: Running, name: str) -> None:
    service.stored(picture(), name)
    (row,) = rows(service.client.get("/visualization/export/csv"))
    assert row["filename"].startswith("'")


def test_the_workbook_has_text_and_no_formula(filled: Running) -> None:
    filled.stored(picture(BLUE, (90, 90)), "=1+1.png")
    answer = filled.client.get("/visualization/export/xlsx")
    assert answer.headers["content-disposition"] == 'attachment; filename="cars.xlsx"'
    assert answer.headers["content-length"] == str(len(answer.content))
    with zipfile.ZipFile(io.BytesIO(answer.content)) as book:
        sheet = book.read("xl/worksheets/sheet1.xml").decode()
    assert "=1+1.png" in sheet
    assert "<f>" not in sheet
    assert sheet.count("<row ") == 6


def test_the_report_shows_the_pictures_and_escapes_what_clients_wrote(filled: Running) -> None:
    answer = filled.client.get("/visualization/report")
    assert answer.headers["content-type"] == "text/html; charset=utf-8"
    page = answer.text
    assert page.startswith("<!doctype html>")
    assert page.endswith("</html>\n")
    assert page.count('src="data:image/jpeg;base64,') == 4
    assert "<img src=x" not in page
    assert "&lt;img src=x onerror=&quot;alert(1)&quot;&gt;=cmd.png" in page
    assert "Ferrari FF Coupe 2012" in page


def test_the_report_may_run_nothing_and_load_nothing(filled: Running) -> None:
    answer = filled.client.get("/visualization/report")
    (policy,) = answer.headers.get_list("content-security-policy")
    allowed = dict(part.split(" ", 1) for part in policy.split("; ") if " " in part)
    assert (allowed["default-src"], allowed["img-src"]) == ("'none'", "data:")
    assert allowed["style-src"].startswith("'sha256-")
    assert "sandbox" in policy.split("; ")
    assert "script" not in policy
    for word in ("<script", "http://", "https://", "<a ", "<link", "style=", "url("):
        assert word not in answer.text


def test_the_report_is_made_though_a_picture_cannot_be_had(filled: Running, monkeypatch: pytest.MonkeyPatch) -> None:
    async def gone(_record: Any) -> bytes:
        raise StorageUnavailable("away")

    services = filled.client.app.state.services  # type: ignore[attr-defined] # of ASGI's bare callable
    monkeypatch.setattr(services.keeper, "thumbnail", gone)
    page = filled.client.get("/visualization/report").text
    assert page.count("no picture") == 4
    assert page.endswith("</html>\n")


@pytest.mark.parametrize("path", ["stats", "export/csv", "export/xlsx", "report"])
def test_unknown_parameters_are_refused_by_name(service: Running, refusal: Refusal, path: str) -> None:
    status, slug, detail = refusal(service.client.get(f"/visualization/{path}?colour=red"))
    assert (status, slug) == (422, "invalid-input")
    assert "'colour'" in detail


@pytest.mark.parametrize("path", ["stats", "export/csv", "export/xlsx", "report"])
def test_a_database_that_is_away_is_a_problem_and_not_half_an_answer(
    service: Running, refusal: Refusal, path: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def away(*_: Any, **__: Any) -> None:
        raise StorageUnavailable("the database does not answer", headers={"Retry-After": "1"})

    services = service.client.app.state.services  # type: ignore[attr-defined] # of ASGI's bare callable
    monkeypatch.setattr(services.store, "read", away)
    answer = service.client.get(f"/visualization/{path}")
    assert refusal(answer)[:2] == (503, "storage-unavailable")
    assert answer.headers["retry-after"] == "1"


@pytest.mark.parametrize("path", ["stats", "export/csv", "export/xlsx", "report"])
def test_calls_are_answered_with_a_slash_and_below_the_prefix(service: Running, path: str) -> None:
    assert service.client.get(f"/cars/visualization/{path}/").status_code == 200
