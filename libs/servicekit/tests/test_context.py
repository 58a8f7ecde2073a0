from servicekit.context import KEY, RequestContext, of


def test_is_found_in_the_scope_that_it_was_put_into() -> None:
    request = RequestContext({b"a": b"1"}, "id")
    assert of({KEY: request}) is request


def test_knows_nothing_of_a_client_before_one_is_recognised() -> None:
    request = RequestContext({}, "id")
    assert (request.client, request.scopes, request.status, request.route) == ("anonymous", frozenset(), 0, None)
