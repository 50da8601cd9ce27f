"""Batteries: parameters swept over thousands of runs, that can be killed at any moment."""
