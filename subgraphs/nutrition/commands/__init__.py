"""The write side: check, one transaction, rows and outbox."""
