"""What the demo and the tests show to a scanner: tickets as a camera would see them."""
