package jwx

import "slices"

// Recipient chooses the key of a set to encrypt to with alg: the one with that kid, or
// without a kid one with use enc. One that names alg goes before one that names none,
// and the first of the set before the others.
func Recipient(keys []Key, alg, kid string) (Key, bool) {
	for _, named := range []string{alg, ""} {
		for _, key := range keys {
			if key.Algorithm == named && key.receives(kid) && CheckRecipient(alg, key.Public) == nil {
				return key, true
			}
		}
	}
	return Key{}, false
}

// receives reports whether a key is the one with that kid, or any, and one to which may
// be encrypted (RFC 7517 §4.2, §4.3).
func (k Key) receives(kid string) bool {
	mayEncrypt := len(k.Ops) == 0 || slices.ContainsFunc(k.Ops, func(op string) bool {
		return slices.Contains([]string{"encrypt", "wrapKey", "deriveKey", "deriveBits"}, op)
	})
	return mayEncrypt && (k.Use == "enc" && (kid == "" || kid == k.ID) || k.Use == "" && kid != "" && kid == k.ID)
}
