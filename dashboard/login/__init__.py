"""Who may do what, once the dashboard is reached from other machines: users with a role, and three ways to know them."""
