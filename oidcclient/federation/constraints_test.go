package federation

import (
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// limited resolves the provider through lower, middle and anchor, one of whose
// statements has constraints.
func limited(t *testing.T, by, about string, demanded any) (*Chain, error) {
	t.Helper()
	w := newWorld(t)
	w.deepen()
	w.link(by, about, members{"constraints": demanded})
	return w.resolver(t).Resolve(t.Context(), provider)
}

func TestConstraints(t *testing.T) {
	for name, tt := range map[string]struct {
		by, about string
		demanded  any
		check     string // "" where the chain holds
	}{
		"long enough":               {anchor, middle, members{"max_path_length": 2}, ""},
		"too long for the anchor":   {anchor, middle, members{"max_path_length": 1}, "max_path_length"},
		"too long for another":      {middle, lower, members{"max_path_length": 0}, "max_path_length"},
		"none between":              {lower, provider, members{"max_path_length": 0}, ""},
		"negative":                  {lower, provider, members{"max_path_length": -1}, "max_path_length"},
		"no number":                 {lower, provider, members{"max_path_length": "0"}, "constraints"},
		"no object":                 {lower, provider, "x", "constraints"},
		"null":                      {lower, provider, nil, "constraints"},
		"unknown ones":              {lower, provider, members{"beauty": "some"}, ""},
		"permitted":                 {anchor, middle, members{"naming_constraints": members{"permitted": []string{".EXAMPLE"}}}, ""},
		"permitted hosts":           {lower, provider, members{"naming_constraints": members{"permitted": []string{"op.example"}}}, ""},
		"one not permitted":         {anchor, middle, members{"naming_constraints": members{"permitted": []string{"op.example", "lower.example"}}}, "naming_constraints"},
		"none permitted":            {lower, provider, members{"naming_constraints": members{"permitted": []string{}}}, "naming_constraints"},
		"a host is no domain":       {lower, provider, members{"naming_constraints": members{"permitted": []string{"example"}}}, "naming_constraints"},
		"a domain is no host":       {lower, provider, members{"naming_constraints": members{"permitted": []string{".op.example"}}}, "naming_constraints"},
		"excluded":                  {anchor, middle, members{"naming_constraints": members{"excluded": []string{"lower.example"}}}, "naming_constraints"},
		"excluded though allowed":   {lower, provider, members{"naming_constraints": members{"permitted": []string{".example"}, "excluded": []string{"op.example"}}}, "naming_constraints"},
		"others excluded":           {lower, provider, members{"naming_constraints": members{"excluded": []string{"middle.example"}}}, ""},
		"those above are not bound": {middle, lower, members{"naming_constraints": members{"excluded": []string{"middle.example"}}}, ""},
	} {
		t.Run(name, func(t *testing.T) {
			_, err := limited(t, tt.by, tt.about, tt.demanded)
			if tt.check == "" {
				require.NoError(t, err)
				return
			}
			refused(t, err, tt.check)
		})
	}
}

// What a trust anchor says about itself limits all below it.
func TestConstraintsOfAnAnchor(t *testing.T) {
	for most, check := range map[int]string{2: "", 1: "max_path_length"} {
		w := newWorld(t)
		w.deepen()
		w.configurations[anchor]["constraints"] = members{"max_path_length": most}
		_, err := w.resolver(t).Resolve(t.Context(), provider)
		if check == "" {
			require.NoError(t, err)
			continue
		}
		refused(t, err, check)
	}
	w := newWorld(t)
	w.deepen()
	w.configurations[lower]["constraints"] = members{}
	_, err := w.resolver(t).Resolve(t.Context(), provider)
	refused(t, err, "constraints")
}

func TestAllowedEntityTypes(t *testing.T) {
	for name, tt := range map[string]struct {
		allowed any
		stays   bool
	}{
		"listed":     {[]string{"openid_provider"}, true},
		"not listed": {[]string{"oauth_client"}, false},
		"none":       {[]string{}, false},
	} {
		t.Run(name, func(t *testing.T) {
			chain, err := limited(t, anchor, middle, members{"allowed_entity_types": tt.allowed})
			require.NoError(t, err)
			is, err := chain.Metadata("openid_provider", &members{})
			require.NoError(t, err)
			assert.Equal(t, tt.stays, is)
		})
	}
}
