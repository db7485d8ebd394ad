"""Whether the simulated control writes every field as the real OpenAPI+ was recorded to write it.

`python3 run.py conformance` runs the simulation through its functions and events and judges each value that it tells by
the rule of its field. The rules stand in `rules.csv`; they were derived from recorded values, of which `samples.jsonl`
keeps a few of every shape. What deviates and may, and why, stands in `explained.toml`.
"""
