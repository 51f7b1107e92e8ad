"""manyeyes: an AI vulnerability disclosure program, from the first report to a fix that is shown to hold."""

__version__ = "0.1.0"
