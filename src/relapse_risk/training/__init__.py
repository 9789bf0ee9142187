"""Splits, fit, calibration and honest evaluation."""
