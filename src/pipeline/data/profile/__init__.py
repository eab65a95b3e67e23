"""What is known of a prepared dataset: its statistics, and a page for people that shows them."""
