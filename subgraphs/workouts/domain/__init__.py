"""Rules and formulas of training; pure."""
