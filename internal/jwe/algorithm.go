package jwe

import "crypto"

type family uint8

const (
	familyOAEP family = iota + 1
	familyECDH
)

// management is an algorithm that determines the content encryption key
// (RFC 7518 §4.1).
type management struct {
	family family
	hash   crypto.Hash // of OAEP
	wrap   int         // bytes of the key that wraps the key; 0: agreed on directly
}

// managementOf is a switch, so that no table can be changed.
func managementOf(alg string) (management, bool) {
	switch alg {
	case "RSA-OAEP-256":
		return management{familyOAEP, crypto.SHA256, 0}, true
	case "RSA-OAEP":
		return management{familyOAEP, crypto.SHA1, 0}, true
	case "ECDH-ES":
		return management{familyECDH, 0, 0}, true
	case "ECDH-ES+A128KW":
		return management{familyECDH, 0, 16}, true
	case "ECDH-ES+A192KW":
		return management{familyECDH, 0, 24}, true
	case "ECDH-ES+A256KW":
		return management{familyECDH, 0, 32}, true
	}
	return management{}, false
}

// content is an algorithm that encrypts the content (RFC 7518 §5.1). All
// numbers are bytes.
type content struct {
	key, iv, tag int
	hash         crypto.Hash // of the MAC; 0: GCM
}

func contentOf(enc string) (content, bool) {
	switch enc {
	case "A128CBC-HS256":
		return content{32, 16, 16, crypto.SHA256}, true
	case "A192CBC-HS384":
		return content{48, 16, 24, crypto.SHA384}, true
	case "A256CBC-HS512":
		return content{64, 16, 32, crypto.SHA512}, true
	case "A128GCM":
		return content{16, 12, 16, 0}, true
	case "A192GCM":
		return content{24, 12, 16, 0}, true
	case "A256GCM":
		return content{32, 12, 16, 0}, true
	}
	return content{}, false
}

// KnownAlgorithm reports whether alg is one of RSA-OAEP-256, RSA-OAEP, ECDH-ES,
// ECDH-ES+A128KW, ECDH-ES+A192KW and ECDH-ES+A256KW.
func KnownAlgorithm(alg string) bool {
	_, ok := managementOf(alg)
	return ok
}

// KnownEncryption reports whether enc is one of A128CBC-HS256, A192CBC-HS384,
// A256CBC-HS512, A128GCM, A192GCM and A256GCM.
func KnownEncryption(enc string) bool {
	_, ok := contentOf(enc)
	return ok
}
