"""What GraphQL shows of nutrition: types, keys, inputs and fields."""
