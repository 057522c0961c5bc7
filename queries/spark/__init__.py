"""The same views on Apache Spark, for more attempts than one machine adds up."""
