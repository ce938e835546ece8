package redisstore_test

import (
	"github.com/redis/go-redis/v9"

	redisstore "github.com/rely-go/rely/oidcclient/store/redis"
	"github.com/rely-go/rely/oidcclient/weblogin"
)

// A store takes the place of the one in memory, for sessions and for used logins.
func Example() {
	open := func(url string) (*weblogin.Config, error) {
		options, err := redis.ParseURL(url)
		if err != nil {
			return nil, err
		}
		options.ContextTimeoutEnabled = true
		client := redis.NewClient(options) // close it when the server has ended
		store, err := redisstore.New(client, redisstore.Config{Prefix: "shop"})
		if err != nil {
			return nil, err
		}
		return &weblogin.Config{Sessions: store, Replay: store}, nil
	}
	_ = open
}
