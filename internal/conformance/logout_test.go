package conformance

// logoutModules are those of the four logout specifications.
func logoutModules() []module { return nil }
