"""Environments: stateful things under test that are set up, planted, triggered, observed and reset."""
