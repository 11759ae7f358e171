"""Rules and formulas of nutrition; pure."""
