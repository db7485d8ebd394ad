"""What makes an order safe: the journal, and the limits of risk."""
