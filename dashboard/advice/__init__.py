"""Savings advice on the pages: what was found, what people decided about it, and the words for both."""
