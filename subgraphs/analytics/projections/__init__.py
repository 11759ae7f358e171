"""Events of the others turned into rows of our own."""
