"""``make bench``: every benchmark in turn. Each prints ratios of one run; absolute figures drift with the machine."""

from __future__ import annotations

from benchmarks import neighbour, requests, throughput

for benchmark in (throughput, requests, neighbour):
    print(f"\n{benchmark.__name__.split('.')[-1]}: {(benchmark.__doc__ or '').splitlines()[0]}", flush=True)
    benchmark.main()
