"""The team's work on reports: one door for every move, one way to rows, one module per stage."""
