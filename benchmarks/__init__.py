"""Measurements, run as `python -m benchmarks.NAME [--quick]`; what is claimed is printed as BAR lines (bars.py)."""
