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
		"no identity":      {Version: sessionVersion},
		"a legacy of none": {Version: sessionVersion, Legacy: `{}`},
	} {
		text, err := s.Seal(purposeSession, append([]byte{0}, d.pack()...), nil)
		require.NoError(t, err)
		_, err = s.OpenSession(text)
		if name == "good" {
			assert.NoError(t, err)
			continue
		}
		assert.ErrorIs(t, err, ErrSealed, name)
	}
}
