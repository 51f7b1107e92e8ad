"""Signing up, in as much time for an address that has an account as for one that has none."""

from __future__ import annotations

from typing import Any

from allauth.account.forms import SignupForm as AllauthSignupForm
from django.contrib.auth.hashers import make_password
from django.http import HttpRequest


class SignupForm(AllauthSignupForm):  # type: ignore[misc]
    """allauth's, which stores no second account and answers alike, but without hashing a password: the clock told."""

    def try_save(self, request: HttpRequest) -> Any:
        """Store the account, or mail its owner that somebody tried; each hashes one password."""
        if self.account_already_exists:
            make_password(self.cleaned_data["password1"])
        return super().try_save(request)
