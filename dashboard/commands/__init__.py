"""The subcommands of `outlay`: one module for each subject, and `terminal` for what they share."""
