"""Budgets and alerts: the rules file, what it watches, and what has been told to whom.

`rules` says what can be asked for, `rules_file` reads and writes it; `readings` looks, `states` decides, `ledger`
remembers, `channels` tells. `evaluation` is all of it, once.
"""
