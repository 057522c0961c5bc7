"""Simulator: measures switched on and off, and what is left of the spend, step by step."""

from dashboard.advice import cards, simulation
from dashboard.filter_bar import current

view = current()
if found := cards.found(view):
    simulation.simulate(view, found)
simulation.another_model(view)
