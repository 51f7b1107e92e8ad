"""The WSGI application that `serve` and any other server run."""

from __future__ import annotations

import os

from django.core.wsgi import get_wsgi_application

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "manyeyes.settings")
application = get_wsgi_application()
