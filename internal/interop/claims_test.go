package interop_test

import (
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/rely-go/rely/oidcclient"
)

// testAskedClaims asks for single claims of the ID token, which this provider gives as
// they are: whether they are what was asked for is for the relying party to see.
func testAskedClaims(t *testing.T, rp *relyingParty, op *engine) {
	client := newClient(t, rp.config(op.issuer, "basic", secret))
	for name, tt := range map[string]struct {
		person, request string
		good            bool
	}{
		"her own":         {"bob", `{"id_token":{"email":{"essential":true,"value":"bob@example.test"}}}`, true},
		"one of two":      {"bob", `{"id_token":{"email":{"essential":true,"values":["alice@example.test","bob@example.test"]}}}`, true},
		"somebody else's": {"alice", `{"id_token":{"email":{"essential":true,"value":"bob@example.test"}}}`, false},
		"a boolean":       {"bob", `{"id_token":{"email_verified":{"essential":true,"value":false}}}`, true},
		"another boolean": {"bob", `{"id_token":{"email_verified":{"essential":true,"value":true}}}`, false},
		"unknown":         {"bob", `{"id_token":{"openbanking_intent_id":{"essential":true,"value":"i-1"}}}`, false},
		"only essential":  {"bob", `{"id_token":{"openbanking_intent_id":{"essential":true}}}`, true},
		"a wish":          {"alice", `{"id_token":{"email":{"value":"bob@example.test"}}}`, true},
	} {
		t.Run(name, func(t *testing.T) {
			session, err := newBrowser(t, rp.origin).login(t, client, oidcclient.BeginOptions{LoginHint: tt.person, Claims: tt.request})
			if tt.good {
				require.NoError(t, err)
				assert.Equal(t, tt.person, session.Subject())
				return
			}
			var refused *oidcclient.Error
			require.ErrorAs(t, err, &refused)
			assert.Equal(t, "claims", refused.Check)
			assert.Equal(t, oidcclient.StepIdentity, refused.Step)
		})
	}
}
