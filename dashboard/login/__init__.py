"""Who may do what, where the dashboard is reached from other machines: users with a role, and how they are known."""
