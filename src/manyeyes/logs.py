"""Keeps what people wrote out of the logs: an exception's text may quote a report."""

from __future__ import annotations

import logging
import os


class NoContent(logging.Filter):
    """Strips messages and values from the records of failed requests; type and place stay."""

    def filter(self, record: logging.LogRecord) -> bool:
        if record.exc_info and record.exc_info[0] is not None:
            kind, _, trace = record.exc_info
            places = []
            while trace is not None:
                code = trace.tb_frame.f_code
                places.append(f"{os.path.basename(code.co_filename)}:{trace.tb_lineno} {code.co_name}")
                trace = trace.tb_next
            record.msg = f"{kind.__module__}.{kind.__qualname__} at " + " < ".join(reversed(places[-8:]))
            record.args = ()
            record.exc_info = None
            record.exc_text = None
        elif record.name.startswith("gunicorn") and record.getMessage().startswith("Invalid request"):
            record.msg, record.args = "a request that is no HTTP was refused", ()  # it would quote sender and content
        elif record.name.startswith("django"):
            status = getattr(record, "status_code", "")
            record.msg = f"request answered {status}" if status else record.msg
            record.args = () if status else record.args
        return True
