package conformance

import (
	"slices"

	"github.com/stretchr/testify/assert"
)

// coreModules are those of OpenID Connect Core and Discovery.
func coreModules() []module {
	return slices.Concat(flowModules(), idTokenModules())
}

// flowModules are about what a login sends and takes.
func flowModules() []module {
	return []module{
		{"oidcc-client-test", all(), func(r *rp) {
			s := r.accepted(r.login())
			var claims struct{ Name, Email string }
			assert.NoError(r, s.UserInfoClaims(&claims))
		}},
	}
}
