"""Who is calling: the bearer of a token with the scope that is asked for. Cookies are not looked at."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from django.contrib.auth.models import AnonymousUser
from django.http import HttpRequest
from django.utils.translation import gettext as _
from ninja.errors import AuthenticationError
from ninja.security import HttpBearer

from manyeyes.accounts import tokens
from manyeyes.accounts.models import ApiToken
from manyeyes.api.cases_of import own_case
from manyeyes.cases.models import Case
from manyeyes.rules.errors import NotAllowed

SCHEME = "bearer"


@dataclass(frozen=True, kw_only=True)
class Holder:
    """A person as their token lets them act; `token` None is somebody unknown."""

    person: Any
    token: ApiToken | None

    @property
    def known(self) -> Any:
        """The person, or None for somebody unknown."""
        return None if self.token is None else self.person

    def case(self, ref: str) -> Case:
        """Their own case. Raises NotFound for everybody else's."""
        return own_case(self.person, ref)


class Token(HttpBearer):
    """A token of a person, or one that a receipt was exchanged for, with one of these scopes where some are named."""

    def __init__(self, *scopes: str) -> None:
        super().__init__()
        self.scopes = scopes

    def __call__(self, request: HttpRequest) -> Holder:
        """Who holds the token that came along. Raises AuthenticationError, and NotAllowed for a missing scope."""
        kind, _blank, text = request.headers.get("Authorization", "").partition(" ")
        return self.authenticate(request, text.strip() if kind.lower() == SCHEME else "")

    def authenticate(self, request: HttpRequest, token: str) -> Holder:
        """The holder of this text."""
        row = tokens.found(token)
        if row is None:
            raise AuthenticationError
        if self.scopes and not set(self.scopes) & set(row.scopes):
            lacks = {"scope": self.scopes[0]}
            raise NotAllowed(_("This token may not do that: it lacks the scope “%(scope)s”.") % lacks)
        tokens.used(row)
        return Holder(person=row.person, token=row)


class TokenOrNobody(Token):
    """The same, or nobody: but a token that is sent must work."""

    def __call__(self, request: HttpRequest) -> Holder:
        """The holder, or somebody unknown where no token was sent."""
        if "Authorization" not in request.headers:
            return Holder(person=AnonymousUser(), token=None)
        return super().__call__(request)


def holder(request: HttpRequest) -> Holder:
    """Who is calling, once the door has let them in."""
    found: Holder = request.auth  # type: ignore[attr-defined]
    return found
