"""Rules and formulas of the derived numbers; pure."""
