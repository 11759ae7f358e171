"""Rules of accounts and bodies; pure."""
