package vectors_test

type publicKeyFile struct {
	file, alg string
	want      tally
}

// publicKeyFiles is what is expected of each file, exactly.
func publicKeyFiles() []publicKeyFile {
	return []publicKeyFile{
		{"rsa_signature_2048_sha256_test", "RS256", tally{accepted: 9, refused: 249, deviates: map[string]int{"acceptable, refused: MissingNull": 1}}},
		{"rsa_signature_2048_sha384_test", "RS384", tally{accepted: 7, refused: 250, deviates: map[string]int{"acceptable, refused: MissingNull": 1}}},
		{"rsa_signature_2048_sha512_test", "RS512", tally{accepted: 8, refused: 250, deviates: map[string]int{"acceptable, refused: MissingNull": 1}}},
		{"rsa_signature_3072_sha256_test", "RS256", tally{accepted: 8, refused: 250, deviates: map[string]int{"acceptable, refused: MissingNull": 1}}},
		{"rsa_signature_3072_sha384_test", "RS384", tally{accepted: 7, refused: 251, deviates: map[string]int{"acceptable, refused: MissingNull": 1}}},
		{"rsa_signature_3072_sha512_test", "RS512", tally{accepted: 8, refused: 251, deviates: map[string]int{"acceptable, refused: MissingNull": 1}}},
		{"rsa_signature_4096_sha256_test", "RS256", tally{accepted: 7, refused: 250, deviates: map[string]int{"acceptable, refused: MissingNull": 1}}},
		{"rsa_signature_4096_sha384_test", "RS384", tally{accepted: 7, refused: 251, deviates: map[string]int{"acceptable, refused: MissingNull": 1}}},
		{"rsa_signature_4096_sha512_test", "RS512", tally{accepted: 7, refused: 251, deviates: map[string]int{"acceptable, refused: MissingNull": 1}}},
		{"rsa_pss_2048_sha256_mgf1_32_test", "PS256", tally{accepted: 63, refused: 45, deviates: nil}},
		{"rsa_pss_3072_sha256_mgf1_32_test", "PS256", tally{accepted: 63, refused: 45, deviates: nil}},
		{"rsa_pss_4096_sha256_mgf1_32_test", "PS256", tally{accepted: 63, refused: 45, deviates: nil}},
		{"rsa_pss_2048_sha384_mgf1_48_test", "PS384", tally{accepted: 95, refused: 46, deviates: nil}},
		{"rsa_pss_4096_sha384_mgf1_48_test", "PS384", tally{accepted: 95, refused: 46, deviates: nil}},
		{"rsa_pss_4096_sha512_mgf1_64_test", "PS512", tally{accepted: 132, refused: 47, deviates: nil}},
		{"ecdsa_secp256r1_sha256_p1363_test", "ES256", tally{accepted: 169, refused: 83, deviates: nil}},
		{"ecdsa_secp384r1_sha384_p1363_test", "ES384", tally{accepted: 189, refused: 81, deviates: nil}},
		{"ecdsa_secp521r1_sha512_p1363_test", "ES512", tally{accepted: 227, refused: 81, deviates: nil}},
		{"ed25519_test", "EdDSA", tally{accepted: 88, refused: 62, deviates: nil}},
	}
}

// Cut tags and secrets shorter than the hash are no MAC of JWA (RFC 7518 §3.2).
type hmacFile struct {
	file, alg string
	bits      int
	want      tally
}

func hmacFiles() []hmacFile {
	return []hmacFile{
		{"hmac_sha256_test", "HS256", 256, tally{accepted: 30, refused: 108, deviates: map[string]int{"valid, refused: jose: secret is shorter than the hash of HS256": 6, "valid, refused: tag was cut": 30}}},
		{"hmac_sha384_test", "HS384", 384, tally{accepted: 30, refused: 108, deviates: map[string]int{"valid, refused: jose: secret is shorter than the hash of HS384": 6, "valid, refused: tag was cut": 30}}},
		{"hmac_sha512_test", "HS512", 512, tally{accepted: 30, refused: 108, deviates: map[string]int{"valid, refused: jose: secret is shorter than the hash of HS512": 6, "valid, refused: tag was cut": 30}}},
	}
}

// What deviates:
//   - Invalid vectors 367 and 370 are, byte for byte, the valid vector 357: the
//     padding that they are about is not in them.
//   - The valid ones of "base64" have characters outside of the alphabet.
//   - The keys of RFC 7520 in these files say that they are for RS256 and "ES521",
//     and are used with PS384 and ES512.
//   - A key with the ROCA weakness is not recognised: keys come from the provider.
//   - There are no sets of secrets: a client has one.
type webFile struct {
	file      string
	encrypted int // vectors of JWE
	want      tally
}

func webFiles() []webFile {
	return []webFile{
		{"json_web_signature_test", 0, tally{accepted: 40, refused: 353, deviates: map[string]int{"invalid, accepted: 367 invalidBase64Padding": 1, "invalid, accepted: 370 invalidBase64PaddingInPayload": 1, "valid, refused: base64: jose: not three parts of canonical base64url": 2, "valid, refused: rfc7520: idtoken: key: issuer has no key that fits kid and alg": 2, "valid, refused: rfc7520WithKeyOps: idtoken: key: issuer has no key that fits kid and alg": 2}}},
		{"json_web_key_test", 0, tally{accepted: 4, refused: 20, deviates: map[string]int{"invalid, accepted: 7 rejectsKeyWithRocaVulnerability": 1, "valid, refused: jws_keyset: not one secret": 1}}},
		{"json_web_crypto_test", 34, tally{accepted: 3, refused: 44, deviates: map[string]int{"invalid, accepted: 46 rejectsKeyWithRocaVulnerability": 1, "valid, refused: jws_keyset: not one secret": 1}}},
	}
}
