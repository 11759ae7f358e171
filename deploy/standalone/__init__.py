"""The router and composer as a distribution of their own."""
