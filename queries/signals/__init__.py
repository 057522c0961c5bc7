"""Signals: what SQL alone cannot say. The numbers come from the metric views, the methods are here.

`find` tells what is worth a look and what was expected, `explain` splits the difference of two periods into its causes,
`forecast` says where the month will end. Each takes `read`, a function that reads a metric view under filters.
"""

from queries.signals.explain import Explanation, SliceChange, explain
from queries.signals.forecast import Forecast, forecast
from queries.signals.memory import Memory
from queries.signals.signals import Expected, Findings, Signal, find
from queries.signals.sums import Read

__all__ = [
    "Expected",
    "Explanation",
    "Findings",
    "Forecast",
    "Memory",
    "Read",
    "Signal",
    "SliceChange",
    "explain",
    "find",
    "forecast",
]
