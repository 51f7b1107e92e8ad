"""The face for machines: everything a researcher can do, over HTTP with tokens, described in one OpenAPI document."""
