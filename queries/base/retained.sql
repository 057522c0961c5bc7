-- From when on single attempts are kept: of those sent before, only sums are left. No row where all are kept.
-- grain: before
select before from store.retained
