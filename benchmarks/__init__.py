"""Measurements of a running Matinee against peers that run beside it, as ratios.

`python -m benchmarks` runs them all and writes `docs/benchmarks.md`; `--help` says the rest.
"""
