"""Template tags shared by the faces."""
