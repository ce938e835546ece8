package grants_test

import (
	"context"
	"fmt"
	"log"

	"github.com/rely-go/rely/oidcclient"
	"github.com/rely-go/rely/oidcclient/grants"
)

// A program without a browser shows a code, and waits until the person has typed it
// somewhere else.
func ExampleBeginDevice() {
	login := func(ctx context.Context, client *oidcclient.Client) (*oidcclient.Session, error) {
		device, err := grants.BeginDevice(ctx, client, grants.DeviceRequest{})
		if err != nil {
			return nil, err
		}
		fmt.Printf("Go to %s and type %s\n", device.VerificationURI, device.UserCode)
		return device.Wait(ctx) // until the person has decided, or the time is over
	}
	_ = login
}

// An application asks a person at their own device, and is told by a notification when
// they have decided.
func ExampleBeginBackchannel() {
	login := func(ctx context.Context, client *oidcclient.Client) (*oidcclient.Session, error) {
		asked, err := grants.BeginBackchannel(ctx, client, grants.BackchannelRequest{
			LoginHint: "anna@example.com", BindingMessage: "W4SCT", Ping: true,
		})
		if err != nil {
			return nil, err
		}
		// Where the notification comes in, asked.Notified(r) wakes this:
		session, err := asked.Wait(ctx)
		if err != nil {
			log.Print(err) // an *oidcclient.Error of Code access_denied is a person who said no
		}
		return session, err
	}
	_ = login
}
