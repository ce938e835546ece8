// Package grants gets tokens where no browser comes back to a redirect URI: for
// the application itself (client_credentials), for a person at a device or at
// their phone (device and CIBA), and from tokens that are there already (token
// exchange, JWT bearer). It also asks about tokens and revokes them.
//
// Everything goes through an [oidcclient.Client]: its authentication, its bounds,
// and, where a person is logged in, its checks of the ID token. Errors are those
// of the client, [*oidcclient.Error], beside the ones below, and plain ones for what the
// caller or, in [ReadNotification], a stranger has left out. A person who says no at a
// device or in the back channel is an [*oidcclient.Error] with the Code access_denied.
package grants
