"""What a stranger may add: targets that answer and detectors that decide, found by name."""
