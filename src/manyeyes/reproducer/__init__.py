"""The file format of a finding: what to send, what counts as success, and at which settings."""
