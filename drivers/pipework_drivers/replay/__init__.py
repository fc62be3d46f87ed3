"""Recordings of runs: written, and replayed."""
