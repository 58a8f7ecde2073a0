"""What the gateway says where no service does."""

from collections.abc import Callable

from servicekit import context
from servicekit.problems import BodyTooLarge, NotFound, NotReady, Problem, RateLimited
from starlette.types import Receive, Scope, Send

SOON = {"Retry-After": "1"}
AFTER_THE_NEXT_CHECK = {"Retry-After": "2"}  # a proxy looks every 2 s which service is ready


class BadGateway(Problem):
    slug, title, status = "bad-gateway", "The service does not answer", 502


class GatewayTimeout(Problem):
    slug, title, status = "gateway-timeout", "The service did not answer in time", 504


# A proxy's own refusals, by status. It tells neither the path nor the limit, so that the words are general.
REFUSALS: dict[int, Callable[[], Problem]] = {
    404: lambda: NotFound("there is nothing at this address"),
    413: lambda: BodyTooLarge("the body is larger than the gateway takes"),
    429: lambda: RateLimited("this client has too many requests in flight, or sends too many", headers=SOON),
    502: lambda: BadGateway("the service broke the connection or cannot be reached", headers=AFTER_THE_NEXT_CHECK),
    503: lambda: NotReady("the service is not ready", headers=AFTER_THE_NEXT_CHECK),
    504: lambda: GatewayTimeout("the service did not answer in time", headers=AFTER_THE_NEXT_CHECK),
}


def refusal(scope: Scope) -> Problem:
    """Returns what to say for `/errors/{status}`; a status that no proxy of ours makes is an unknown path."""
    status = scope["path_params"]["status"]
    return REFUSALS[int(status) if status in map(str, REFUSALS) else 404]()


class Refuse:
    """An endpoint that answers every method with a problem; `template` is its route's, for metrics and logs."""

    def __init__(self, template: str, problem: Callable[[Scope], Problem]) -> None:
        self.template = template
        self.problem = problem

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:  # noqa: ARG002 - ASGI's signature
        context.of(scope).route = self.template
        raise self.problem(scope)
