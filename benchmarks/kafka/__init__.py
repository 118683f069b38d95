"""Apache Kafka as the bus, measured beside bare clients of the same brokers."""
