"""What advertising cost: exchange rates, and costs as they come in."""
