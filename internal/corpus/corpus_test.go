package corpus

import (
	"strings"
	"testing"
	"testing/fstest"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// A kind and a case of it for tests of the loader.
func testKind() Kind { return Kind{Name: "k", Expect: []string{"sub"}, Fields: []string{"nonce"}} }

const testCase = "expect: sub\nclass: T23\nabout: sub is missing\nnonce: a\nnonce: b\n\nan input\n\nof lines\n"

func loadText(text string) ([]Case, error) {
	return testKind().Load(fstest.MapFS{"k/T23-one.txt": {Data: []byte(text)}})
}

func TestLoad(t *testing.T) {
	cases, err := loadText(testCase)
	require.NoError(t, err)
	require.Len(t, cases, 1)
	assert.Equal(t, Case{
		Name: "T23-one", Expect: "sub", Class: "T23", About: "sub is missing", Fields: map[string][]string{"nonce": {"a", "b"}}, Input: "an input\n\nof lines\n",
	}, cases[0])
	assert.Equal(t, "a", cases[0].Field("nonce"))
	assert.Empty(t, cases[0].Field("code"))

	cases, err = loadText(strings.Replace(testCase, "expect: sub", "expect: ok\nrepeat: 3 in\nrepeat: 2 put", 1))
	require.NoError(t, err)
	assert.Equal(t, "an inininputput\n\nof lines\n", cases[0].Input)

	cases, err = loadText("expect: ok\nclass: T23\nabout: bytes\nencoding: base64\n\nAP8=\n")
	require.NoError(t, err)
	assert.Equal(t, "\x00\xff", cases[0].Input)
}

// What is not understood tests nothing, so it is an error.
func TestLoadRefuses(t *testing.T) {
	_, err := testKind().Load(fstest.MapFS{})
	assert.ErrorContains(t, err, "no case of k")
	for name, change := range map[string][2]string{
		"unknown expectation":  {"expect: sub", "expect: nonce"},
		"no expectation":       {"expect: sub\n", ""},
		"two expectations":     {"expect: sub", "expect: sub\nexpect: ok"},
		"unknown name":         {"nonce: a", "nonces: a"},
		"no class":             {"class: T23\n", ""},
		"unknown class":        {"class: T23", "class: T99"},
		"nothing about it":     {"about: sub is missing\n", ""},
		"no value":             {"nonce: a", "nonce: "},
		"no name":              {"nonce: a", "nonce"},
		"no empty line":        {"\n\n", "\n"},
		"unknown encoding":     {"nonce: a", "encoding: hex"},
		"broken base64":        {"nonce: a", "encoding: base64"},
		"repeat not in input":  {"nonce: a", "repeat: 3 xyz"},
		"repeat once":          {"nonce: a", "repeat: 1 in"},
		"repeat not a number":  {"nonce: a", "repeat: in"},
		"repeat without bound": {"nonce: a", "repeat: 999999999 input"},
	} {
		text := strings.ReplaceAll(testCase, change[0], change[1])
		require.NotEqual(t, testCase, text, name)
		_, err := loadText(text)
		assert.Error(t, err, name)
	}
}

func TestSetup(t *testing.T) {
	s, err := Case{}.Setup(Files())
	require.NoError(t, err)
	assert.Equal(t, []string{"RS256"}, s.Algorithms)
	assert.NotEmpty(t, s.Keys)
	s, err = Case{Fields: map[string][]string{"unset": {"keys algorithms issuer"}}}.Setup(Files())
	require.NoError(t, err)
	assert.Equal(t, []string{}, s.Algorithms)
	assert.Nil(t, s.Keys)
	assert.Empty(t, s.Issuer)
	for name, value := range map[string]string{"max-age": "1m", "now": "today", "pem-tail": "no", "keys": "nobody.json", "anchors": "nobody.pem"} {
		_, err := Case{Fields: map[string][]string{name: {value}}}.Setup(Files())
		assert.Error(t, err, name)
	}
	_, err = Case{Fields: map[string][]string{"anchors": {"provider.json"}}}.Setup(Files())
	assert.Error(t, err, "no anchor is no anchors")
}
