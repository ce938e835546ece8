package jwe

import (
	"bytes"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/rely-go/rely/internal/jose"
)

const (
	p256X = `"x":"mPUKT_bAWGHIhg0TpjjqVsP1rXWQu_vwVOHHtNkdYoA"`
	p256Y = `"y":"8BQAsImGeAS46fyWw5MhYfGTT0IjBpFw2SS34Dv4Irs"`
	epk   = `"epk":{"kty":"EC","crv":"P-256",` + p256X + `,` + p256Y + `}`

	oaepHeader = `{"alg":"RSA-OAEP-256","enc":"A128CBC-HS256"}`
	esHeader   = `{"alg":"ECDH-ES","enc":"A128GCM",` + epk + `}`
	kwHeader   = `{"alg":"ECDH-ES+A256KW","enc":"A256CBC-HS512",` + epk + `}`
)

// shaped is a token whose parts have these lengths.
func shaped(header string, key, iv, ciphertext, tag int) string {
	zeros := func(n int) []byte { return make([]byte, n) }
	return join(header, zeros(key), zeros(iv), zeros(ciphertext), zeros(tag))
}

func oaepShaped(header string) string { return shaped(header, 256, 16, 16, 16) }
func esShaped(header string) string   { return shaped(header, 0, 12, 5, 16) }

// Each refusal beside what is all but the same, and passes.
func TestParseRefusesShapes(t *testing.T) {
	good := oaepShaped(oaepHeader)
	es, kw := esShaped(esHeader), shaped(kwHeader, 72, 16, 32, 32)
	first, rest, _ := strings.Cut(good, ".")
	for name, c := range map[string]struct{ good, bad string }{
		"four parts":        {good, good[:strings.LastIndex(good, ".")]},
		"six parts":         {good, good + "."},
		"no header":         {good, "." + rest},
		"nothing":           {good, ""},
		"dots":              {good, "...."},
		"padding":           {good, good + "="},
		"line break":        {good, good + "\n"},
		"break inside":      {good, good[:60] + "\r\n" + good[60:]},
		"space":             {good, " " + good},
		"header padding":    {good, first + "=." + rest},
		"header break":      {good, first[:9] + "\n" + first[9:] + "." + rest},
		"trailing bits":     {good, good[:len(good)-1] + "B"},
		"standard alphabet": {good, good[:len(good)-1] + "+"},
		"no encrypted key":  {good, shaped(oaepHeader, 0, 16, 16, 16)},
		"key where none is": {es, shaped(esHeader, 1, 12, 5, 16)},
		"short wrapped key": {kw, shaped(kwHeader, 64, 16, 32, 32)},
		"long wrapped key":  {kw, shaped(kwHeader, 80, 16, 32, 32)},
		"no wrapped key":    {kw, shaped(kwHeader, 0, 16, 32, 32)},
		"short IV":          {good, shaped(oaepHeader, 256, 12, 16, 16)},
		"long IV":           {es, shaped(esHeader, 0, 16, 5, 16)},
		"no IV":             {es, shaped(esHeader, 0, 0, 5, 16)},
		"short tag":         {good, shaped(oaepHeader, 256, 16, 16, 15)},
		"long tag":          {good, shaped(oaepHeader, 256, 16, 16, 32)},
		"four bytes of tag": {es, shaped(esHeader, 0, 12, 5, 4)},
		"no tag":            {es, shaped(esHeader, 0, 12, 21, 0)},
		"tag in ciphertext": {kw, shaped(kwHeader, 72, 16, 48, 16)},
		"part of a block":   {good, shaped(oaepHeader, 256, 16, 17, 16)},
		"no block":          {good, shaped(oaepHeader, 256, 16, 0, 16)},
		"JSON":              {good, `{"protected":"` + first + `","ciphertext":"AA"}`},
	} {
		_, err := Parse(c.good, 1000)
		require.NoError(t, err, name)
		_, err = Parse(c.bad, 1000)
		assert.Equal(t, ErrShape, err, name)
	}
	_, err := Parse(good, len(good))
	require.NoError(t, err)
	_, err = Parse(good, len(good)-1)
	assert.Equal(t, ErrSize, err)
	_, err = Parse(strings.Repeat(".", 1e7), 1e8)
	assert.Equal(t, ErrShape, err)
}

func TestParseRefusesHeaders(t *testing.T) {
	replaced := func(from, to string) string { return strings.Replace(oaepHeader, from, to, 1) }
	with := func(member string) string { return replaced(`{`, `{`+member+`,`) }
	for name, c := range map[string]struct {
		good, bad string
		want      error
	}{
		"not JSON":       {oaepHeader, oaepHeader[1:], ErrHeader},
		"an array":       {oaepHeader, `[` + oaepHeader + `]`, ErrHeader},
		"something more": {oaepHeader + " ", oaepHeader + "{}", ErrHeader},
		"not UTF-8":      {with(`"x":"ä"`), with("\"x\":\"\xe4\""), ErrHeader},
		"deep":           {with(`"x":[[[[[[[]]]]]]]`), with(`"x":[[[[[[[[]]]]]]]]`), ErrHeader},
		"twice":          {with(`"Alg":1`), with(`"alg":"RSA-OAEP-256"`), ErrHeader},
		"escaped twice":  {replaced(`"alg"`, `"\u0061lg"`), with(`"\u0061lg":"RSA-OAEP-256"`), ErrHeader},
		"no alg":         {oaepHeader, replaced(`"alg"`, `"Alg"`), ErrHeader},
		"alg null":       {oaepHeader, replaced(`"RSA-OAEP-256"`, `null`), ErrHeader},
		"alg a list":     {oaepHeader, replaced(`"RSA-OAEP-256"`, `["RSA-OAEP-256"]`), ErrHeader},
		"no enc":         {oaepHeader, replaced(`"enc"`, `"Enc"`), ErrHeader},
		"enc null":       {oaepHeader, replaced(`"A128CBC-HS256"`, `null`), ErrHeader},
		"enc a number":   {oaepHeader, replaced(`"A128CBC-HS256"`, `1`), ErrHeader},
		"kid a number":   {with(`"kid":"1"`), with(`"kid":1`), ErrHeader},
		"kid null":       {with(`"kid":""`), with(`"kid":null`), ErrHeader},
		"typ an object":  {with(`"typ":"JWT"`), with(`"typ":{}`), ErrHeader},
		"cty a list":     {with(`"cty":"JWT"`), with(`"cty":["JWT"]`), ErrHeader},
		"zip":            {with(`"ZIP":"DEF"`), with(`"zip":"DEF"`), ErrHeader},
		"zip null":       {oaepHeader, with(`"zip":null`), ErrHeader},
		"crit":           {with(`"Crit":["exp"]`), with(`"crit":["exp"],"exp":1`), ErrHeader},
		"crit empty":     {oaepHeader, with(`"crit":[]`), ErrHeader},
		"crit null":      {oaepHeader, with(`"crit":null`), ErrHeader},
		"unknown alg":    {oaepHeader, replaced(`RSA-OAEP-256`, `RSA-OAEP-512`), ErrAlgorithm},
		"case of alg":    {oaepHeader, replaced(`RSA-OAEP-256`, `rsa-oaep-256`), ErrAlgorithm},
		"alg empty":      {oaepHeader, replaced(`RSA-OAEP-256`, ``), ErrAlgorithm},
		"unknown enc":    {oaepHeader, replaced(`A128CBC-HS256`, `A128CBC`), ErrAlgorithm},
		"enc as alg":     {oaepHeader, replaced(`A128CBC-HS256`, `RSA-OAEP-256`), ErrAlgorithm},
		"XC20P":          {oaepHeader, replaced(`A128CBC-HS256`, `XC20P`), ErrAlgorithm},
	} {
		_, err := Parse(oaepShaped(c.good), 1000)
		require.NoError(t, err, name)
		_, err = Parse(oaepShaped(c.bad), 1000)
		assert.Equal(t, c.want, err, name)
	}
	// p2c asks for as much work as the sender likes: it is never read.
	for _, alg := range []string{"RSA1_5", "RSA-OAEP-384", "dir", "A128KW", "A192KW", "A256KW", "A128GCMKW", "A256GCMKW", "PBES2-HS256+A128KW", "PBES2-HS384+A192KW", "PBES2-HS512+A256KW", "ECDH-1PU", "none", "HS256"} {
		_, err := Parse(oaepShaped(`{"alg":"`+alg+`","enc":"A128CBC-HS256","p2s":"AAAAAAAAAAA","p2c":2147483648}`), 1000)
		assert.Equal(t, ErrAlgorithm, err, alg)
	}
}

func TestParseRefusesAgreements(t *testing.T) {
	replaced := func(from, to string) string { return strings.Replace(esHeader, from, to, 1) }
	with := func(member string) string { return replaced(`{`, `{`+member+`,`) }
	okp := func(x string) string { return replaced(epk, `"epk":{"kty":"OKP","crv":"X25519","x":"`+x+`"}`) }
	key := strings.Repeat("A", 42)
	info := func(n int) string { return jose.Encode(bytes.Repeat([]byte{1}, n)) }
	for name, c := range map[string]struct{ good, bad string }{
		"no epk":            {esHeader, replaced(`"epk"`, `"EPK"`)},
		"epk null":          {esHeader, replaced(epk, `"epk":null`)},
		"epk a string":      {esHeader, replaced(epk, `"epk":"x"`)},
		"private":           {replaced(`{"kty"`, `{"use":"enc","kty"`), replaced(`{"kty"`, `{"d":"AA","kty"`)},
		"no kty":            {esHeader, replaced(`"kty":"EC",`, ``)},
		"kty a number":      {esHeader, replaced(`"EC"`, `1`)},
		"crv a number":      {esHeader, replaced(`"P-256"`, `256`)},
		"secp256k1":         {esHeader, replaced(`P-256`, `secp256k1`)},
		"size of P-521":     {esHeader, replaced(`P-256`, `P-521`)},
		"EC X25519":         {okp(key + "A"), strings.Replace(okp(key+"A"), `OKP`, `EC`, 1)},
		"OKP P-256":         {esHeader, replaced(`"EC"`, `"OKP"`)},
		"X448":              {okp(key + "A"), strings.Replace(okp(key+"A"), `X25519`, `X448`, 1)},
		"Ed25519":           {okp(key + "A"), strings.Replace(okp(key+"A"), `X25519`, `Ed25519`, 1)},
		"no x":              {esHeader, replaced(p256X, `"X":"x"`)},
		"no y":              {esHeader, replaced(p256Y, `"Y":"y"`)},
		"x a number":        {esHeader, replaced(p256X, `"x":1`)},
		"short x":           {esHeader, replaced(p256X, `"x":"mPUKT_bAWGHIhg0TpjjqVsP1rXWQu_vwVOHHtNkdYg"`)},
		"long x":            {esHeader, replaced(p256X, `"x":"AJj1Ck_2wFhhyIYNE6Y46lbD9a11kLv78FThx7TZHWKA"`)},
		"cut elsewhere":     {esHeader, replaced(p256X+`,`+p256Y, `"x":"mPUKT_bAWGHIhg0TpjjqVsP1rXWQu_vwVOHHtNkdYoDw","y":"FACwiYZ4BLjp_JbDkyFh8ZNPQiMGkXDZJLfgO_giuw"`)},
		"padding in x":      {esHeader, replaced(`YoA"`, `YoA="`)},
		"line break in y":   {esHeader, replaced(`Irs"`, `\nIrs"`)},
		"trailing bits":     {esHeader, replaced(`Irs"`, `Irt"`)},
		"off the curve":     {esHeader, replaced(p256Y, strings.Replace(p256Y, `8BQA`, `9BQA`, 1))},
		"origin":            {esHeader, replaced(p256X+`,`+p256Y, `"x":"`+key+`A","y":"`+key+`A"`)},
		"over the prime":    {esHeader, replaced(p256X, `"x":"`+strings.Repeat("_", 42)+`8"`)},
		"short X25519":      {okp(key + "A"), okp(key)},
		"twice in epk":      {replaced(`{"kty"`, `{"Crv":"P-256","kty"`), replaced(`{"kty"`, `{"crv":"P-256","kty"`)},
		"apu a number":      {with(`"apu":"AQ"`), with(`"apu":1`)},
		"apu null":          {with(`"apu":""`), with(`"apu":null`)},
		"apu not base64url": {with(`"apu":"AQ"`), with(`"apu":"AQ=="`)},
		"apu trailing bits": {with(`"apu":"AQ"`), with(`"apu":"AR"`)},
		"apv a list":        {with(`"apv":"AQ"`), with(`"apv":["AQ"]`)},
		"long apu":          {with(`"apu":"` + info(maxParty) + `"`), with(`"apu":"` + info(maxParty+1) + `"`)},
		"long apv":          {with(`"apv":"` + info(maxParty) + `"`), with(`"apv":"` + info(maxParty+1) + `"`)},
	} {
		_, err := Parse(esShaped(c.good), 2000)
		require.NoError(t, err, name)
		_, err = Parse(esShaped(c.bad), 2000)
		assert.Equal(t, ErrHeader, err, name)
	}
}

func TestParseReads(t *testing.T) {
	header := strings.Replace(oaepHeader, `{`, `{"kid":"k","typ":"JWT","cty":"jwt","iss":"https://op.example","jwk":{"kty":"oct","k":"AA"},"epk":1,"p2c":1,`, 1)
	c, err := Parse(oaepShaped(header), 1000)
	require.NoError(t, err)
	assert.Equal(t, []string{"RSA-OAEP-256", "A128CBC-HS256", "k", "JWT", "jwt"}, []string{c.Algorithm, c.Encryption, c.KeyID, c.Type, c.ContentType})
	issuer, ok, err := c.Header.String("iss")
	require.NoError(t, err)
	assert.True(t, ok)
	assert.Equal(t, "https://op.example", issuer)
	c, err = Parse(esShaped(strings.Replace(esHeader, `{`, `{"apu":"QWxpY2U","apv":"Qm9i",`, 1)), 1000)
	require.NoError(t, err)
	assert.Equal(t, "Alice Bob", string(c.apu)+" "+string(c.apv))
}
