//! Faults that `tests/mutations/run` plants into the simulator still have a place in the sources.
