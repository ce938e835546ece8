package conformance

// beyondModules are about what the suite can't see.
func beyondModules() []module { return nil }
