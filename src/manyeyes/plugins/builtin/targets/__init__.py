"""Targets: ways to reach a model, or to replay what one said."""
