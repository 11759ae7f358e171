"""How far the platform reaches: unit costs measured by `benchmarks.unit_costs`, and the model that reckons with them."""
