package conformance

import (
	"bufio"
	"os"
	"slices"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// A module is one of the suite's, under its name, or one of ours about what the
// suite can't see.
type module struct {
	name string
	// in lists the response types and modes for which it runs; nil: once, with the
	// code in a query.
	in []variant
	// run plays it.
	run func(*rp)
}

// after is the module once prepare is done.
func (m module) after(prepare func(*rp)) module {
	run := m.run
	m.run = func(r *rp) {
		prepare(r)
		run(r)
	}
	return m
}

// modules lists all modules. Each family has a file.
func modules() []module {
	return slices.Concat(coreModules(), logoutModules(), fapiModules(), federationModules(), beyondModules())
}

// A variant is a response type and a response mode.
type variant struct{ responseType, responseMode string }

func (v variant) String() string { return v.responseType + " by " + v.responseMode }

// has reports whether the response type has one of the parts.
func (v variant) has(part string) bool { return slices.Contains(strings.Fields(v.responseType), part) }

// basic are the variants with a code alone.
func basic() []variant {
	return []variant{{"code", "query"}, {"code", "form_post"}}
}

// front are those in which more than a code comes with the browser.
func front() (out []variant) {
	for _, responseType := range []string{"id_token", "id_token token", "code id_token", "code token", "code id_token token"} {
		out = append(out, variant{responseType, "fragment"}, variant{responseType, "form_post"})
	}
	return out
}

// all are those with an ID token anywhere.
func all() []variant { return slices.Concat(basic(), front()) }

// oneOfEach are one with a code alone, one hybrid and one implicit.
func oneOfEach() []variant {
	return []variant{{"code", "query"}, {"code id_token", "form_post"}, {"id_token", "fragment"}}
}

// with are those of all that have every one of the parts.
func with(parts ...string) []variant {
	return slices.DeleteFunc(all(), func(v variant) bool {
		return slices.ContainsFunc(parts, func(part string) bool { return !v.has(part) })
	})
}

// withUserInfo are those with an access token, by which userinfo can be had.
func withUserInfo() []variant {
	return slices.DeleteFunc(all(), func(v variant) bool { return !v.hasUserInfo() })
}

func (v variant) hasUserInfo() bool { return v.has("code") || v.has("token") }

func TestModules(t *testing.T) {
	for _, m := range modules() {
		t.Run(m.name, func(t *testing.T) {
			if m.in == nil {
				m.run(newRP(t, variant{"code", "query"}))
				return
			}
			for _, v := range m.in {
				t.Run(v.String(), func(t *testing.T) { m.run(newRP(t, v)) })
			}
		})
	}
}

// Every module of the list is played, and none that is not in it.
func TestEveryModuleIsPlayed(t *testing.T) {
	file, err := os.Open("testdata/modules.txt")
	require.NoError(t, err)
	defer file.Close()
	var listed, played []string
	for lines := bufio.NewScanner(file); lines.Scan(); {
		fields := strings.Split(lines.Text(), "\t")
		if strings.HasPrefix(fields[0], "#") {
			continue
		}
		require.Len(t, fields, 4, "name, family, what the provider does, what has to happen: %s", fields[0])
		listed = append(listed, fields[0])
	}
	for _, m := range modules() {
		require.True(t, m.in == nil || len(m.in) > 0, "%s is played in no variant", m.name)
		played = append(played, m.name)
	}
	slices.Sort(played)
	assert.Equal(t, slices.Compact(slices.Clone(played)), played, "a name stands for one module")
	slices.Sort(listed)
	assert.Equal(t, listed, played)
}
