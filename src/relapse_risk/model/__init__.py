"""Estimator, calibration, reasons and bundle."""
