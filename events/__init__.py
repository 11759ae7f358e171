"""What happened, told to other processes: contracts, the outbox that keeps them and the loops that carry them."""
