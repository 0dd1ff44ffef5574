"""Measurements of a running Matinee beside other programs on the same machine, as ratios.

`python -m benchmarks` runs all of them and writes `docs/benchmarks.md`; `--help` lists the options.
"""
