"""The token, out of a setting or a file, is shown by nothing."""

import os
from pathlib import Path

import pytest
from cars.backends.hub_fate import RemoteError
from cars.backends.hub_token import Token
from cars.problems import BackendMisconfigured

SECRET = "hf_ThisIsNoRealToken"


def test_a_token_of_a_setting_is_taken_without_its_white_space() -> None:
    assert Token(f" {SECRET}\n", None).current() == SECRET


def test_none_is_none() -> None:
    token = Token("", None)
    assert not token
    assert token.current() == ""


@pytest.mark.parametrize("value", ["two words", "new\nline", "ümlaut", "nul\0", "x" * 1001])
def test_refuses_what_a_header_cannot_carry_without_showing_it(value: str, tmp_path: Path) -> None:
    with pytest.raises(ValueError, match=r"HF_API_TOKEN \(not shown here\): expected one line") as refused:
        Token(value, None)
    file = tmp_path / "token"
    file.write_text(value, encoding="utf-8")
    with pytest.raises(ValueError, match=r"CARS_HF_TOKEN_FILE=.*: expected one line") as refused_file:
        Token("", file)
    assert value not in str(refused.value) + str(refused_file.value)


def test_a_file_is_read_again_when_it_changes(tmp_path: Path) -> None:
    file = tmp_path / "token"
    file.write_text(f"{SECRET}\n")
    token = Token("", file)
    assert token.current() == SECRET
    other = tmp_path / "other"
    other.write_text("hf_Another")
    other.replace(file)
    assert token.current() == "hf_Another"


def test_a_file_that_does_not_change_is_read_once(tmp_path: Path) -> None:
    file = tmp_path / "token"
    file.write_text(SECRET)
    token = Token("", file)
    before = file.stat()
    with file.open("r+") as writing:  # the same size, inode and time: nothing says that it changed
        writing.write(SECRET[::-1])
    os.utime(file, ns=(before.st_atime_ns, before.st_mtime_ns))
    assert token.current() == SECRET


@pytest.mark.parametrize("content", [None, b"", b"two words", b"\xff\xfe"])
def test_a_file_that_can_no_longer_be_used_is_a_failure_that_does_not_pass(
    tmp_path: Path, content: bytes | None
) -> None:
    file = tmp_path / "token"
    file.write_text(SECRET)
    token = Token("", file)
    file.unlink()
    if content is not None:
        file.write_bytes(content)
    with pytest.raises(RemoteError, match="CARS_HF_TOKEN_FILE") as raised:
        token.current()
    assert raised.value.problem is BackendMisconfigured
    assert not raised.value.passes


def test_refuses_a_file_that_is_missing(tmp_path: Path) -> None:
    with pytest.raises(ValueError, match="No such file"):
        Token("", tmp_path / "none")


def test_refuses_to_guess_between_two() -> None:
    with pytest.raises(ValueError, match="both set"):
        Token(SECRET, Path("token"))


def test_it_is_hidden_in_what_repeats_it() -> None:
    assert Token(SECRET, None).hide(f"a {SECRET} b{SECRET}".encode()) == b"a [hidden] b[hidden]"
    assert Token("", None).hide(b"nothing") == b"nothing"


def test_its_repr_does_not_show_it() -> None:
    assert SECRET not in repr(Token(SECRET, None))
    assert repr(Token("", None)) == "Token(none)"
