import pytest
from servicekit import query
from servicekit.problems import InvalidInput

NAMES = ("model", "detail")


def test_parameters_are_read_by_name() -> None:
    assert query.parse({"query_string": b""}, *NAMES) == {}
    assert query.parse({"query_string": b"detail=true&model=c%6En"}, *NAMES) == {"detail": "true", "model": "cnn"}


@pytest.mark.parametrize(
    ("text", "says"),
    [
        (b"modle=cnn", "'modle', this call takes model, detail"),
        (b"model=a&model=b", "'model' is repeated"),
        (b"model=%ff", "cannot be read"),
        (b"model=\xff", "cannot be read"),
        (b"&".join([b"model=a"] * 99), "cannot be read"),
    ],
)
def test_what_the_call_does_not_take_is_refused(text: bytes, says: str) -> None:
    with pytest.raises(InvalidInput) as caught:
        query.parse({"query_string": text}, *NAMES)
    assert says in caught.value.detail


@pytest.mark.parametrize(("text", "expected"), [("true", True), ("1", True), ("false", False), ("0", False)])
def test_a_truth_has_four_forms(text: str, expected: bool) -> None:
    assert query.truth({"detail": text}, "detail") is expected


def test_a_truth_is_false_where_it_is_not_given() -> None:
    assert query.truth({}, "detail") is False


@pytest.mark.parametrize("text", ["", "yes", "True"])
def test_another_truth_is_refused(text: str) -> None:
    with pytest.raises(InvalidInput, match="true or false"):
        query.truth({"detail": text}, "detail")


def test_a_choice_is_one_of_its_words() -> None:
    assert query.choice({}, "on_error", "refuse", "skip") == "refuse"
    assert query.choice({"on_error": "skip"}, "on_error", "refuse", "skip") == "skip"
    with pytest.raises(InvalidInput, match="refuse or skip"):
        query.choice({"on_error": "ignore"}, "on_error", "refuse", "skip")


def test_a_call_without_parameters_says_so() -> None:
    with pytest.raises(InvalidInput, match="this call takes none"):
        query.parse({"query_string": b"model=cnn"})
