package weblogin

import (
	"bytes"
	"compress/flate"
	"encoding/binary"
	"errors"
	"io"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"time"

	"github.com/rely-go/rely/oidcclient"
)

// A client that sends its requests by reference (oidcclient.CarryReference) has its
// request objects served here. Nothing is stored for that, so that nobody can fill a
// store by beginning logins, and every replica serves every request: the handle in the
// URL is the request itself, deflated and sealed, and the object is signed when the
// provider fetches it, which it may do as often as it likes while the handle is good.

const (
	hostedLifetime = 5 * time.Minute
	maxRequestURI  = 512     // characters (OpenID Connect Core §6.2)
	maxHosted      = 8 << 10 // bytes of parameters
	purposeHosted  = "hosted request"
)

// reference gives the client the request_uri of a login's parameters.
func (h *Handler) reference(id string) func(url.Values) (string, error) {
	return func(params url.Values) (string, error) {
		text, err := h.deflated(id, params)
		if err != nil {
			return "", err
		}
		plain := binary.BigEndian.AppendUint64(nil, uint64(h.now().Add(hostedLifetime).Unix()))
		handle, err := h.sealer.Seal(purposeHosted, append(plain, text...), []byte(id))
		if err != nil {
			return "", err
		}
		uri := h.base.String() + "/request/" + url.PathEscape(id) + "/" + handle
		if len(uri) > maxRequestURI {
			return "", errors.New("weblogin: request is too long to be sent by reference (OpenID Connect Core §6.2)")
		}
		return uri, nil
	}
}

// dictionary is what most requests of a client have in common.
func (h *Handler) dictionary(id string) []byte {
	client, each := h.clients[id], h.clients[id].Defaults()
	prompt := "login"
	if each.Prompt != nil {
		prompt = strings.Join(each.Prompt, " ")
	}
	usual := url.Values{
		"client_id": {client.ClientID()}, "redirect_uri": {client.RedirectURI()}, "scope": {strings.Join(each.Scopes, " ")},
		"response_mode": {client.ResponseMode()}, "response_type": {"code id_token token"}, "code_challenge": {""}, "code_challenge_method": {"S256"},
		"state": {""}, "nonce": {""}, "dpop_jkt": {""}, "max_age": {"0"}, "prompt": {prompt}, "login_hint": {each.LoginHint},
		"acr_values": {strings.Join(each.ACRValues, " ")}, "ui_locales": {strings.Join(each.UILocales, " ")},
		"claims": {each.Claims}, "authorization_details": {each.AuthorizationDetails}, "resource": each.Resources,
	}
	return []byte(usual.Encode() + "&response_type=code")
}

func (h *Handler) deflated(id string, params url.Values) ([]byte, error) {
	var out bytes.Buffer
	w, err := flate.NewWriterDict(&out, flate.BestCompression, h.dictionary(id))
	if err != nil {
		return nil, err
	}
	text := params.Encode()
	if len(text) > maxHosted {
		return nil, errors.New("weblogin: request is too long to be served")
	}
	if _, err := io.WriteString(w, text); err != nil {
		return nil, err
	}
	err = w.Close()
	return out.Bytes(), err
}

// hosted serves a request object to the provider (RFC 9101 §5.2.3).
func (h *Handler) hosted(w http.ResponseWriter, r *http.Request) {
	id := r.PathValue("id")
	client := h.clients[id]
	if client == nil || !client.ByReference() {
		h.fail(w, r, "", notFound())
		return
	}
	params, err := h.openHosted(id, r.PathValue("handle"))
	if err != nil {
		h.fail(w, r, id, notFound())
		return
	}
	object, err := client.RequestObject(r.Context(), params)
	if err != nil {
		h.fail(w, r, id, err)
		return
	}
	w.Header().Set("Content-Type", "application/oauth-authz-req+jwt")
	_, _ = io.WriteString(w, object) // the provider may be gone
}

func (h *Handler) openHosted(id, handle string) (url.Values, error) {
	plain, err := h.sealer.Open(purposeHosted, handle, []byte(id))
	if err != nil {
		return nil, err
	}
	if len(plain) < 8 || h.now().Unix() >= int64(binary.BigEndian.Uint64(plain)) {
		return nil, oidcclient.ErrSealed
	}
	text, err := io.ReadAll(io.LimitReader(flate.NewReaderDict(bytes.NewReader(plain[8:]), h.dictionary(id)), maxHosted))
	if err != nil {
		return nil, err
	}
	params, err := url.ParseQuery(string(text))
	if err == nil && !slices.Equal(params["client_id"], []string{h.clients[id].ClientID()}) {
		err = oidcclient.ErrSealed // of a former registration
	}
	return params, err
}
