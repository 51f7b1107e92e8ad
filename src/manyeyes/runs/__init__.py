"""Drives a frozen plan against targets: slots, pacing, caps, records, and a store in files."""
