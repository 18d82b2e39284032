"""The embedded AWS for `make run` and the tests: moto's server, and what it lacks. It opens nothing in any real AWS."""
