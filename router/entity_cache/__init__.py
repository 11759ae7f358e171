"""Entities of subgraphs' answers, kept in Redis one by one until they are old or an event says that they changed."""
