"""The plugins that come with manyeyes."""
