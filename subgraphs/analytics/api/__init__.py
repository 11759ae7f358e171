"""What GraphQL sees, one module a concept."""
