"""Breaks lines that decide, one at a time, and sees whether a test fails."""
