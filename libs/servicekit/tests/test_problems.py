import msgspec
from servicekit.problems import InvalidInput, Problem, quote


def test_quotes_client_text_escaped_and_cut() -> None:
    assert quote("a\nb\u202e") == r"'a\nb\u202e'"
    assert len(quote("x" * 100_000)) == 65


def test_repeats_the_detail_as_error_for_older_clients() -> None:
    assert InvalidInput("too long").document("id") == {
        "type": "urn:lineside:problem:invalid-input",
        "title": "The input is not valid",
        "status": 422,
        "detail": "too long",
        "error": "too long",
        "request_id": "id",
    }


def test_carries_members_of_its_own_that_cannot_replace_the_standard_ones() -> None:
    document = InvalidInput("no", row=7, status="fine").document(None)
    assert (document["row"], document["status"]) == (7, 422)


def test_is_never_larger_than_16_kib() -> None:
    problem = InvalidInput("ä" * 100_000, everything=["x" * 1000] * 1000)
    assert len(problem.encode("id")) < 16_384
    assert "everything" not in msgspec.json.decode(problem.encode("id"))


def test_can_be_sent_whatever_the_text() -> None:
    assert msgspec.json.decode(InvalidInput("half a pair: \ud800").encode("id"))["detail"] == "half a pair: ?"


def test_has_one_class_for_each_slug() -> None:
    slugs = [problem.slug for problem in Problem.__subclasses__() if problem.__module__ == "servicekit.problems"]
    assert len(slugs) == len(set(slugs))


def test_carries_the_members_that_the_service_gives_to_all() -> None:
    for problem in (InvalidInput("no"), InvalidInput("no", everything=["x" * 1000] * 1000)):
        document = msgspec.json.decode(problem.encode("id", {"success": False, "status": "fine"}))
        assert (document["success"], document["status"]) == (False, 422)
