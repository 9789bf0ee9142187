"""Scores, and lists of them."""
