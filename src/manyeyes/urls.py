"""The doors of the house: which address leads to which face."""

from __future__ import annotations

from django.urls import include, path

from manyeyes import http

urlpatterns = [
    # Not `allauth.urls`: it would add pages to connect accounts and to sign up by a provider, which nobody does here.
    path("accounts/", include("allauth.account.urls")),
    path("accounts/2fa/", include("allauth.mfa.urls")),
    path("theme/", http.set_theme, name="theme"),
    path("api/", include("manyeyes.api.urls")),
    path("desk/", include("manyeyes.console.urls")),
    path("", include("manyeyes.portal.urls")),
]

handler400 = "manyeyes.http.bad_request"
handler403 = "manyeyes.http.forbidden"
handler404 = "manyeyes.http.not_found"
handler429 = "manyeyes.http.too_many"
handler500 = "manyeyes.http.server_error"
