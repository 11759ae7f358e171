"""The read side: SQL to frozen records, in batches."""
