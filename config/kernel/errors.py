"""The refusals of the whole house. Each is a sentence that a person can act on; doors turn them into HTTP once."""

from __future__ import annotations

from typing import Any


class DomainError(Exception):
    """A refusal with a sentence (`message`), a stable machine `code` and the HTTP `status` a door answers with."""

    status = 400
    code = "refused"

    def __init__(self, message: Any, *, code: str | None = None, **params: Any) -> None:
        super().__init__(message)
        self.message = message
        self.code = code or type(self).code
        self.params = params

    def __str__(self) -> str:
        return str(self.message)


class Invalid(DomainError):
    """The input is not acceptable; `fields` names each field and its remedy."""

    status = 400
    code = "invalid"

    def __init__(self, message: Any, *, fields: dict[str, Any] | None = None, **params: Any) -> None:
        super().__init__(message, **params)
        self.fields = fields or {}


class Refused(DomainError):
    """This person may not do this."""

    status = 403
    code = "forbidden"


class Missing(DomainError):
    """Not there, or not theirs: a stranger cannot tell the two apart."""

    status = 404
    code = "not_found"


class NotAllowedNow(DomainError):
    """Right person, wrong moment: the state does not allow it."""

    status = 409
    code = "not_allowed_now"


class Conflict(DomainError):
    """Somebody else was faster, or the same key was used for something else."""

    status = 409
    code = "conflict"


class OutsideFailure(DomainError):
    """A system outside did not do its part; `permanent` says whether trying again can help."""

    status = 502
    code = "outside_failure"

    def __init__(self, message: Any, *, permanent: bool, **params: Any) -> None:
        super().__init__(message, **params)
        self.permanent = permanent
