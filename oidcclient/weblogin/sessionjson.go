package weblogin

import (
	"encoding/json"
	"net/http"
	"strings"

	"github.com/rely-go/rely/oidcclient"
)

// sessionJSON is the answer of GET /session.
type sessionJSON struct {
	Client   string          `json:"client"`
	Issuer   string          `json:"issuer"`
	Subject  string          `json:"subject"`
	Claims   json.RawMessage `json:"claims"`
	UserInfo json.RawMessage `json:"userinfo"`
	ACR      string          `json:"acr"`
	AMR      []string        `json:"amr"`
	Scope    string          `json:"scope"`
	// ClaimSources are what others say about the person, and was believed.
	ClaimSources []oidcclient.ClaimSource `json:"claim_sources,omitempty"`
	// ExpiresAt is a NumericDate without fraction (RFC 7519 §2).
	ExpiresAt *int64 `json:"expires_at"`
}

// session answers who is logged in.
func (h *Handler) session(w http.ResponseWriter, r *http.Request) {
	s, err := h.current(r)
	if err == nil {
		err = h.remember(w, s)
	}
	if err != nil {
		h.fail(w, r, "", err)
		return
	}
	h.writeSession(w, r, s)
}

// shown leaves out of claims where others are: the places come with access tokens, and
// claims that were not believed.
func shown(claims json.RawMessage) (json.RawMessage, error) {
	var members map[string]json.RawMessage
	if err := json.Unmarshal(claims, &members); err != nil {
		return nil, err
	}
	if _, there := members["_claim_sources"]; !there {
		return claims, nil // as they are, so that no number changes on the way
	}
	delete(members, "_claim_sources")
	return json.Marshal(members)
}

func (h *Handler) writeSession(w http.ResponseWriter, r *http.Request, s *Session) {
	var err error
	out := sessionJSON{
		Client: s.Client, Issuer: s.Login.Issuer(), Subject: s.Login.Subject(),
		Claims: json.RawMessage("{}"), UserInfo: json.RawMessage("{}"),
		ACR: s.Login.ACR(), AMR: s.Login.AMR(), Scope: strings.Join(s.Login.Scopes(), " "), ClaimSources: s.Login.ClaimSources(),
	}
	if s.Login.Identified() {
		if err := s.Login.Claims(&out.Claims); err != nil {
			h.fail(w, r, s.Client, err)
			return
		}
	}
	if err := s.Login.UserInfoClaims(&out.UserInfo); err != nil {
		h.fail(w, r, s.Client, err)
		return
	}
	for _, claims := range []*json.RawMessage{&out.Claims, &out.UserInfo} {
		if *claims, err = shown(*claims); err != nil {
			h.fail(w, r, s.Client, err)
			return
		}
	}
	if out.AMR == nil {
		out.AMR = []string{}
	}
	if expiry := s.Login.Expiry(); !expiry.IsZero() {
		seconds := expiry.Unix()
		out.ExpiresAt = &seconds
	}
	writeJSON(w, http.StatusOK, out)
}
