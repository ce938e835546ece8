package redisstore

import (
	"net"
	"strconv"
	"testing"

	"github.com/redis/go-redis/v9"
	"github.com/stretchr/testify/require"

	"github.com/rely-go/rely/internal/engines"
	"github.com/rely-go/rely/oidcclient/store/storetest"
)

func TestContract(t *testing.T) {
	storetest.Test(t, func(t *testing.T) storetest.Store {
		return newStore(t, connect(t, engine.URL), "contract")
	})
}

// TestContractInACluster has one of a single shard, which refuses what would
// reach for another's slots.
func TestContractInACluster(t *testing.T) {
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	require.NoError(t, err)
	bus := listener.Addr().(*net.TCPAddr).Port // the default would be 10,000 above the port
	require.NoError(t, listener.Close())
	cluster, err := engines.StartRedis(t.TempDir(), "--cluster-enabled", "yes", "--cluster-port", strconv.Itoa(bus))
	require.NoError(t, err)
	t.Cleanup(func() { require.NoError(t, cluster.Stop()) })
	node := connect(t, cluster.URL)
	require.NoError(t, node.ClusterAddSlotsRange(t.Context(), 0, 16383).Err())
	require.Eventually(t, func() bool {
		return node.Set(t.Context(), "k", "v", 0).Err() == nil
	}, patience, interval, "the cluster is up")

	storetest.Test(t, func(t *testing.T) storetest.Store {
		client := redis.NewClusterClient(&redis.ClusterOptions{Addrs: []string{node.Options().Addr}})
		t.Cleanup(func() { require.NoError(t, client.Close()) })
		return newStore(t, client, "contract")
	})
}
