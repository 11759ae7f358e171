"""Answers in pieces: what `@defer` and `@stream` split off, planned and delivered apart."""
