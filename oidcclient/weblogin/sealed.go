package weblogin

import (
	"strings"
	"sync"

	"github.com/rely-go/rely/idtoken"
	"github.com/rely-go/rely/internal/packed"
	"github.com/rely-go/rely/oidcclient"
)

const (
	// sealedVersion counts the changes of what is sealed beside the
	// oidcclient.Session.
	sealedVersion = 2
	// sealSeparator stands between two sealed texts; neither can hold it.
	sealSeparator = "~"
)

// sealSession seals a session, bound to where it is kept: the key of its record
// or the name of its cookie. So nobody can put it in another place.
func (h *Handler) sealSession(s *Session, place string) (string, error) {
	var w packed.Writer
	w.Int(sealedVersion)
	w.Text(s.key)
	w.Text(s.Client)
	w.Time(s.StartedAt)
	w.Time(s.EndsAt)
	w.Time(s.ExpiresAt) // counts in a cookie; a record has its own, which moves without sealing anew
	w.Int(s.refreshes)
	w.Text(s.checks)
	w.Texts(s.marks())
	return h.sealer.SealSessionWith(s.Login, w.Bytes(), []byte(place))
}

// openSession opens what sealSession returned.
func (h *Handler) openSession(text, place string) (*Session, error) {
	login, beside, err := h.sealer.OpenSessionWith(text, []byte(place))
	if err != nil {
		return nil, err
	}
	r := packed.NewReader(beside)
	version := r.Int()
	s := &Session{
		key: r.Text(), Client: r.Text(), Login: login, StartedAt: r.Time(), EndsAt: r.Time(), ExpiresAt: r.Time(),
		refreshes: r.Int(), checks: r.Text(), markKeys: r.Texts(),
	}
	if !r.Done() || version != sealedVersion {
		return nil, oidcclient.ErrSealed
	}
	return s, nil
}

// named writes the outcomes of checks by name, separated by commas, with "-"
// before those that were not made: their numbers may differ between versions of
// this module.
func named(made []idtoken.Outcome) string {
	var b strings.Builder
	for i, outcome := range made {
		if i > 0 {
			b.WriteByte(',')
		}
		if !outcome.Made {
			b.WriteByte('-')
		}
		b.WriteString(outcome.Check.String())
	}
	return b.String()
}

var checkByName = sync.OnceValue(func() map[string]idtoken.Check {
	byName := map[string]idtoken.Check{}
	for _, check := range idtoken.Checks() {
		byName[check.String()] = check
	}
	return byName
})

// Checks returns what was checked before the person was believed, without
// personal data. It is empty for a legacy identity.
func (s *Session) Checks() []idtoken.Outcome {
	if s.checks == "" {
		return nil
	}
	var out []idtoken.Outcome
	for name := range strings.SplitSeq(s.checks, ",") {
		name, not := strings.CutPrefix(name, "-")
		if check, ok := checkByName()[name]; ok {
			out = append(out, idtoken.Outcome{Check: check, Made: !not})
		}
	}
	return out
}
