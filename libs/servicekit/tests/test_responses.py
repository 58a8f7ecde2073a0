from servicekit.problems import Overloaded
from servicekit.responses import json_response, problem_response


def test_encodes_json_with_status_and_headers() -> None:
    response = json_response({"total": 1.5}, 201, {"Location": "/items/1"})
    assert (response.status_code, response.body) == (201, b'{"total":1.5}')
    assert (response.headers["content-type"], response.headers["location"]) == ("application/json", "/items/1")


def test_encodes_a_problem_with_its_own_headers() -> None:
    response = problem_response(Overloaded("full", headers={"Retry-After": "3"}), "id")
    assert (response.status_code, response.headers["retry-after"]) == (503, "3")
    assert response.headers["content-type"] == "application/problem+json"
