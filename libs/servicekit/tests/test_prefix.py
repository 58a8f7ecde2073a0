from hypothesis import given
from hypothesis import strategies as st
from servicekit.prefix import enter, route_path
from starlette._utils import get_route_path  # the router's own idea, which ours must not contradict


def test_gives_the_bare_prefix_the_path_of_its_root() -> None:
    scope = {"path": "/toy"}
    assert enter(scope, "/toy") == "/"
    assert scope == {"path": "/toy/", "root_path": "/toy"}


def test_leaves_what_only_begins_like_the_prefix_alone() -> None:
    assert route_path({"path": "/toys"}, "/toy") == "/toys"
    assert route_path({"path": "/toy/items"}, "") == "/toy/items"


@given(st.lists(st.sampled_from(["/toy", "/", "toy", "items", ".", ".."]), max_size=6).map("".join).map("/".__add__))
def test_sees_the_path_that_the_router_sees(path: str) -> None:
    scope = {"path": path}
    assert enter(scope, "/toy") == get_route_path(scope)
