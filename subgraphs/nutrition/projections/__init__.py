"""What nutrition keeps of events of others."""
