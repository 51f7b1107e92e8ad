"""Only the doors of allauth, so that these tests need no page of the faces."""

from django.http import HttpRequest, HttpResponse
from django.urls import include, path


def my(request: HttpRequest) -> HttpResponse:
    return HttpResponse(str(request.user) if request.user.is_authenticated else "nobody")


urlpatterns = [
    path("accounts/", include("allauth.account.urls")),
    path("accounts/2fa/", include("allauth.mfa.urls")),
    path("my/", my),
    path("", my),
]
