"""What the rest of the house may ask of the queues."""
