"""What ``c2kit tail`` is made of: following streams, reading their records, and showing them."""
