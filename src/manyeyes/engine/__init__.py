"""Pure statistics of probabilistic exploits: plans in, trials out, outcomes in, a verdict out; no I/O."""
