package main

import (
	"encoding/json"
	"fmt"
	"strconv"
)

// notTimes are values that are no NumericDate.
func notTimes() map[string]any {
	raw := func(text string) json.RawMessage { return json.RawMessage(text) }
	return map[string]any{
		"string": strconv.Itoa(now), "empty string": "", "words": "tomorrow", "NaN": "NaN", "1e400": raw("1e400"), "minus 1e400": raw("-1e400"), "negative": -1, "true": true, "false": false,
		"array": []int{now}, "object": object{}, "20 digits": raw("99999999999999999999"), "64 bits": raw("18446744073709551616"), "milliseconds": int64(now) * 1000, "year 10000": int64(253402300800),
		"date": "2026-09-21T14:13:20Z", "1e300": raw("1e300"),
	}
}

// timeCases are T22.
func timeCases(k keyring, c *collection) {
	f := idTokenFamily()
	for _, claim := range []string{"exp", "nbf", "iat"} {
		for name, value := range notTimes() {
			f.add(k, c, "T22", one(claim, name, claim, claim+" is no time: "+name, value))
		}
	}
	raw := func(text string) json.RawMessage { return json.RawMessage(text) }
	f.add(k, c, "T22",
		one("exp", "missing", "exp", "there is no exp", gone{}),
		one("exp", "null", "exp", "exp is null", nil),
		one("exp", "29 seconds ago", "ok", "expired less than the leeway ago", now-29),
		one("exp", "30 seconds ago", "exp", "expired the leeway ago", now-30),
		one("exp", "31 seconds ago", "exp", "expired more than the leeway ago", now-31),
		one("exp", "zero", "exp", "exp is zero", 0),
		one("exp", "minus zero", "exp", "exp is minus zero", raw("-0")),
		one("exp", "fraction", "ok", "exp has a fraction", raw("1790000299.999999999999")),
		one("exp", "fraction within the last second", "exp", "a fraction does not lengthen the leeway", raw("1789999970.0")),
		one("exp", "exponent", "ok", "exp is written with an exponent", raw("1.7900003e9")),
		one("exp", "exponent passed", "exp", "exp is written with an exponent, and has passed", raw("1.7899999e+9")),
		one("exp", "year 9999", "ok", "exp is in the last second of the year 9999", int64(253402300799)),
		one("nbf", "missing", "ok", "there is no nbf", gone{}),
		one("nbf", "null", "ok", "nbf is null, as if there were none", nil),
		one("nbf", "30 seconds ahead", "ok", "nbf is ahead by the leeway", now+30),
		one("nbf", "31 seconds ahead", "nbf", "nbf is ahead by more than the leeway", now+31),
		one("nbf", "day ahead", "nbf", "nbf is a day ahead", now+86400),
		one("nbf", "past", "ok", "nbf has come", now-1),
		one("iat", "missing", "iat", "there is no iat", gone{}),
		one("iat", "null", "iat", "iat is null", nil),
		one("iat", "30 seconds ahead", "ok", "issued in the future by the leeway", now+30),
		one("iat", "31 seconds ahead", "iat", "issued in the future by more than the leeway", now+31),
		one("iat", "day ahead", "iat", "issued a day in the future", now+86400),
		one("iat", "day ago", "ok", "issued a day ago, and not expired", now-86400),
		one("exp", "6 seconds ago with leeway of 5", "exp", "expired by more than the leeway that the profile allows", now-6, "max-skew: 5"),
		one("exp", "4 seconds ago with leeway of 5", "ok", "expired by less than the leeway that the profile allows", now-4, "max-skew: 5"),
		one("exp", "59 seconds ago with leeway of 60", "ok", "expired by less than the largest leeway", now-59, "skew: 60"),
		one("exp", "leeway of 61", "config", "a leeway of more than a minute", now, "skew: 61"),
		one("exp", "leeway negative", "config", "a negative leeway", now, "skew: -1"),
	)
	stringTimes(k, c)
	authTimes(k, c)
}

// stringTimes are times as strings, where they are tolerated.
func stringTimes(k keyring, c *collection) {
	f := idTokenFamily()
	f.claims = with(f.claims, "exp", strconv.Itoa(now+300), "iat", strconv.Itoa(now))
	f.fields = append(f.fields, "string-dates: yes")
	f.add(k, c, "T22",
		token{name: "string dates", about: "times are strings, where that is tolerated"},
		one("exp", "string passed", "exp", "exp is a string and has passed", strconv.Itoa(now-30)),
		one("nbf", "string ahead", "nbf", "nbf is a string and ahead", strconv.Itoa(now+31)),
		one("iat", "string ahead", "iat", "iat is a string and ahead", strconv.Itoa(now+31)),
		one("exp", "number where strings are tolerated", "ok", "exp is a number, where strings are tolerated", now+300))
	for name, value := range map[string]string{
		"with sign": "+1790000300", "negative": "-1", "with blank": " 1790000300", "with line break": "1790000300\n", "with exponent": "1e12", "with fraction": "1790000300.5", "empty": "", "hexadecimal": "0x6ab13f2c",
		"with underscore": "1_790_000_300", "other digits": "١٧٩٠٠٠٠٣٠٠", "13 digits": "1790000300000", "quoted": `"1790000300"`, "with NUL": "1790000300\x00",
	} {
		f.add(k, c, "T22", one("exp", "string "+name, "exp", "exp is a string that is no time: "+name, value))
	}
}

// authTimes are about max_age.
func authTimes(k keyring, c *collection) {
	f := idTokenFamily()
	const age = "max-age: 60"
	for name, value := range notTimes() {
		f.add(k, c, "T22", one("auth_time", name, "auth_time", "auth_time is no time: "+name, value))
	}
	f.add(k, c, "T22",
		one("auth_time", "missing", "auth_time", "max_age was sent, and there is no auth_time", gone{}, age),
		one("auth_time", "null", "auth_time", "max_age was sent, and auth_time is null", nil, age),
		one("auth_time", "missing and not demanded", "ok", "no max_age was sent, and there is no auth_time", gone{}),
		one("auth_time", "long ago and not demanded", "ok", "no max_age was sent", 1),
		one("auth_time", "90 seconds ago", "ok", "authenticated longer ago than max_age by the leeway", now-90, age),
		one("auth_time", "91 seconds ago", "auth_time", "authenticated longer ago than max_age by more than the leeway", now-91, age),
		one("auth_time", "30 seconds ago of 0", "ok", "max_age is 0, authenticated within the leeway", now-30, "max-age: 0"),
		one("auth_time", "31 seconds ago of 0", "auth_time", "max_age is 0, authenticated before", now-31, "max-age: 0"),
		one("auth_time", "30 seconds ahead", "ok", "authenticated in the future by the leeway", now+30, age),
		one("auth_time", "31 seconds ahead", "auth_time", "authenticated in the future by more than the leeway", now+31))
}

// hashCases are T25: what binds a token to what came with it.
func hashCases(k keyring, c *collection) {
	f := idTokenFamily()
	for claim, bound := range map[string]struct{ field, value string }{
		"at_hash": {"access-token", accessToken}, "c_hash": {"code", code}, "s_hash": {"state", state},
	} {
		with, front := bound.field+": "+bound.value, "hashes-required: yes"
		whole := digest(hashOf("RS256"), bound.value)
		good := half(hashOf("RS256"), bound.value)
		f.add(k, c, "T25",
			one(claim, "good", "ok", claim+" is the hash", good, with),
			one(claim, "good on the front channel", "ok", claim+" is the hash, and demanded", good, with, front),
			one(claim, "nothing to compare", "ok", claim+" is there, and nothing came with the token", good),
			one(claim, "missing", "ok", "there is no "+claim+", and none is demanded", gone{}, with),
			one(claim, "missing on the front channel", claim, "there is no "+claim+", and the token came through a browser", gone{}, with, front),
			one(claim, "null on the front channel", claim, claim+" is null, and the token came through a browser", nil, with, front),
			one(claim, "number and nothing to compare", claim, claim+" is a number", 1))
		for name, value := range map[string]any{
			"of another": half(hashOf("RS256"), bound.value+"1"), "empty": "", "number": 1, "array": []string{good}, "whole hash": encode(whole), "right half": encode(whole[16:]), "of SHA-512": half(hashOf("RS512"), bound.value),
			"of SHA-384": half(hashOf("RS384"), bound.value), "padded": good + "==", "standard base64": toBase64(string(whole[:16])), "hexadecimal": fmt.Sprintf("%x", whole[:16]), "shorter": good[:len(good)-1], "longer": good + "A",
			"the value itself": bound.value, "with blank": good + " ",
		} {
			f.add(k, c, "T25", one(claim, name, claim, claim+" is not the hash: "+name, value, with))
		}
	}
	f.add(k, c, "T25",
		token{name: "hashes swapped", expect: "at_hash", about: "at_hash and c_hash are each other's", claims: []any{"at_hash", half(hashOf("RS256"), code), "c_hash", half(hashOf("RS256"), accessToken)}, fields: []string{"access-token: " + accessToken, "code: " + code}})
	ed := idTokenFamily()
	ed.header, ed.fields = object{"alg": "EdDSA", "kid": "ed-1"}, append(ed.fields, "algorithms: EdDSA", "access-token: "+accessToken)
	for _, t := range []token{
		one("at_hash", "EdDSA of SHA-512", "ok", "Ed25519 hashes with SHA-512, and so does everybody", half(hashOf("RS512"), accessToken)),
		one("at_hash", "EdDSA of SHA-256", "at_hash", "a hash by another function than Ed25519's", half(hashOf("RS256"), accessToken)),
		one("at_hash", "EdDSA of another", "at_hash", "no function is named for EdDSA, which is no reason not to compare", half(hashOf("RS512"), "another")),
		one("at_hash", "EdDSA missing on the front channel", "at_hash", "no function is named for EdDSA, which is no reason not to demand", gone{}, "hashes-required: yes"),
	} {
		t.key = "ed-1"
		ed.add(k, c, "T25", t)
	}
}
