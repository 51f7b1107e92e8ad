"""The law of the platform, without any input or output: moves, severity, clocks, permits, sign-off, words."""
