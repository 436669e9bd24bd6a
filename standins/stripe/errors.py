"""Refusals in Stripe's own form. Source: Stripe's API reference, "Errors" and "Error codes".

A message names parameters and ids, as Stripe's do, and never what else was sent.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

if TYPE_CHECKING:
    from collections.abc import Mapping

INVALID: Final = "invalid_request_error"
IDEMPOTENCY: Final = "idempotency_error"


class RequestError(Exception):
    """The request is refused with ``status``; ``error`` is what the answer's ``error`` holds."""

    def __init__(self, status: int, message: str, error_type: str = INVALID, **more: Any) -> None:
        super().__init__(message)
        self.status = status
        self.error = {"type": error_type, "message": message, **{k: v for k, v in more.items() if v is not None}}
        self.headers: Mapping[str, str] = {}

    @property
    def body(self) -> dict[str, Any]:
        """The answer's body."""
        return {"error": self.error}


def invalid(message: str, code: str | None = None, param: str | None = None) -> RequestError:
    """A 400 of a request that makes no sense."""
    return RequestError(400, message, code=code, param=param)


def no_such(kind: str, name: object, param: str = "id", status: int = 404) -> RequestError:
    """An object that is not there: 404 when it is what the path names, 400 when a parameter does."""
    word = kind.rpartition(".")[2].replace("_", " ")
    return RequestError(status, f"No such {word}: '{name}'", code="resource_missing", param=param)
