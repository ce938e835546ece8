package federation

import (
	"encoding/json"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/rely-go/rely/internal/strictjson"
)

// Whatever is read as a statement says who it is by, and has keys and an end.
func FuzzReadStatement(f *testing.F) {
	f.Add("eyJ0eXAiOiJlbnRpdHktc3RhdGVtZW50K2p3dCIsImtpZCI6IjEifQ.e30.AAAA")
	f.Add("eyJ0eXAiOiJlbnRpdHktc3RhdGVtZW50K2p3dCIsImtpZCI6IjEiLCJhbGciOiJFUzI1NiJ9.eyJpc3MiOiJodHRwczovL29wLmV4YW1wbGUvdGVuYW50Iiwic3ViIjoiaHR0cHM6Ly9vcC5leGFtcGxlL3RlbmFudCIsImlhdCI6MSwiZXhwIjo5OTk5OTk5OTk5LCJqd2tzIjp7ImtleXMiOlt7Imt0eSI6Ik9LUCIsImNydiI6IkVkMjU1MTkiLCJ4IjoiMTFxWUFZS3hDcmZWU183VHlXUUhPZzdoY3ZQYXBpTWxyd0lhYVBjSFVSbyIsImtpZCI6IjEifV19fQ.AAAA")
	f.Fuzz(func(t *testing.T, raw string) {
		s, err := readStatement(raw, provider, provider, testNow)
		if err != nil {
			return
		}
		require.Equal(t, provider, s.issuer)
		require.Equal(t, provider, s.subject)
		require.True(t, testNow.Before(s.expiry))
		require.NotEmpty(t, s.jwks)
	})
}

// Whatever policies allow, they allow again: a second application changes nothing.
func FuzzPolicies(f *testing.F) {
	f.Add(`{"a":["x"],"scope":"openid email"}`, `{"a":{"add":["y"],"subset_of":["x","y"]},"scope":{"subset_of":["openid"]}}`)
	f.Add(`{"a":{"b":1}}`, `{"a":{"one_of":[{"b":1}],"essential":true},"c":{"default":1.50}}`)
	f.Add(`{"a":1}`, `{"a":{"value":null}}`)
	f.Fuzz(func(t *testing.T, members, policy string) {
		object, err := strictjson.ParseObject([]byte(`{"metadata":{"t":`+members+`},"metadata_policy":{"t":`+policy+`}}`), maxDepth)
		if err != nil {
			return
		}
		link := &statement{claims: object}
		if link.readMetadata() != nil {
			return
		}
		c := &Chain{metadata: link.metadata}
		if c.applyPolicies([]*statement{link}) != nil {
			return
		}
		once, err := json.Marshal(c.metadata)
		require.NoError(t, err)
		require.NoError(t, c.applyPolicies([]*statement{link}))
		again, err := json.Marshal(c.metadata)
		require.NoError(t, err)
		require.Equal(t, string(once), string(again))
	})
}
