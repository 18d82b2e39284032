"""The AWS of the tests: the embedded one behind a layer that breaks it on demand."""
