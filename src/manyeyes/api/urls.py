"""Addresses of the API: each behind its door; the document, and a page about it for people."""

from __future__ import annotations

from django.http import HttpRequest, HttpResponse, JsonResponse
from django.shortcuts import render
from django.urls import URLPattern, path
from django.views.decorators.http import require_safe
from ninja.operation import PathView

from manyeyes.accounts.tokens import SCOPES
from manyeyes.api.calls import api
from manyeyes.api.document import document
from manyeyes.api.door import View, guarded
from manyeyes.api.routes import KEEPS_NO_ANSWER


@require_safe
def openapi(request: HttpRequest) -> JsonResponse:
    """The document."""
    return JsonResponse(document(api))


@require_safe
def about(request: HttpRequest) -> HttpResponse:
    """How do I call it?"""
    found = document(api)
    rows = [
        (method.upper(), where, operation.get("description", "").partition("\n")[0])
        for where, item in found["paths"].items()
        for method, operation in item.items()
    ]
    return render(request, "api/about.html", {"rows": rows, "scopes": SCOPES.items()})


def _behind_doors() -> list[URLPattern]:
    """Ninja's addresses, each behind its door."""
    views = {
        str(operation.url_name): view
        for bound in api._get_bound_routers()
        for view in bound.path_operations.values()
        for operation in view.operations
    }
    return [
        path(f"v1/{pattern.pattern}", _door(pattern, views[pattern.name]), name=pattern.name)
        for pattern in api.urls[0]
        if isinstance(pattern, URLPattern) and pattern.name in views
    ]


def _door(pattern: URLPattern, view: PathView) -> View:
    methods = frozenset(method for one in view.operations for method in one.methods)
    brings = any(model.__ninja_param_source__ == "file" for one in view.operations for model in one.models)
    keeps = not any((one.openapi_extra or {}).get(KEEPS_NO_ANSWER) for one in view.operations)
    return guarded(pattern.callback, methods, brings_file=brings, keeps_answer=keeps)


app_name = "api"
urlpatterns = [
    path("", about, name="about"),
    path("v1/openapi.json", openapi, name="openapi"),
    *_behind_doors(),
]
