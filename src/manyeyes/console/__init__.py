"""The face that the team works with, under /desk/."""
