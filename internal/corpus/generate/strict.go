package main

import "strings"

// claimsText returns the text of good claims with more members appended.
func (f family) claimsText(more string) string {
	return strings.TrimSuffix(toJSON(f.claims), "}") + more + "}"
}

func nested(open, close string, depth int) string {
	return strings.Repeat(open, depth) + strings.Repeat(close, depth)
}

// ambiguous are claims with members that two readers understand differently.
func ambiguous(f family) map[string]string {
	good := toJSON(f.claims)
	return map[string]string{
		"sub twice":            f.claimsText(`,"sub":"mallory-000001"`),
		"sub twice the same":   f.claimsText(`,"sub":"` + subject + `"`),
		"sub twice escaped":    f.claimsText(`,"s\u0075b":"mallory-000001"`),
		"sub twice first null": `{"sub":null,` + good[1:],
		"aud twice":            f.claimsText(`,"aud":"client-2"`),
		"exp twice":            f.claimsText(`,"exp":9999999999`),
		"unknown twice":        f.claimsText(`,"x":1,"x":2`),
		"nested twice":         f.claimsText(`,"x":{"y":1,"y":2}`),
		"twice in an array":    f.claimsText(`,"x":[[{"y":1,"y":1}]]`),
		"SUB beside sub":       f.claimsText(`,"SUB":"mallory-000001"`),
		"Sub before sub":       `{"Sub":"mallory-000001",` + good[1:],
		"long s in sub":        f.claimsText(`,"ſub":"mallory-000001"`),
		"long s escaped":       f.claimsText(`,"\u017fub":"mallory-000001"`),
		"Iss beside iss":       f.claimsText(`,"Iss":"https://attacker.example"`),
		"AUD instead of aud":   strings.Replace(good, `"aud"`, `"AUD"`, 1),
		"Events":               f.claimsText(`,"Events":{}`),
		"AZP":                  f.claimsText(`,"AZP":"client-2"`),
	}
}

// notStrict are claims that are no strict JSON.
func notStrict(f family) map[string]string {
	good := toJSON(f.claims)
	return map[string]string{
		"invalid UTF-8":         f.claimsText(",\"x\":\"\xff\""),
		"invalid UTF-8 name":    f.claimsText(",\"\xc3\":1"),
		"overlong UTF-8":        f.claimsText(",\"x\":\"\xc0\xaf\""),
		"surrogate in UTF-8":    f.claimsText(",\"x\":\"\xed\xa0\x80\""),
		"UTF-8 beyond Unicode":  f.claimsText(",\"x\":\"\xf4\x90\x80\x80\""),
		"UTF-8 cut":             f.claimsText(",\"x\":\"\xe2\x82\""),
		"high surrogate alone":  f.claimsText(`,"x":"\ud83d"`),
		"low surrogate alone":   f.claimsText(`,"x":"\ude00"`),
		"surrogates turned":     f.claimsText(`,"x":"\ude00\ud83d"`),
		"surrogate in a name":   f.claimsText(`,"\ud83d":1`),
		"byte order mark":       "\xef\xbb\xbf" + good,
		"UTF-16":                utf16(good),
		"second object":         good + good,
		"text behind":           good + "x",
		"NUL behind":            good + "\x00",
		"bracket behind":        good + "}",
		"comma behind":          good + ",",
		"cut":                   good[:len(good)-1],
		"text before":           "x" + good,
		"comment":               f.claimsText(`/* */`),
		"trailing comma":        f.claimsText(`,`),
		"no colon":              f.claimsText(`,"x"1`),
		"no quotes":             f.claimsText(`,x:1`),
		"single quotes":         f.claimsText(`,'x':1`),
		"number as name":        f.claimsText(`,1:1`),
		"leading zero":          f.claimsText(`,"x":01`),
		"plus":                  f.claimsText(`,"x":+1`),
		"NaN":                   f.claimsText(`,"x":NaN`),
		"hexadecimal":           f.claimsText(`,"x":0x10`),
		"half a fraction":       f.claimsText(`,"x":1.`),
		"True":                  f.claimsText(`,"x":True`),
		"control character":     f.claimsText(",\"x\":\"\n\""),
		"NUL in a string":       f.claimsText(",\"x\":\"\x00\""),
		"unknown escape":        f.claimsText(`,"x":"\x41"`),
		"short escape":          f.claimsText(`,"x":"\u12"`),
		"form feed":             "\f" + good,
		"non-breaking space":    "\u00a0" + good,
		"brackets crossed":      f.claimsText(`,"x":[{]}`),
		"33 deep":               f.claimsText(`,"x":` + nested("[", "]", 32)),
		"10000 deep":            f.claimsText(`,"x":` + nested("[", "]", 9999)),
		"10000 deep in objects": f.claimsText(`,"x":` + nested(`{"y":`, "}", 5000)),
		"deep without end":      strings.Repeat("[", 12000),
	}
}

// strictCases are T29: what a strict reader refuses, and what it must not.
func strictCases(k keyring, c *collection) {
	f := idTokenFamily()
	good := toJSON(f.claims)
	for _, texts := range []map[string]string{ambiguous(f), notStrict(f)} {
		for name, text := range texts {
			f.add(k, c, "T29", token{name: "claims " + name, expect: "shape", about: "signed claims that are no strict JSON object: " + name, claimsText: text})
		}
	}
	f.add(k, c, "T29",
		token{name: "claims 32 deep", about: "claims as deep as they may be", claimsText: f.claimsText(`,"x":` + nested("[", "]", 31))},
		token{name: "claims with white space", about: "white space where JSON has it", claimsText: " \t\r\n" + strings.ReplaceAll(good, ",", " ,\r\n\t") + "\n"},
		token{name: "claims with surrogates", about: "a pair of surrogates, escaped", claimsText: f.claimsText(`,"x":"\ud83d\ude00"`)},
		token{name: "claims with a large number", about: "a number that no float holds, in an unknown claim", claimsText: f.claimsText(`,"x":1e400,"y":` + strings.Repeat("9", 400))},
		token{name: "claims with an empty name", about: "a claim without a name", claimsText: f.claimsText(`,"":{"":""}`)},
		token{name: "claims with brackets in strings", about: "brackets and quotes in strings", claimsText: f.claimsText(`,"x":"}]\"{[\\","y":"` + strings.Repeat("[", 100) + `"`)},
	)
	strictHeaders(k, c)
}

func utf16(text string) string {
	var b strings.Builder
	for i := range len(text) {
		b.WriteByte(0)
		b.WriteByte(text[i])
	}
	return b.String()
}

// strictHeaders are T29 in the header.
func strictHeaders(k keyring, c *collection) {
	f := idTokenFamily()
	const good = `{"alg":"RS256","kid":"rsa-1"}`
	for name, text := range map[string]string{
		"alg twice":         `{"alg":"none","alg":"RS256","kid":"rsa-1"}`,
		"alg twice turned":  `{"alg":"RS256","alg":"none","kid":"rsa-1"}`,
		"alg twice escaped": `{"alg":"RS256","\u0061lg":"none","kid":"rsa-1"}`,
		"kid twice":         `{"alg":"RS256","kid":"rsa-1","kid":"rsa-2"}`,
		"nested twice":      `{"alg":"RS256","kid":"rsa-1","jwk":{"n":"AQ","n":"AQ"}}`,
		"invalid UTF-8":     "{\"alg\":\"RS256\",\"kid\":\"rsa-1\",\"x\":\"\xff\"}",
		"surrogate alone":   `{"alg":"RS256","kid":"rsa-1","x":"\udc00"}`,
		"text behind":       good + "x", "object behind": good + good, "byte order mark": "\xef\xbb\xbf" + good, "array": `["RS256"]`, "null": "null", "string": `"RS256"`, "cut": good[:len(good)-1], "single quotes": `{'alg':'RS256'}`,
		"5 deep":     `{"alg":"RS256","kid":"rsa-1","x":` + nested("[", "]", 4) + `}`,
		"10000 deep": `{"alg":"RS256","kid":"rsa-1","x":` + nested("[", "]", 9999) + `}`,
	} {
		f.add(k, c, "T29", token{name: "header " + name, expect: "shape", about: "a header that is no strict JSON object: " + name, headerText: text})
	}
	f.add(k, c, "T29",
		token{name: "header 4 deep", about: "a header as deep as it may be", headerText: `{"alg":"RS256","kid":"rsa-1","x":` + nested("[", "]", 3) + `}`},
		token{name: "header with white space", about: "white space where JSON has it", headerText: "\n{ \"alg\" : \"RS256\" ,\t\"kid\":\"rsa-1\" }\r\n"},
		token{name: "header ALG beside alg", about: "ALG is an unknown member, and alg counts", headerText: `{"ALG":"none","alg":"RS256","kid":"rsa-1"}`},
		token{name: "header ALG instead of alg", expect: "header", about: "ALG is an unknown member, and there is no alg", headerText: `{"ALG":"RS256","kid":"rsa-1"}`},
	)
}
