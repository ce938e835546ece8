package weblogin

import (
	"net/http"
	"net/http/httptest"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/rely-go/rely/oidcclient"
)

func FuzzCookies(f *testing.F) {
	sealer, err := oidcclient.NewSealer(make([]byte, oidcclient.SealerKeySize))
	require.NoError(f, err)
	meta, err := sealer.Seal(purposeLogin, []byte(`{"v":1}`), []byte("__Host-rely-login-00~x"))
	require.NoError(f, err)
	f.Add("__Host-rely-login-00", "x~"+meta)
	f.Add("__Host-rely-session", newRandom())
	f.Add("__Host-rely-login-", "~")
	f.Add("__Host-rely-login-00", "v1.AAAA~v1.AAAA~")
	h := &Handler{sealer: sealer, cookie: "__Host-rely-", sessions: NewMemory(nil)}
	f.Fuzz(func(t *testing.T, name, value string) {
		_, err := h.openLogin(&http.Cookie{Name: name, Value: value})
		assert.ErrorIs(t, err, oidcclient.ErrSealed, "nothing that was not sealed here opens")
		r := httptest.NewRequest(http.MethodGet, "/", nil)
		r.Header.Set("Cookie", name+"="+value)
		if key := h.presented(r).key; key != "" {
			assert.Len(t, value, 43)
			assert.Len(t, key, 43)
		}
	})
}
