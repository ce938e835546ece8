package clientconfig

import (
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"unicode"

	"github.com/rely-go/rely/internal/strictjson"
	"github.com/rely-go/rely/oidcclient"
	"github.com/rely-go/rely/oidcclient/federation"
)

const (
	maxFile  = 4 << 20 // bytes
	maxDepth = 32
)

// A File is a configuration file that was read and understood.
type File struct {
	// BaseURL is where browsers find the application, without a slash at its
	// end; "" when the file does not say.
	BaseURL string
	// Clients has a configuration for each name.
	Clients map[string]oidcclient.Config
	// Resources has the URL of the API that the application calls with each
	// client's tokens, for those that name one.
	Resources map[string]string
	// Pings has the clients whose logins without a browser are to be notified of (ping
	// mode of OpenID Connect CIBA Core §5).
	Pings map[string]bool

	keyMembers map[string]string                  // which member says how each client signs
	federated  map[string]federation.EntityConfig // clients of federations, without metadata
}

// An Error names the client and the member of a file that are wrong. Its text is
// one line and holds no secret.
type Error struct {
	Client string // "" when it is about the file as a whole
	Member string // "" when no member can be named
	Reason string // what is wrong, without secrets
	Err    error  // the cause, where there is one
}

func (e *Error) Error() string {
	text := "clientconfig: "
	if e.Client != "" {
		text += fmt.Sprintf("client %q: ", e.Client)
	}
	if e.Member != "" {
		text += oneLine(e.Member) + ": "
	}
	return text + oneLine(e.Reason)
}

// oneLine quotes what a name in the file would break up: JSON allows any character there.
func oneLine(text string) string {
	if strings.ContainsFunc(text, func(r rune) bool { return !unicode.IsPrint(r) }) {
		return strconv.Quote(text)
	}
	return text
}

// Unwrap returns the cause.
func (e *Error) Unwrap() error { return e.Err }

// ReadFile reads a file. Other files that it names are looked for beside it. Its
// error is an [*Error], or that of opening the file.
func ReadFile(path string) (*File, error) {
	f, err := os.Open(path)
	if err != nil {
		return nil, err
	}
	defer f.Close()
	return Read(f, filepath.Dir(path))
}

// Read reads the text of a file; dir is where the files are that it names by
// relative paths. Its error is an [*Error], or that of reading.
func Read(r io.Reader, dir string) (*File, error) {
	text, err := io.ReadAll(io.LimitReader(r, maxFile+1))
	if err != nil {
		return nil, err
	}
	if len(text) > maxFile {
		return nil, &Error{Reason: "is larger than 4 MiB"}
	}
	var members struct {
		BaseURL string                     `json:"base_url"`
		Clients map[string]json.RawMessage `json:"clients"`
	}
	if err := strictjson.UnmarshalClosed(text, &members, maxDepth); err != nil {
		return nil, jsonError(err)
	}
	if len(members.Clients) == 0 {
		return nil, &Error{Member: "clients", Reason: "is missing or names none"}
	}
	file := &File{BaseURL: members.BaseURL, Clients: map[string]oidcclient.Config{}, Resources: map[string]string{}, Pings: map[string]bool{}, keyMembers: map[string]string{}, federated: map[string]federation.EntityConfig{}}
	for _, name := range slices.Sorted(maps.Keys(members.Clients)) {
		var member Client
		if err := strictjson.UnmarshalClosed(members.Clients[name], &member, maxDepth); err != nil {
			wrong := jsonError(err)
			wrong.Client = name
			return nil, wrong
		}
		member.chooseRedirect(name)
		config, err := member.config(dir)
		if err == nil {
			err = member.places(members.BaseURL)
		}
		if err == nil && member.Federation != nil {
			file.federated[name], err = member.entity()
		}
		if err != nil {
			err.Client = name
			return nil, err
		}
		file.Clients[name], file.keyMembers[name] = config, member.keyMember()
		file.Pings[name] = member.BackchannelTokenDeliveryMode == "ping"
		if member.Resource != "" {
			file.Resources[name] = member.Resource
		}
	}
	return file, nil
}

// New makes a client of each configuration. adjust, when not nil, may change
// each one before, to set what is not for a file: a logger, an HTTP client. Its
// error is an [*Error] about the first client, by name, that can't be made.
func (f *File) New(adjust func(name string, c *oidcclient.Config)) (map[string]*oidcclient.Client, error) {
	clients := make(map[string]*oidcclient.Client, len(f.Clients))
	for _, name := range slices.Sorted(maps.Keys(f.Clients)) {
		config := f.Clients[name]
		if adjust != nil {
			adjust(name, &config)
		}
		client, err := oidcclient.New(config)
		if err != nil {
			return nil, named(name, err, f.keyMembers[name])
		}
		clients[name] = client
	}
	return clients, nil
}

// named says in a file's words which field of a Config was wrong. keyMember is that of
// the key.
func named(client string, err error, keyMember string) *Error {
	var wrong *oidcclient.ConfigError
	if !errors.As(err, &wrong) {
		return &Error{Client: client, Reason: err.Error(), Err: err}
	}
	member, ok := memberOf()[wrong.Field]
	switch {
	case wrong.Field == "Key":
		member = keyMember
	case !ok:
		member = wrong.Field
	}
	return &Error{Client: client, Member: member, Reason: wrong.Reason, Err: err}
}

// jsonError reads the client out of the place of a JSON error.
func jsonError(err error) *Error {
	var at *strictjson.Error
	if !errors.As(err, &at) {
		return &Error{Reason: err.Error(), Err: err}
	}
	e := &Error{Member: at.Member, Reason: at.Reason, Err: err}
	if rest, ok := strings.CutPrefix(at.Member, "clients."); ok {
		e.Client, e.Member, _ = strings.Cut(rest, ".")
	}
	return e
}

// places refuses URLs of ours that are somebody else's.
func (m *Client) places(baseURL string) *Error {
	for _, place := range [][2]string{
		{"backchannel_logout_uri", m.BackchannelLogoutURI}, {"frontchannel_logout_uri", m.FrontchannelLogoutURI},
		{"initiate_login_uri", m.InitiateLoginURI}, {"backchannel_client_notification_endpoint", m.BackchannelClientNotificationEndpoint},
	} {
		if place[1] != "" && baseURL != "" && !strings.HasPrefix(place[1], strings.TrimSuffix(baseURL, "/")+"/") {
			return &Error{Member: place[0], Reason: "is not under base_url, so what is sent there would go elsewhere"}
		}
	}
	switch mode := m.BackchannelTokenDeliveryMode; {
	case mode != "" && mode != "poll" && mode != "ping":
		return &Error{Member: "backchannel_token_delivery_mode", Reason: "is neither poll nor ping"}
	case (mode == "ping") != (m.BackchannelClientNotificationEndpoint != ""):
		return &Error{Member: "backchannel_client_notification_endpoint", Reason: "and the mode ping need each other"}
	}
	return nil
}
