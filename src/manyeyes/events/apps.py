"""Tells Django of the room `events`."""

from django.apps import AppConfig
from django.core.signals import request_finished


class EventsConfig(AppConfig):
    """The room `events`; other rooms refer to its models by this label."""

    name = "manyeyes.events"
    label = "events"
    default_auto_field = "django.db.models.BigAutoField"

    def ready(self) -> None:
        """Mails that somebody waits for go out as soon as they have their answer."""
        from manyeyes.events.outbox import send_after_answer

        request_finished.connect(send_after_answer, dispatch_uid="manyeyes.events.send_after_answer")
