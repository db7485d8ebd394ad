"""Follows five stocks in batches, column by column, until a thousand shares have changed hands, and sums them up.

python examples/columns.py [HOST:PORT]
"""

import sys

import pandas as pd

import koapy

ADDRESS = sys.argv[1] if len(sys.argv) > 1 else "127.0.0.1:5943"

with koapy.connect(ADDRESS) as client:
    client.login()
    with client.realtime_batches(["005930", "000660"]) as batches:
        batches.add(["035720", "005380", "069500"])  # codes come and go while it is open
        frames: list[pd.DataFrame] = []
        traded = 0
        for batch in batches:
            trades = batch.to_pandas()  # numbers, as in every frame of koapy; texts with as_numbers=False
            frames.append(trades)
            traded += trades["거래량"].abs().sum()
            if traded >= 1000:
                break

trades = pd.concat(frames)
trades["거래대금"] = trades["현재가"] * trades["거래량"].abs()
print(trades.groupby("code")["거래대금"].agg(["size", "sum"]))
print("shares:", traded)
