"""Advice: what could be saved, in dollars, with the evidence.

A finder looks for one kind of measure and gives what it would have saved alone in the period, and what it would have
changed on each attempt. The plan applies measures one after another to the attempts and prices them after every step,
so that nothing is counted twice.
"""

from queries.advice.measure import STEPS, Advised, Measure

__all__ = ["STEPS", "Advised", "Measure"]
