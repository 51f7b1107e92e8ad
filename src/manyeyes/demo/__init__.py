"""The demonstration: a real small language model, a support assistant on it, and the story played through HTTP."""
