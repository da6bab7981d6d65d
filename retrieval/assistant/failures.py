"""What went wrong with the model, in a sentence that holds no key and nothing that the endpoint wrote?"""

from __future__ import annotations

from .limits import Limits
from .models import Address

_BY_STATUS = {
    400: "refused the request as it stands; the records may be too long for this model, or it takes no tools",
    401: "refused the key",
    402: "wants to be paid first",
    403: "refused the key for this model",
    404: "does not know the model",
    408: "took too long",
    413: "found the question and its records too long",
    422: "refused the request as it stands; perhaps the model takes no tools",
    429: "has had too many requests, or the quota is used up",
}


def sentence_for(error: BaseException, address: Address, limits: Limits) -> str:
    """Say what happened.

    Args:
        error: As the agents raised it; its own text is not repeated.
        address: Where the model stands.
        limits: To name the one that was reached.
    """
    from pydantic_ai import exceptions

    where = f"{address.host} (model {address.name})"
    if isinstance(error, TimeoutError):
        return f"The limit of {limits.seconds:g} seconds was reached before an answer was ready."
    if isinstance(error, exceptions.UsageLimitExceeded):
        return _limit(str(error), limits)
    if isinstance(error, exceptions.ModelHTTPError):
        said = _BY_STATUS.get(
            error.status_code, "failed" if error.status_code >= 500 else "refused the request"
        )
        return f"{where} {said} ({error.status_code})."
    if isinstance(error, exceptions.ModelAPIError):
        return f"{where} cannot be reached, or the connection broke."
    if isinstance(error, exceptions.UnexpectedModelBehavior):
        return f"{where} answered in a way that cannot be used: no text, or calls of tools that do not exist."
    return f"{where} could not be asked ({type(error).__name__})."


def _limit(message: str, limits: Limits) -> str:
    known = (
        ("cost_limit", f"{limits.dollars:g} US dollars"),
        ("tool_calls_limit", f"{limits.tool_calls} tool calls"),
        ("request_limit", f"{limits.steps} steps"),
        ("tokens_limit", f"{limits.tokens} tokens"),
    )
    reached = next((shown for name, shown in known if name in message), "a limit")
    return f"The limit of {reached} was reached before an answer was ready."
