"""What leaves the dashboard: one report, and a module for each form it takes."""
