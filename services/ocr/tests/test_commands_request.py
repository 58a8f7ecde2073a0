import argparse
from pathlib import Path

import pytest
from ocr.commands import cli, request
from ocr.options import Options
from ocr.settings import Settings


def asked(*options: str) -> request.Request:
    parser = argparse.ArgumentParser()
    cli.add_commands(parser.add_subparsers())
    return request.of(parser.parse_args(["read", "a.png", *options]))


def test_without_options_it_is_what_the_service_does_out_of_the_box() -> None:
    made = asked()
    assert made.options == Options()
    assert (made.mode, made.pages, made.dpi, made.password) == ("auto", None, None, None)
    assert made.workers >= 1


def test_options_are_taken_and_settings_where_there_are_none(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("OCR_BOX_THRESH", "0.25")
    monkeypatch.setenv("OCR_TEXT_SCORE", "0.75")
    made = asked("--no-det", "--no-cls", "--no-rec", "--text-score", "0", "--workers", "3", "--dpi", "300")
    assert made.options == Options(use_det=False, use_cls=False, use_rec=False, text_score=0.0, box_thresh=0.25)
    assert (made.workers, made.dpi) == (3, 300)


def test_the_variables_of_a_server_are_no_hindrance(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("OCR_HOST", "0.0.0.0")
    assert asked().settings.host == "127.0.0.1"


def test_own_files_may_be_as_large_as_those_of_jobs() -> None:
    local = request.local(Settings(jobs_max_file_size=4096, jobs_max_pages=9))
    assert (local.max_file_size, local.pdf_max_pages) == (4096, 9)


def test_a_password_is_the_first_line_of_its_file(tmp_path: Path) -> None:
    path = tmp_path / "password"
    path.write_bytes("  grün \r\nnot this".encode())
    assert asked("--password-file", str(path)).password == "  grün "


def test_a_password_that_is_no_text_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "password"
    path.write_bytes(b"\xff\xfe")
    with pytest.raises(ValueError, match="the password is not UTF-8"):
        asked("--password-file", str(path))


def test_a_bad_setting_is_one_line_and_exit_1(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("OCR_PDF_DPI", "many")
    with pytest.raises(SystemExit) as ended:
        asked()
    assert ended.value.code == 1
    assert capsys.readouterr().err.startswith("lineside: OCR_PDF_DPI='many'")
