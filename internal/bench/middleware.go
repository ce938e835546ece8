package bench

import (
	"bytes"
	"crypto/aes"
	"crypto/cipher"
	"encoding/base64"
	"errors"
	"fmt"
	"net/http"
	"net/http/httptest"
	"strings"

	"github.com/alexedwards/scs/v2"
	"github.com/gorilla/sessions"

	"github.com/rely-go/rely/oidcclient"
	"github.com/rely-go/rely/oidcclient/oidctest"
	"github.com/rely-go/rely/oidcclient/oidctest/relying"
	"github.com/rely-go/rely/oidcclient/weblogin"
)

// appURL is where the application of the middleware cases is; nobody asks there.
const appURL = "http://127.0.0.1:1"

// middlewareCases are one request to a page behind a session middleware, with what
// an application keeps of a login. The limit is to open a sealed cookie of that
// size: base64 and AES-256-GCM.
func middlewareCases() ([]Case, error) {
	op, err := oidctest.New(oidctest.Config{RedirectURIs: []string{appURL + "/callback/op"}})
	if err != nil {
		return nil, err
	}
	defer op.Close()
	inCookies, cookies, login, err := loggedIn(op, true)
	if err != nil {
		return nil, err
	}
	stored, storedCookies, _, err := loggedIn(op, false)
	if err != nil {
		return nil, err
	}
	kept := map[string]string{
		"iss": login.Issuer(), "sub": login.Subject(), "id_token": login.IDToken().Raw(),
		"access_token": login.Token().AccessToken, "refresh_token": login.Token().RefreshToken, "expiry": login.Expiry().String(),
	}
	manager, managed, err := withSCS(kept)
	if err != nil {
		return nil, err
	}
	gorilla, sealed, err := withGorilla(kept)
	if err != nil {
		return nil, err
	}
	return []Case{
		{Name: "Middleware/cookie", Limit: "limit", Ahead: true, Columns: []Column{
			{"limit", openBare(len(cookies))},
			{"rely", page(behind(inCookies), cookies, login.Subject())},
			{"scs", page(manager, managed, login.Subject())},
			{"gorilla", page(gorilla, sealed, login.Subject())},
		}},
		{Name: "Middleware/memory", Limit: "scs", Ahead: true, Columns: []Column{
			{"scs", page(manager, managed, login.Subject())},
			{"rely", page(behind(stored), storedCookies, login.Subject())},
		}},
	}, nil
}

// page makes one request and looks whether the page knows the person.
func page(h http.Handler, cookies, subject string) func() error {
	return func() error {
		r := httptest.NewRequest(http.MethodGet, "/account", nil)
		r.Header.Set("Cookie", cookies)
		w := httptest.NewRecorder()
		h.ServeHTTP(w, r)
		if w.Body.String() != subject {
			return fmt.Errorf("page answered %d", w.Code)
		}
		return nil
	}
}

func behind(h *weblogin.Handler) http.Handler {
	return h.Require(weblogin.Requirement{}, http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		s, err := h.Session(r)
		if err != nil {
			return
		}
		_, _ = w.Write([]byte(s.Login.Subject()))
	}))
}

func openBare(size int) func() error {
	block := must(aes.NewCipher(make([]byte, 32)))
	aead := must(cipher.NewGCM(block))
	nonce := make([]byte, aead.NonceSize())
	text := base64.RawURLEncoding.EncodeToString(aead.Seal(nil, nonce, bytes.Repeat([]byte("x"), size*3/4), nil))
	return func() error {
		raw, err := base64.RawURLEncoding.DecodeString(text)
		if err != nil {
			return err
		}
		_, err = aead.Open(nil, nonce, raw, nil)
		return err
	}
}

// loggedIn logs somebody in and returns the Cookie header of that browser.
func loggedIn(op *oidctest.Provider, inCookies bool) (*weblogin.Handler, string, *oidcclient.Session, error) {
	config, err := relying.Config(op)
	if err != nil {
		return nil, "", nil, err
	}
	client, err := oidcclient.New(config)
	if err != nil {
		return nil, "", nil, err
	}
	h, err := weblogin.New(weblogin.Config{
		Clients: map[string]*oidcclient.Client{"op": client}, BaseURL: appURL, SessionsInCookies: inCookies,
	})
	if err != nil {
		return nil, "", nil, err
	}
	begun := httptest.NewRecorder()
	h.ServeHTTP(begun, httptest.NewRequest(http.MethodGet, "/login/op", nil))
	direct := &http.Client{CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }}
	defer direct.CloseIdleConnections()
	sent, err := direct.Get(begun.Header().Get("Location"))
	if err != nil {
		return nil, "", nil, err
	}
	defer sent.Body.Close()
	back := httptest.NewRequest(http.MethodGet, sent.Header.Get("Location"), nil)
	back.Header.Set("Cookie", cookieHeader(begun))
	done := httptest.NewRecorder()
	h.ServeHTTP(done, back)
	cookies := cookieHeader(done)
	r := httptest.NewRequest(http.MethodGet, "/", nil)
	r.Header.Set("Cookie", cookies)
	s, err := h.Session(r)
	if err != nil {
		return nil, "", nil, errors.Join(err, errors.New(done.Body.String()))
	}
	return h, cookies, s.Login, nil
}

// cookieHeader is what a browser sends after an answer.
func cookieHeader(w *httptest.ResponseRecorder) string {
	var pairs []string
	for _, c := range w.Result().Cookies() {
		if c.Value != "" {
			pairs = append(pairs, c.Name+"="+c.Value)
		}
	}
	return strings.Join(pairs, "; ")
}

func withSCS(kept map[string]string) (http.Handler, string, error) {
	manager := scs.New()
	begin := httptest.NewRecorder()
	manager.LoadAndSave(http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) {
		for name, value := range kept {
			manager.Put(r.Context(), name, value)
		}
	})).ServeHTTP(begin, httptest.NewRequest(http.MethodGet, "/", nil))
	return manager.LoadAndSave(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		_, _ = w.Write([]byte(manager.GetString(r.Context(), "sub")))
	})), cookieHeader(begin), nil
}

func withGorilla(kept map[string]string) (http.Handler, string, error) {
	store := sessions.NewCookieStore(bytes.Repeat([]byte("h"), 64), bytes.Repeat([]byte("b"), 32))
	r, begin := httptest.NewRequest(http.MethodGet, "/", nil), httptest.NewRecorder()
	session, err := store.New(r, "session")
	if err != nil {
		return nil, "", err
	}
	for name, value := range kept {
		session.Values[name] = value
	}
	if err := session.Save(r, begin); err != nil {
		return nil, "", err
	}
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		session, err := store.Get(r, "session")
		if err != nil {
			return
		}
		subject, _ := session.Values["sub"].(string)
		_, _ = w.Write([]byte(subject))
	}), cookieHeader(begin), nil
}
