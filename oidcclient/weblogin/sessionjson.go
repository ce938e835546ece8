package weblogin

import (
	"encoding/json"
	"net/http"
	"strings"
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

func (h *Handler) writeSession(w http.ResponseWriter, r *http.Request, s *Session) {
	out := sessionJSON{
		Client: s.Client, Issuer: s.Login.Issuer(), Subject: s.Login.Subject(),
		Claims: json.RawMessage("{}"), UserInfo: json.RawMessage("{}"),
		ACR: s.Login.ACR(), AMR: s.Login.AMR(), Scope: strings.Join(s.Login.Scopes(), " "),
	}
	// As they are, so that no number changes on the way.
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
	if out.AMR == nil {
		out.AMR = []string{}
	}
	if expiry := s.Login.Expiry(); !expiry.IsZero() {
		seconds := expiry.Unix()
		out.ExpiresAt = &seconds
	}
	writeJSON(w, http.StatusOK, out)
}
