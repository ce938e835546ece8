package weblogin

import (
	"encoding/json"
	"strings"
	"time"

	"github.com/rely-go/rely/idtoken"
	"github.com/rely-go/rely/internal/strictjson"
	"github.com/rely-go/rely/oidcclient"
)

const (
	metaVersion = 2
	metaDepth   = 4
	// sealSeparator stands between two sealed texts; neither can hold it.
	sealSeparator = "~"
)

// sealedMeta is what is sealed beside the oidcclient.Session.
type sealedMeta struct {
	Version   int       `json:"v"`
	Key       string    `json:"key"`
	Client    string    `json:"client"`
	StartedAt time.Time `json:"started_at"`
	EndsAt    time.Time `json:"ends_at"`
	// ExpiresAt counts in a cookie; a record has its own, which moves without
	// sealing anew.
	ExpiresAt time.Time `json:"expires_at"`
	Refreshes int64     `json:"refreshes,omitempty"`
	// Checks holds names of checks, separated by commas, with "-" before those
	// that were not made.
	Checks string `json:"checks,omitempty"`
}

// sealSession seals a session, bound to where it is kept: the key of its record
// or the name of its cookie. So nobody can put it in another place.
func (h *Handler) sealSession(s *Session, place string) (string, error) {
	meta, err := json.Marshal(sealedMeta{
		Version: metaVersion, Key: s.key, Client: s.Client, StartedAt: s.StartedAt, EndsAt: s.EndsAt, ExpiresAt: s.ExpiresAt,
		Refreshes: s.refreshes, Checks: names(s.Checks),
	})
	if err != nil {
		return "", err
	}
	return h.sealer.SealSessionWith(s.Login, meta, []byte(place))
}

// openSession opens what sealSession returned.
func (h *Handler) openSession(text, place string) (*Session, error) {
	login, meta, err := h.sealer.OpenSessionWith(text, []byte(place))
	if err != nil {
		return nil, err
	}
	var m sealedMeta
	if err := strictjson.UnmarshalClosed(meta, &m, metaDepth); err != nil || m.Version != metaVersion {
		return nil, oidcclient.ErrSealed
	}
	return &Session{
		Client: m.Client, Login: login, Checks: outcomes(m.Checks), StartedAt: m.StartedAt, EndsAt: m.EndsAt, ExpiresAt: m.ExpiresAt,
		key: m.Key, refreshes: m.Refreshes,
	}, nil
}

func names(made []idtoken.Outcome) string {
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

// outcomes finds the checks by name: their numbers may differ between versions
// of this module.
func outcomes(stored string) []idtoken.Outcome {
	if stored == "" {
		return nil
	}
	var out []idtoken.Outcome
	for name := range strings.SplitSeq(stored, ",") {
		name, not := strings.CutPrefix(name, "-")
		for _, check := range idtoken.Checks() {
			if check.String() == name {
				out = append(out, idtoken.Outcome{Check: check, Made: !not})
			}
		}
	}
	return out
}
