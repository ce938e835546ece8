package oidctest

// A Person is an invented human who can log in. Empty members are left out of
// tokens.
type Person struct {
	// Subject identifies the person at the provider. Required. BlockID shows
	// Username instead, and IShare a pseudonym made of it.
	Subject string
	// Username is the name that is typed at a login; also preferred_username.
	Username string
	// Name is the full name, GivenName and FamilyName its parts.
	Name, GivenName, FamilyName string
	// Email is an address of a reserved domain, and Phone a number in
	// international form.
	Email, Phone string
	// Birthdate is written YYYY-MM-DD.
	Birthdate string
	// Claims are added to ID tokens and userinfo as they are.
	Claims map[string]any
}
