// Package profiles has the ready-made [oidcclient.Profile] values. Each function
// returns a new value, which the caller may change before giving it to
// [oidcclient.New].
//
// Adding a provider is one file here and one folder of what that provider
// published in testdata.
package profiles

import "github.com/rely-go/rely/oidcclient"

// All returns every profile, the generic one first and the one that identifies
// nobody last.
func All() []oidcclient.Profile {
	return []oidcclient.Profile{OpenID(), IShare(), BankID(), BlockID(), Faces(), OAuth()}
}

// ByName returns the profile with that name, as used in configuration files.
func ByName(name string) (oidcclient.Profile, bool) {
	for _, p := range All() {
		if p.Name == name {
			return p, true
		}
	}
	return oidcclient.Profile{}, false
}
