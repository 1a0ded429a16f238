//! Scenarios and outcomes by hand, for tests.
