package main

import "strings"

// flowCases makes the cases of what a login gets beside tokens.
func flowCases(k keyring, c *collection) {
	c.files["keys/sealing.txt"] = sealingKey
	for _, make := range []func(keyring, *collection){
		metadataCases, documentCases, endpointCases, callbackCases, callbackErrorCases, pendingCases, loginCookieCases, sessionCookieCases, recordCases, inCookieCases,
		assertionCases, certificateCases,
	} {
		make(k, c)
	}
}

// addAll adds cases of a kind and class. Inputs that are not plain text are
// written as base64.
func (c *collection) addAll(kind, class string, entries ...entry) {
	for _, e := range entries {
		if e.class == "" {
			e.class = class
		}
		if e.expect == "" {
			e.expect = "ok"
		}
		e.binary = strings.ContainsFunc(e.input, func(r rune) bool { return r < ' ' && r != '\n' || r == 0xfffd })
		if !e.binary {
			e.setInput(e.input)
		}
		c.add(kind, e)
	}
}
