package oidcclient

import (
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// What another version sealed, or what holds no identity, is no session, although
// the key is right.
func TestOpenSessionOfAnotherVersion(t *testing.T) {
	s, err := NewSealer(make([]byte, SealerKeySize))
	require.NoError(t, err)
	const token = "e30.e30.AA"
	for name, d := range map[string]sessionData{
		"good":             {Version: sessionVersion, IDToken: token},
		"another version":  {Version: sessionVersion + 1, IDToken: token},
		"nobody's":         {Version: sessionVersion, AccessToken: "at"},
		"of no use":        {Version: sessionVersion},
		"no identity":      {Version: sessionVersion, Subject: "anna", AccessToken: "at"},
		"a legacy of none": {Version: sessionVersion, Legacy: `{}`},
	} {
		text, err := s.Seal(purposeSession, append([]byte{0}, d.pack()...), nil)
		require.NoError(t, err)
		_, err = s.OpenSession(text)
		if name == "good" || name == "nobody's" {
			assert.NoError(t, err)
			continue
		}
		assert.ErrorIs(t, err, ErrSealed, name)
	}
}

// A frame that does not fit its text is no session, although the key is right.
func TestOpenSessionOfABadFrame(t *testing.T) {
	s, err := NewSealer(make([]byte, SealerKeySize))
	require.NoError(t, err)
	d := sessionData{Version: sessionVersion, IDToken: "e30.e30.AA"}
	for name, plain := range map[string]string{
		"good":                       "\x01x" + string(d.pack()),
		"nothing":                    "",
		"a length beyond the end":    "\xff\xff\xff\xff\x7f" + string(d.pack()),
		"a length that does not end": "\xff\xff",
		"a length of 70 bits":        "\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\x01" + string(d.pack()),
		"no session behind it":       "\x01x",
	} {
		text, err := s.Seal(purposeSession, []byte(plain), nil)
		require.NoError(t, err)
		session, beside, err := s.OpenSessionWith(text, nil)
		if name == "good" {
			require.NoError(t, err)
			assert.Equal(t, "x", string(beside))
			assert.NotNil(t, session)
			continue
		}
		assert.ErrorIs(t, err, ErrSealed, name)
	}
	text, err := s.Seal(purposeSession, append([]byte("\x01x"), d.pack()...), nil)
	require.NoError(t, err)
	_, err = s.OpenSession(text)
	assert.ErrorIs(t, err, ErrSealed, "something is beside it that nobody asked for")
}
