"""Runs query plans: fetches from subgraphs, merges, and shapes the client's answer."""
