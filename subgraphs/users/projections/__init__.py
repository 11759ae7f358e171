"""What is made of others' events: notifications."""
