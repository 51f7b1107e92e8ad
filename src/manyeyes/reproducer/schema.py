"""The published JSON Schema of the reproducer format, made from the model."""

from __future__ import annotations

import json
import sys

from manyeyes.reproducer.model import FORMAT, Reproducer


def schema_text() -> str:
    """What `docs/reference/reproducer.schema.json` holds; `python -m manyeyes.reproducer.schema` prints it."""
    schema = Reproducer.model_json_schema(by_alias=True)
    schema["$schema"] = "https://json-schema.org/draft/2020-12/schema"
    schema["$id"] = f"urn:manyeyes:{FORMAT.replace('/', ':')}"
    return json.dumps(schema, indent=2, sort_keys=True) + "\n"


if __name__ == "__main__":
    sys.stdout.write(schema_text())
