"""How fast it is, as ratios against named baselines measured side by side on the same machine."""
