"""Chronos's side of the benchmarks: a Django app with one function, and a client."""
