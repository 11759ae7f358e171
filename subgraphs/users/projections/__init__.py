"""What is made of others' events: notifications, and what is kept to remind people."""
