"""Ask Claude: a question answered by SQL, a change explained, the monthly note. Optional.

`figures` and `names` make what a text is written from, `prompts` all that would be sent, `asking` sends it and says
what it cost, `sql` runs what comes back within limits, `view` is the page.
"""
