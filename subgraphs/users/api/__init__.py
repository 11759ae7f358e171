"""What GraphQL shows of users: types, keys, inputs and fields."""
