package main

// tokenCases makes the cases of all kinds of tokens and key sets, and the public
// keys that they are verified with.
func tokenCases(k keyring, c *collection) {
	c.files["keys/provider.json"] = k.provider()
	for _, make := range []func(keyring, *collection){
		algorithmCases, secretCases, confusionCases, keyHeaderCases, criticalCases, fixedHeaderCases, forgeryCases,
		issuerCases, audienceCases, subjectCases, nonceCases, contextCases, refreshCases, timeCases, hashCases,
		strictCases, shapeCases, serialisationCases, sizeCases, orderCases,
		chainCases, keySetCases, logoutCases, userinfoCases, emailCases, legacyCases,
	} {
		make(k, c)
	}
}
