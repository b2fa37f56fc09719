"""Patience holds within its block, for its thread."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor

import pytest

from lib.patience import FOR_EVER, own_patience, patience


def test_the_innermost_block_counts_and_nothing_outlives_it() -> None:
    assert own_patience() is None
    with patience(3):
        with patience(FOR_EVER):
            assert own_patience() == 0
        assert own_patience() == 3
    assert own_patience() is None


def test_a_block_that_fails_leaves_nothing_behind() -> None:
    with pytest.raises(RuntimeError), patience(3):
        raise RuntimeError

    assert own_patience() is None


def test_other_threads_keep_their_own() -> None:
    with patience(3), ThreadPoolExecutor(1) as pool:
        assert pool.submit(own_patience).result() is None
