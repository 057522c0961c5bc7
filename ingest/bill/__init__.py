"""The bill: what Anthropic says was used and charged, kept beside the logs to be set against them."""
