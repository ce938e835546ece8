package main

import (
	"net/http"
	"net/http/httptest"
	"net/url"
	"runtime"
	"strconv"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/rely-go/rely/oidcclient/grants"
)

// waitingApp has a provider that counts the logins which begin there, and refuses while it is told to.
func waitingApp(t *testing.T) (a *app, asked *atomic.Int64, down *atomic.Bool) {
	t.Helper()
	asked, down = &atomic.Int64{}, &atomic.Bool{}
	begin := func(answer string) http.HandlerFunc {
		return func(w http.ResponseWriter, r *http.Request) {
			asked.Add(1)
			if down.Load() {
				says(http.StatusBadRequest, `{"error":"unauthorized_client"}`)(w, r)
				return
			}
			says(http.StatusOK, answer)(w, r)
		}
	}
	a = beyondApp(t, map[string]http.HandlerFunc{
		"POST /device": begin(`{"device_code":"dc","user_code":"AB-CD","verification_uri":"https://op.example/d","expires_in":600,"interval":100}`),
		"POST /bc":     begin(`{"auth_req_id":"r1","expires_in":600,"interval":100}`),
	}, "").(*app)
	return a, asked, down
}

// strangers fill all places but some with logins that were begun an age ago.
func strangers(t *testing.T, a *app, but int, age time.Duration) {
	t.Helper()
	d, err := grants.BeginDevice(t.Context(), a.places.clients["one"], grants.DeviceRequest{Clock: func() time.Time { return time.Now().Add(-age) }})
	require.NoError(t, err)
	if a.waiting.logins == nil {
		a.waiting.logins = map[string]waits{}
	}
	for i := 0; len(a.waiting.logins) < maxWaiting-but; i++ {
		name := "stranger" + strconv.Itoa(i)
		a.waiting.logins[name] = waits{Waiting: d.Waiting, client: "one", browser: name}
	}
}

func TestStrangersPushNobodyOut(t *testing.T) {
	a, asked, down := waitingApp(t)
	w, out := ask(t, a, "POST", "/device/one", nil)
	require.Equal(t, http.StatusOK, w.Code, w.Body)
	victim := []string{"Cookie", w.Result().Cookies()[0].Name + "=" + w.Result().Cookies()[0].Value}
	poll := "/device/one/" + out["handle"].(string)

	strangers(t, a, 1, 0)
	down.Store(true)
	w, _ = ask(t, a, "POST", "/device/one", nil)
	require.Equal(t, http.StatusBadGateway, w.Code, "what does not begin takes no place")
	down.Store(false)
	w, _ = ask(t, a, "POST", "/ciba/one", url.Values{"login_hint": {"anna"}})
	require.Equal(t, http.StatusAccepted, w.Code, "the last place: %s", w.Body)
	before := asked.Load()
	for _, target := range []string{"/device/one", "/ciba/one"} {
		w, out = ask(t, a, "POST", target, url.Values{"login_hint": {"anna"}})
		assert.Equal(t, []any{http.StatusServiceUnavailable, "temporarily_unavailable", "60"}, []any{w.Code, out["error"], w.Header().Get("Retry-After")}, target)
	}
	assert.Equal(t, before, asked.Load(), "nobody's phone rings for what is not kept")
	w, _ = ask(t, a, "GET", poll, nil, victim...)
	assert.Equal(t, http.StatusAccepted, w.Code)
}

func TestLoginsThatAreOverMakeRoom(t *testing.T) {
	for name, tt := range map[string]struct {
		but  int
		age  time.Duration
		kept int // of the strangers
	}{
		"there is room, and they are told":   {1, 11 * time.Minute, maxWaiting - 1},
		"there is none, and they are not":    {0, 11 * time.Minute, 0},
		"nobody asks for so long any more":   {1, 21 * time.Minute, 0},
		"they wait, and are a place too few": {1, 9 * time.Minute, maxWaiting - 1},
	} {
		a, _, _ := waitingApp(t)
		strangers(t, a, tt.but, tt.age)
		w, _ := ask(t, a, "POST", "/device/one", nil)
		assert.Equal(t, http.StatusOK, w.Code, name)
		assert.Len(t, a.waiting.logins, tt.kept+1, name)
	}
}

func TestManyLoginsOfOneBrowser(t *testing.T) {
	a, _, _ := waitingApp(t)
	begin := func(browser ...string) (handle, cookie string) {
		w, out := ask(t, a, "POST", "/device/one", nil, browser...)
		require.Equal(t, http.StatusOK, w.Code, w.Body)
		if cookies := w.Result().Cookies(); len(cookies) > 0 {
			cookie = cookies[0].Name + "=" + cookies[0].Value
		}
		return out["handle"].(string), cookie
	}
	poll := func(handle string, cookie string) int {
		w, _ := ask(t, a, "GET", "/device/one/"+handle, nil, "Cookie", cookie)
		return w.Code
	}
	of, cookieOf := begin()
	first, cookie := begin()
	handles := []string{first}
	for range maxOfOne - 1 {
		handle, again := begin("Cookie", cookie)
		require.Empty(t, again, "it has a name")
		handles = append(handles, handle)
	}
	assert.Equal(t, http.StatusAccepted, poll(first, cookie))
	last, _ := begin("Cookie", cookie)
	assert.Equal(t, http.StatusNotFound, poll(first, cookie), "the oldest makes room")
	for _, handle := range append(handles[1:], last) {
		assert.Equal(t, http.StatusAccepted, poll(handle, cookie))
	}
	assert.Equal(t, http.StatusAccepted, poll(of, cookieOf), "of another browser, and older")

	_, again := begin("Cookie", waitingCookie+"="+strings.Repeat("x", maxName))
	assert.Empty(t, again)
	_, again = begin("Cookie", waitingCookie+"="+strings.Repeat("x", maxName+1))
	assert.NotEmpty(t, again, "a long name is not remembered ten thousand times")
}

// A provider may notify before its answer was read here, and after the browser has asked.
func TestNotificationAtAnyTime(t *testing.T) {
	var a *app
	notify := func(token string) int {
		r := httptest.NewRequest("POST", "/ciba-notification/one", strings.NewReader(`{"auth_req_id":"r1"}`))
		r.Header.Set("Authorization", "Bearer "+token)
		r.Header.Set("Content-Type", "application/json")
		w := httptest.NewRecorder()
		a.ServeHTTP(w, r)
		return w.Code
	}
	early, token := make(chan int, 1), make(chan string, 1)
	a = beyondApp(t, map[string]http.HandlerFunc{"POST /bc": func(w http.ResponseWriter, r *http.Request) {
		token <- r.FormValue("client_notification_token")
		bearer := r.FormValue("client_notification_token")
		go func() { early <- notify(bearer) }()
		for waited := false; !waited; runtime.Gosched() {
			a.waiting.mu.Lock()
			waited = a.waiting.ended != nil
			a.waiting.mu.Unlock()
		}
		says(http.StatusOK, `{"auth_req_id":"r1","expires_in":600,"interval":100}`)(w, r)
	}}, `,"backchannel_token_delivery_mode":"ping","backchannel_client_notification_endpoint":"http://127.0.0.1:8080/ciba-notification/one"`).(*app)
	w, out := ask(t, a, "POST", "/ciba/one", url.Values{"login_hint": {"anna"}})
	require.Equal(t, http.StatusAccepted, w.Code, w.Body)
	assert.Equal(t, http.StatusNoContent, <-early)

	a.waiting.take(out["handle"].(string))
	bearer := <-token
	assert.Equal(t, http.StatusNoContent, notify(bearer))
	assert.Equal(t, http.StatusUnauthorized, notify("x"+bearer))
	cookie := w.Result().Cookies()[0]
	w, _ = ask(t, a, "GET", "/ciba/one/"+out["handle"].(string), nil, "Cookie", cookie.Name+"="+cookie.Value)
	assert.Equal(t, http.StatusNotFound, w.Code)
}
